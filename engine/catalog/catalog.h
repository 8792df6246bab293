// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which collections and streams there are. Definitions live in keyspace meta and change in transactions, like
// everything else; reads of them bind at every isolation level, so nobody writes into what was dropped meanwhile.
//
//   (id 2, id kind, name)  ->  {"id":17}        kind 1 collection, 2 stream
//   (id 3)                 ->  u64 next id, little-endian; ids are never reused
//
// The newest definitions are kept in memory, with the commit that last changed keyspace meta.
#pragma once

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

enum class Kind : std::uint8_t { collection = 1, stream = 2 };

class Catalog {
 public:
  /// The id of the collection or stream at the reader's moment. Any thread.
  std::optional<std::uint64_t> find(transaction::Reader& reader, Kind kind, std::string_view name);
  /// Makes it when it is not there.
  std::uint64_t find_or_create(transaction::Transaction& transaction, Kind kind, std::string_view name);
  /// Names in order.
  std::vector<std::string> list(transaction::Reader& reader, Kind kind);
  /// Only the definition; its keys are the caller's to erase.
  void drop(transaction::Transaction& transaction, Kind kind, std::string_view name);

  struct Definition {
    Kind kind;
    std::string name;
    std::uint64_t id;
  };
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
    std::map<Key, std::uint64_t, Less> ids;
  };

  std::shared_ptr<const Contents> contents(transaction::Reader& reader);

  std::mutex mutex_;
  std::shared_ptr<const Contents> newest_;
};

}  // namespace stele::catalog
