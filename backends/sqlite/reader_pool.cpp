// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/reader_pool.h"

#include "engine/base/error.h"

namespace stele::sqlite {

std::shared_ptr<storage::Connection> ReaderPool::lease() {
  std::unique_ptr<SqliteConnection> connection = take_idle();
  if (!connection) {
    try {
      connection = std::make_unique<SqliteConnection>(options_);
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  auto back = [pool = shared_from_this()](SqliteConnection* raw) {
    pool->give_back(std::unique_ptr<SqliteConnection>(raw));
  };
  return std::shared_ptr<storage::Connection>(connection.release(), back, std::allocator<char>());
}

std::unique_ptr<SqliteConnection> ReaderPool::take_idle() {
  const std::lock_guard lock(mutex_);
  if (leased_ >= readers_max_)
    fail(
        ErrorCode::busy,
        text("all ", readers_max_, " read connections are in use; end a snapshot or transaction, or raise Options::readers_max"),
        {{"limit", std::to_string(readers_max_)}});
  if (idle_.size() + 1 > idle_.capacity()) idle_.reserve(readers_max_);  // give_back must not allocate
  ++leased_;
  if (idle_.empty()) return nullptr;
  auto connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ReaderPool::give_back(std::unique_ptr<SqliteConnection> connection) noexcept {
  if (connection) {
    connection->rollback();
    connection->set_interrupt(nullptr);
  }
  const std::lock_guard lock(mutex_);
  --leased_;
  if (connection) idle_.push_back(std::move(connection));
}

}  // namespace stele::sqlite
