// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The prepared forms of one connection, least recently used first out. A form in use is not given
// out again: the second user of a text gets a form of its own, which is not kept.
#pragma once

#include "engine/storage/relational.h"

#include <sqlite3.h>

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>
#include <string_view>
#include <unordered_map>

namespace stele::sqlite {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, Finalize>;

/// A prepared form and what was found out about it.
struct Prepared {
  std::string sql;
  std::string keyword;
  storage::Author author = storage::Author::caller;
  storage::StatementFacts facts;
  StatementHandle statement;
  int parameters = 0;
  std::shared_ptr<const std::vector<std::string>> column_names;
  bool in_use = false;
  bool kept = false;  // the cache owns it
  std::list<Prepared*>::iterator place;
};

class StatementCache {
 public:
  explicit StatementCache(std::size_t forms_max) : forms_max_(forms_max) {}
  ~StatementCache() { clear(); }
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  /// An idle form of this text, marked as in use; null when there is none.
  Prepared* take(std::string_view sql, storage::Author author);
  /// Keeps a new form (in use) unless its text is kept already.
  Prepared* add(std::unique_ptr<Prepared> form);
  /// The form's run is over: back to the cache, or gone.
  void give_back(Prepared* form) noexcept;
  /// Forgets every form; those in use go when they are given back.
  void clear() noexcept;

 private:
  struct Key {
    std::string_view sql;
    storage::Author author;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string_view>{}(key.sql) + static_cast<std::size_t>(key.author);
    }
  };
  void evict_one();

  std::size_t forms_max_;
  std::list<Prepared*> by_use_;  // most recent first
  std::unordered_map<Key, Prepared*, Hash> forms_;
};

}  // namespace stele::sqlite
