// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/live_indexes.h"

#include "engine/storage/registry.h"

#include <utility>

namespace stele::vectors {

LiveIndexes::LiveIndexes(transaction::Store& store)
    : store_(store), backend_(storage::registry().vector_index(store.options().vector_index)) {}

void LiveIndexes::add(std::uint64_t index, const storage::VectorShape& shape) {
  const std::lock_guard guard(mutex_);
  auto& live = indexes_[index];
  if (live) return;
  live = std::make_shared<LiveIndex>(store_, index, shape, backend_);
  live->start();
}

std::shared_ptr<LiveIndex> LiveIndexes::find(std::uint64_t index) const {
  const std::lock_guard guard(mutex_);
  const auto found = indexes_.find(index);
  return found == indexes_.end() ? nullptr : found->second;
}

void LiveIndexes::made(std::uint64_t index, const storage::VectorShape& shape) noexcept {
  try {
    add(index, shape);
  } catch (const std::exception&) {
    // Without memory for it searches compare with what is in the store.
  }
}

void LiveIndexes::sweep() noexcept {
  std::vector<std::shared_ptr<LiveIndex>> leaving;
  {
    const std::lock_guard guard(mutex_);
    leaving.swap(leaving_);
  }
  for (const auto& live : leaving) {
    live->stop();
    live->remove_files();
  }
}

void LiveIndexes::save() noexcept {
  if (store_.forked()) return;
  const std::lock_guard guard(mutex_);
  for (const auto& [id, live] : indexes_) live->save();
}

void LiveIndexes::start() {
  const std::lock_guard guard(mutex_);
  for (const auto& [id, live] : indexes_) live->start();
}

void LiveIndexes::stop() noexcept {
  sweep();
  std::vector<std::shared_ptr<LiveIndex>> all;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, live] : indexes_) all.push_back(live);
  }
  for (const auto& live : all) live->stop();
}

void LiveIndexes::changed(std::uint64_t index, std::string_view id_element, const Floats& vector,
                          std::uint64_t gseq) noexcept {
  if (const auto live = find(index)) live->changed(id_element, vector, gseq);
}

void LiveIndexes::touched(std::uint64_t index, std::uint64_t gseq) noexcept {
  if (const auto live = find(index)) live->touched(gseq);
}

void LiveIndexes::dropped(std::uint64_t index) noexcept {
  const std::lock_guard guard(mutex_);
  const auto found = indexes_.find(index);
  if (found == indexes_.end()) return;
  try {
    leaving_.push_back(std::move(found->second));
  } catch (const std::bad_alloc&) {
    return;  // it stays: nobody asks for it
  }
  indexes_.erase(found);
}

void LiveIndexes::admit(std::uint64_t index) {
  if (const auto live = find(index)) live->admit();
}

}  // namespace stele::vectors
