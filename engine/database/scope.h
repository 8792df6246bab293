// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the handles of the public face hold: the database and, inside one, the transaction.
#pragma once

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/cache/caches.h"
#include "engine/catalog/catalog.h"
#include "engine/database/upkeep.h"
#include "engine/documents/maintenance.h"
#include "engine/transaction/store.h"

#include <stele/database.h>

#include <array>
#include <memory>
#include <mutex>

namespace stele::vectors {
class LiveIndexes;
}

namespace stele::detail {

/// What a handle holds; `invalid` when it was moved from.
template <class Held>
const Held& held(const Held& pointer, std::string_view what) {
  if (!pointer)
    fail(ErrorCode::invalid, text(what, ": this object was moved from; use the one it was moved to"), {{"reason", "moved_from"}});
  return pointer;
}

class DatabaseCore {
 public:
  explicit DatabaseCore(std::shared_ptr<transaction::Store> open_store);
  ~DatabaseCore();

  /// A commit may have made work for the background.
  void definitions_changed() noexcept;

  std::shared_ptr<transaction::Store> store;
  catalog::Catalog catalog;
  events::Segments segments;
  cache::Caches caches{catalog};
  std::array<std::mutex, 64> cache_latches;  // by key, for calls outside transactions
  json::Limits limits;
  std::shared_ptr<vectors::LiveIndexes> vectors;
  documents::Maintenance maintenance{*store, catalog, limits};  // these two last: they end before what they work on
  Upkeep upkeep{*store, catalog, segments, caches, limits};
};

struct Scope {
  std::shared_ptr<DatabaseCore> core;
  std::shared_ptr<transaction::Transaction> transaction;  // null: each call is its own
  bool inside_write = false;                              // Database::write ends it, not the body
  WriteOptions options = {};                              // of each call, without a transaction

  /// What a call that begins now works under.
  Interrupt interrupt() const {
    return transaction ? transaction->interrupt() : Interrupt::within(options.deadline, options.cancel);
  }

  /// Runs `body(Reader&)` in the transaction, or on the newest state.
  template <class Body>
  auto read(Body&& body) const {
    if (transaction) return transaction->statement([&] { return body(static_cast<transaction::Reader&>(*transaction)); });
    return read_latest(false, body);
  }

  /// The same, when it reads more than once what must fit together.
  template <class Body>
  auto read_at_one_moment(Body&& body) const {
    if (transaction) return read(std::forward<Body>(body));
    return read_latest(true, body);
  }

  /// Runs `body(Transaction&)` in the transaction, or in one of its own, committed when this returns.
  template <class Body>
  auto write(Body&& body) const {
    using Result = decltype(body(*transaction));
    if (transaction) return transaction->statement([&] { return body(*transaction); });
    static std::atomic<int> lock_first{0};
    if constexpr (std::is_void_v<Result>) {
      core->store->write(options, lock_first, [&](const auto& own) { own->statement([&] { body(*own); }); });
    } else {
      std::optional<Result> result;
      core->store->write(options, lock_first,
                         [&](const auto& own) { result.emplace(own->statement([&] { return body(*own); })); });
      return *std::move(result);
    }
  }

 private:
  template <class Body>
  auto read_latest(bool one_moment, Body& body) const {
    core->store->check_open();
    const auto latest = core->store->latest(one_moment, interrupt());
    const Interrupt::Here here(latest->interrupt());
    latest->interrupt().check();
    return body(*latest);
  }
};

/// Opens a store; backends/open.cpp has filled the registry.
Database open_database(const std::string& directory, const Options& options, bool in_memory);

Rows rows_of(std::shared_ptr<transaction::SqlCursor> cursor, std::shared_ptr<transaction::Transaction> transaction);

}  // namespace stele::detail
