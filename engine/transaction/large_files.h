// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// DIR/large: batches of transactions too large to travel inside SQLite's log. Written and synced (file and
// directory) before the commit takes any lock; the outbox row names the file; the file goes when the
// key-value log holds the batch durably. Files that no row names are removed at open.
#pragma once

#include "engine/transaction/health.h"
#include "engine/transaction/outbox.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::transaction {

class LargeFiles {
 public:
  /// A write or sync that fails poisons `health` (null: only reading).
  explicit LargeFiles(std::string directory, Health* health = nullptr)
      : directory_(std::move(directory)), health_(health) {}

  LargeFile write(std::string_view encoded_batch);
  /// The file's bytes; `corrupt` when it is missing or not what the row says.
  std::string read(const LargeFile& file) const;

  /// The file may go once the key-value log is durable up to `gseq`.
  void release_at(const LargeFile& file, std::uint64_t gseq);
  void discard(const LargeFile& file) noexcept;  // of a commit that did not happen
  void key_value_durable(std::uint64_t gseq) noexcept;

  /// At open, after replay: nothing refers to these files any more. What has not a name of ours is left alone.
  void remove_all();

 private:
  std::string path(const LargeFile& file) const { return directory_ + "/" + file.name; }

  std::string directory_;
  Health* health_;
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, LargeFile>> waiting_;
};

}  // namespace stele::transaction
