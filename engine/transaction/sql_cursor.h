// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/relational.h"
#include "engine/transaction/use.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace stele::transaction {

class Store;

/// A read connection that holds a moment. It can be expired from another thread, to let SQLite's log shrink:
/// every use of the connection is under `mutex`, and throws too_old afterwards.
struct ReadPin {
  ReadPin() = default;
  ReadPin(const ReadPin&) = delete;
  ReadPin& operator=(const ReadPin&) = delete;
  ~ReadPin();

  // Keep the connection's owner there and open; first, so that they go last.
  std::shared_ptr<Store> store;
  Use use;
  std::shared_ptr<storage::Connection> connection;
  /// Of a warm reader (see Store::warm_reader): what it was pinned at, and where it goes afterwards.
  std::uint64_t sql_gseq = 0;
  std::chrono::steady_clock::time_point pinned_at;
  bool warm = false;

  std::mutex mutex;
  int cursors = 0;  // open on the connection; guarded by `mutex`
  std::atomic<bool> expired{false};
  std::atomic<bool> given_up{false};  // expired, and its moment is rolled back

  void check() const;
  /// The next use throws too_old. The moment is given up here when no cursor stands on it (its rows are still being
  /// looked at), otherwise by the cursor when it is used or dropped. Never waits for the owner.
  void expire() noexcept;
  void cursor_closed() noexcept;  // with `mutex` held
  void give_up() noexcept;        // with `mutex` held
};

/// The rows of one SQL statement. Streams from the statement while it can; drain() reads the rest into memory, so
/// that later writes of the same transaction cannot show in it. Ended by its transaction's end.
class SqlCursor {
 public:
  /// Steps to the first row at once: the cursor stands at the moment of the call, and errors show there.
  /// `own` is what a cursor outside a transaction works under.
  SqlCursor(std::unique_ptr<storage::Statement> statement, std::shared_ptr<ReadPin> pin, const Interrupt& own = Interrupt());
  ~SqlCursor();
  SqlCursor(const SqlCursor&) = delete;
  SqlCursor& operator=(const SqlCursor&) = delete;

  bool next();

  const std::vector<std::string>& columns() const { return *columns_; }
  storage::ColumnType type(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;
  std::string_view text(std::size_t column) const;
  std::span<const std::byte> blob(std::size_t column) const;

  void drain();
  /// Ends the cursor: next() then throws `closed`, unless all rows were drained.
  void end() noexcept;
  bool streaming() const { return statement_ != nullptr; }
  /// Polled while rows are stepped; null: none. Must outlive the streaming.
  void set_interrupt(const Interrupt* interrupt) { interrupt_ = interrupt; }

  std::int64_t changes = 0;
  std::int64_t last_insert_rowid = 0;

 private:
  enum class Step : std::uint8_t { first, later };
  bool step(Step which);
  void finish() noexcept;
  const Value& buffered(std::size_t column) const;

  std::unique_ptr<storage::Statement> statement_;  // null: done or drained
  std::shared_ptr<ReadPin> pin_;                   // null: on the write connection
  std::shared_ptr<const std::vector<std::string>> columns_;
  std::vector<std::vector<Value>> rows_;           // drained
  std::size_t next_row_ = 0;                       // of them
  std::vector<Value> current_;                     // of the drained rows
  enum class At : std::uint8_t { before_first, row, end } at_ = At::before_first;
  bool first_is_row_ = false;
  bool from_buffer_ = false;
  bool ended_ = false;
  const Interrupt own_interrupt_;
  const Interrupt* interrupt_ = nullptr;
};

}  // namespace stele::transaction
