// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The state of one `stele exec`: the open database and the transactions that the client holds by number.
// One thread, so a request never waits for another open transaction: the engine answers busy or conflict.
#pragma once

#include <stele/database.h>

#include "engine/database/scope.h"
#include "tools/stele/answer.h"
#include "tools/stele/request.h"

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace stele::tool {

class Session {
 public:
  /// Opens the database.
  Session(const std::string& directory, const Options& options);

  /// The answer to one line, with its end of line: `interrupted` after the cancel. Throws nothing but bad_alloc.
  std::string answer(std::string_view line, std::stop_token cancel = {});

  /// Rolls back what is open and closes the database.
  void close();

  // For the operations.
  Database& database() { return database_; }
  detail::DatabaseCore& core() { return *core_; }

  /// Runs `body(const Snapshot&)` in the request's transaction, or on a snapshot of its own.
  template <class Body>
  auto read(const Request& request, Body&& body) {
    if (OpenTransaction* open = transaction_of(request)) return body(static_cast<const Snapshot&>(open->handle));
    return database_.read(ReadOptions{request.deadline(), false, cancel_}, std::forward<Body>(body));
  }

  /// Runs `body(Transaction&)` in the request's transaction, or in one of its own; then it may run again.
  template <class Body>
  auto write(const Request& request, Body&& body) {
    if (OpenTransaction* open = transaction_of(request)) return body(open->handle);
    return database_.write(write_options(request), std::forward<Body>(body));
  }

  /// For what the request does outside a transaction.
  WriteOptions write_options(const Request& request) const;
  Interrupt interrupt(const Request& request) const { return Interrupt::within(request.deadline(), cancel_); }

  std::uint64_t begin(const Request& request);
  std::uint64_t commit(const Request& request);
  void rollback(const Request& request);
  Transaction& transaction(const Request& request) { return transaction_of(request)->handle; }

 private:
  struct OpenTransaction {
    std::shared_ptr<transaction::Transaction> own;
    Transaction handle;
    bool read_only;
    Interrupt::Clock::time_point deadline;  // from begin; a cancel is of one request
  };

  OpenTransaction* transaction_of(const Request& request);  // null: the request names none
  void run(Request& request, Answer& answer);

  std::shared_ptr<detail::DatabaseCore> core_;
  Database database_;
  std::map<std::uint64_t, OpenTransaction> open_;
  std::uint64_t next_ = 1;
  std::stop_token cancel_;  // of the request at hand
};

}  // namespace stele::tool
