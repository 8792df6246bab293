// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/vectors/live_index.h"

#include <map>
#include <memory>
#include <mutex>

namespace stele::vectors {

/// All indexes of a store that stand in memory.
class LiveIndexes final : public transaction::Follower {
 public:
  explicit LiveIndexes(transaction::Store& store);
  ~LiveIndexes() override { stop(); }

  /// For those that are there when the store is opened.
  void add(std::uint64_t index, const storage::VectorShape& shape);
  /// Null: none of that number.
  std::shared_ptr<LiveIndex> find(std::uint64_t index) const;

  void start();
  void stop() noexcept;
  /// After stop().
  void save() noexcept;

  /// Frees what was dropped.
  void sweep() noexcept;

  // Follower
  void made(std::uint64_t index, const storage::VectorShape& shape) noexcept override;
  void changed(std::uint64_t index, std::string_view id_element, const Floats& vector,
               std::uint64_t gseq) noexcept override;
  void dropped(std::uint64_t index) noexcept override;
  void touched(std::uint64_t index, std::uint64_t gseq) noexcept override;
  void admit(std::uint64_t index) override;

 private:
  transaction::Store& store_;
  const storage::VectorIndexBackend& backend_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<LiveIndex>> indexes_;
  std::vector<std::shared_ptr<LiveIndex>> leaving_;  // dropped; their threads are ended by sweep()
};

}  // namespace stele::vectors
