// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/memory/versions.h"

namespace stele::memory {

namespace {
std::uint64_t bytes_of(const Version& version) { return sizeof version + (version.value ? version.value->size() : 0); }
std::uint64_t bytes_of_key(std::string_view key) { return sizeof(Entries::value_type) + key.size(); }
}  // namespace

std::uint64_t bytes_of(const Entries::value_type& entry) {
  std::uint64_t bytes = bytes_of_key(entry.first);
  for (const Version& version : entry.second) bytes += bytes_of(version);
  return bytes;
}

const std::string* value_at(const Versions& versions, Moment moment) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->since <= moment) return version->value ? &*version->value : nullptr;
  }
  return nullptr;
}

void VersionedMaps::put(storage::Keyspace keyspace, std::string_view key, std::string_view value, Moment since) {
  Entries& entries = maps_[static_cast<std::size_t>(keyspace)];
  auto entry = entries.lower_bound(key);
  if (entry == entries.end() || entry->first != key) {
    entry = entries.emplace_hint(entry, std::string(key), Versions{});
    bytes_ += bytes_of_key(key);
  }
  add(keyspace, entry, std::string(value), since);
}

void VersionedMaps::erase(storage::Keyspace keyspace, std::string_view key, Moment since) {
  Entries& entries = maps_[static_cast<std::size_t>(keyspace)];
  const auto entry = entries.find(key);
  if (entry != entries.end() && entry->second.back().value) add(keyspace, entry, std::nullopt, since);
}

void VersionedMaps::erase_range(storage::Keyspace keyspace, std::string_view begin, std::string_view end,
                                Moment since) {
  Entries& entries = maps_[static_cast<std::size_t>(keyspace)];
  for (auto entry = entries.lower_bound(begin); entry != entries.end() && entry->first < end; ++entry) {
    if (entry->second.back().value) add(keyspace, entry, std::nullopt, since);
  }
}

void VersionedMaps::add(storage::Keyspace keyspace, Entries::iterator entry, std::optional<std::string> value,
                        Moment since) {
  Versions& versions = entry->second;
  if (!versions.empty() && versions.back().since == since) {  // twice in one batch: the later one counts
    bytes_ -= bytes_of(versions.back());
    versions.back().value = std::move(value);
  } else {
    if (!versions.empty()) hidden_.push_back({keyspace, entry->first, since});
    versions.push_back({since, std::move(value)});
  }
  // A key that is put and erased by one batch has no older version, but must go as well.
  if (!versions.back().value && versions.size() == 1) hidden_.push_back({keyspace, entry->first, since});
  bytes_ += bytes_of(versions.back());
}

void VersionedMaps::reclaim(Moment oldest) {
  for (; !hidden_.empty() && hidden_.front().since <= oldest; hidden_.pop_front()) {
    Entries& entries = maps_[static_cast<std::size_t>(hidden_.front().keyspace)];
    const auto entry = entries.find(hidden_.front().key);
    if (entry == entries.end()) continue;
    Versions& versions = entry->second;
    std::size_t needless = 0;  // versions that a later one hides from everybody
    while (needless + 1 < versions.size() && versions[needless + 1].since <= oldest)
      bytes_ -= bytes_of(versions[needless++]);
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(needless));
    if (versions.size() == 1 && !versions.front().value && versions.front().since <= oldest) {
      bytes_ -= bytes_of(versions.front()) + bytes_of_key(entry->first);
      entries.erase(entry);
    }
  }
}

}  // namespace stele::memory
