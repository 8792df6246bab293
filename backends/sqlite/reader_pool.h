// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/sqlite/connection.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace stele::sqlite {

/// Read connections, opened on demand, kept for the next user. Any thread.
class ReaderPool : public std::enable_shared_from_this<ReaderPool> {
 public:
  ReaderPool(ConnectionOptions options, std::uint32_t readers_max)
      : options_(std::move(options)), readers_max_(readers_max) {}

  /// Given back, rolled back, when the last copy is dropped; the lease may outlive the store.
  std::shared_ptr<storage::Connection> lease();

 private:
  std::unique_ptr<SqliteConnection> take_idle();
  void give_back(std::unique_ptr<SqliteConnection> connection) noexcept;

  const ConnectionOptions options_;
  const std::uint32_t readers_max_;
  std::mutex mutex_;
  std::uint32_t leased_ = 0;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
};

}  // namespace stele::sqlite
