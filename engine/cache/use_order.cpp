// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/use_order.h"

#include "engine/base/key_codec.h"

#include <algorithm>
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

std::optional<std::uint64_t> UseOrder::kept(const OwnUse& own, const std::string& key) const {
  if (const auto written = own.kept.find(key); written != own.kept.end()) return written->second;
  const auto committed = items_.find(key);
  return own.flushed || committed == items_.end() ? std::nullopt : std::optional(committed->second->bytes);
}

void UseOrder::note(OwnUse& own, const std::optional<std::string>& key, std::optional<std::uint64_t> value_bytes) {
  std::lock_guard guard(mutex_);
  if (!key) {
    own = {};
    own.flushed = true;
    return;
  }
  const auto before = kept(own, *key);
  const auto now = value_bytes ? std::optional(kept_bytes(*key, *value_bytes)) : std::nullopt;
  own.keys += now.has_value() - before.has_value();
  own.bytes += static_cast<std::int64_t>(now.value_or(0) - before.value_or(0));
  own.kept[*key] = now;
}

std::vector<std::string> UseOrder::victims(std::optional<std::string_view> key, std::size_t value_bytes,
                                           const OwnUse& own) {
  std::lock_guard guard(mutex_);
  // Others may have removed meanwhile what the transaction counts as there: never below nothing.
  auto keys = std::max<std::int64_t>((own.flushed ? 0 : static_cast<std::int64_t>(items_.size())) + own.keys, 0);
  auto bytes = std::max<std::int64_t>((own.flushed ? 0 : static_cast<std::int64_t>(bytes_)) + own.bytes, 0);
  if (key) {
    const auto before = kept(own, std::string(*key));
    keys += !before;
    bytes += static_cast<std::int64_t>(kept_bytes(*key, value_bytes) - before.value_or(0));
  }
  std::vector<std::string> out;
  auto item = order_.begin();
  for (std::size_t left = own.flushed ? 0 : order_.size(); left > 0 && out.size() < victims_max; --left) {
    if (static_cast<std::uint64_t>(keys) <= bounds_.keys_max && static_cast<std::uint64_t>(bytes) <= bounds_.bytes_max)
      break;
    const auto next = std::next(item);
    if (item->key != key && !own.kept.contains(item->key)) {
      out.push_back(item->key);
      --keys;
      bytes -= static_cast<std::int64_t>(item->bytes);
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
