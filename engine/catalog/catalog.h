// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which collections, streams and caches there are. Definitions live in keyspace meta and change in transactions, like
// everything else; reads of them bind at every isolation level, so nobody writes into what was dropped meanwhile.
//
//   (id 2, id kind, name)  ->  the definition (definition.h)   kind 1 collection, 2 stream, 3 cache
//   (id 3)                 ->  u64 next id, little-endian; ids are never reused; indexes have ids of their own
//
// The newest definitions are kept in memory, with the commit that last changed keyspace meta.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/transaction/transaction.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::catalog {

/// `invalid` for what nothing of that kind may be called.
void check_name(Kind kind, std::string_view name);

class Catalog {
 public:
  using DefinitionPtr = std::shared_ptr<const Definition>;

  /// The collection or stream at the reader's moment; null: there is none. Any thread.
  DefinitionPtr find(transaction::Reader& reader, Kind kind, std::string_view name);
  /// Makes it when it is not there.
  DefinitionPtr find_or_create(transaction::Transaction& transaction, Kind kind, std::string_view name);
  /// `exists` when it is there.
  DefinitionPtr create(transaction::Transaction& transaction, Kind kind, std::string_view name,
                       const CollectionOptions& options, const json::Limits& limits);
  /// The definition with its id under another name, which none has.
  void rename(transaction::Transaction& transaction, const Definition& definition, std::string_view to);
  /// Puts the definition in the place of the one that has its kind and name.
  void store(transaction::Transaction& transaction, const Definition& definition);
  std::uint64_t new_id(transaction::Transaction& transaction);
  /// Names in order.
  std::vector<std::string> list(transaction::Reader& reader, Kind kind);
  /// Only the definition; its keys are the caller's to erase.
  void drop(transaction::Transaction& transaction, Kind kind, std::string_view name);

  /// All definitions as they stand in the store; `corrupt` for one that cannot be read.
  static std::vector<Definition> read_all(transaction::Reader& reader,
                                          transaction::ScanRecord record = transaction::ScanRecord::range);

 private:
  using Key = std::pair<Kind, std::string>;
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first : std::string_view(a.second) < std::string_view(b.second);
    }
  };
  struct Contents {
    std::uint64_t meta_changed;  // complete as of this commit
    std::map<Key, DefinitionPtr, Less> definitions;
  };

  std::shared_ptr<const Contents> contents(transaction::Reader& reader);

  std::mutex mutex_;
  std::shared_ptr<const Contents> newest_;
};

}  // namespace stele::catalog
