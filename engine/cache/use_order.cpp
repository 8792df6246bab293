// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/use_order.h"

#include "engine/base/key_codec.h"

#include <iterator>

namespace stele::cache {

namespace {

constexpr std::size_t victims_max = 1000;  // for one write; the next go on

std::uint64_t kept_bytes(std::string_view key, std::uint64_t value_bytes) {
  return key.size() + value_bytes + sizeof(std::int64_t);
}

}  // namespace

void UseOrder::load(transaction::Reader& reader, const std::string& prefix) {
  std::lock_guard guard(mutex_);
  if (loaded_) return;
  order_.clear();
  items_.clear();
  bytes_ = 0;
  const auto scan =
      reader.scan(storage::Keyspace::cache, {prefix, key::prefix_end(prefix)}, transaction::ScanRecord::none);
  while (scan->next()) {
    reader.interrupt().check();
    if (scan->value().size() >= sizeof(std::int64_t))
      put(scan->key().substr(prefix.size()), scan->value().size() - sizeof(std::int64_t));
  }
  loaded_ = true;
}

void UseOrder::touch(std::string_view key) {
  std::lock_guard guard(mutex_);
  if (const auto found = items_.find(key); found != items_.end()) order_.splice(order_.end(), order_, found->second);
}

void UseOrder::note(std::string_view key, std::optional<std::uint64_t> value_bytes) {
  std::lock_guard guard(mutex_);
  if (value_bytes) {
    put(key, *value_bytes);
  } else if (const auto found = items_.find(key); found != items_.end()) {
    remove(found->second);
  }
}

void UseOrder::clear() {
  std::lock_guard guard(mutex_);
  items_.clear();
  order_.clear();
  bytes_ = 0;
}

bool UseOrder::fits(std::string_view key, std::size_t value_bytes) const {
  return kept_bytes(key, value_bytes) <= bounds_.bytes_max;
}

std::vector<std::string> UseOrder::victims(std::optional<std::string_view> key, std::size_t value_bytes) {
  std::lock_guard guard(mutex_);
  std::uint64_t keys = items_.size();
  std::uint64_t bytes = bytes_;
  if (key) {
    const auto there = items_.find(*key);
    keys += there == items_.end();
    bytes += kept_bytes(*key, value_bytes) - (there == items_.end() ? 0 : there->second->bytes);
  }
  std::vector<std::string> out;
  auto item = order_.begin();
  for (std::size_t left = order_.size(); left > 0 && out.size() < victims_max; --left) {
    if (keys <= bounds_.keys_max && bytes <= bounds_.bytes_max) break;
    const auto next = std::next(item);
    if (item->key != key) {
      out.push_back(item->key);
      --keys;
      bytes -= item->bytes;
      order_.splice(order_.end(), order_, item);
    }
    item = next;
  }
  return out;
}

void UseOrder::put(std::string_view key, std::uint64_t value_bytes) {
  if (const auto found = items_.find(key); found != items_.end()) remove(found->second);
  order_.push_back({std::string(key), kept_bytes(key, value_bytes)});
  const auto item = std::prev(order_.end());
  items_.emplace(item->key, item);
  bytes_ += item->bytes;
}

void UseOrder::remove(Order::iterator item) {
  bytes_ -= item->bytes;
  items_.erase(item->key);
  order_.erase(item);
}

}  // namespace stele::cache
