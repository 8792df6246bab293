// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/write_set.h"

#include "engine/base/bytes.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stele::transaction {

std::int64_t merged(Merge kind, std::string_view current, std::int64_t operand) {
  if (current.size() != sizeof operand) return operand;
  std::int64_t value;
  std::memcpy(&value, current.data(), sizeof value);
  switch (kind) {
    case Merge::min: return std::min(value, operand);
    case Merge::max: return std::max(value, operand);
    case Merge::add: break;
  }
  std::int64_t sum;
  // Saturates: under the commit order there is nobody left to report an overflow to.
  if (__builtin_add_overflow(value, operand, &sum))
    return operand > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  return sum;
}

const WriteSet::Version* WriteSet::Versions::visible(Statement before) const {
  if (newest_.statement < before) return &newest_;
  for (auto it = older_.rbegin(); it != older_.rend(); ++it)
    if (it->statement < before) return &*it;
  return nullptr;
}

void WriteSet::Versions::push(Version version) {
  older_.push_back(std::exchange(newest_, std::move(version)));
}

bool WriteSet::Versions::pop() {
  if (older_.empty()) return false;
  newest_ = std::move(older_.back());
  older_.pop_back();
  return true;
}

void WriteSet::write(Keyspace keyspace, std::string_view key, std::optional<std::string> value) {
  auto& map = entries_[index(keyspace)];
  const std::size_t bytes = key.size() + (value ? value->size() : 0);
  drop_merge(keyspace, key);
  // Many write in the order of keys.
  const bool above_all = !map.empty() && std::prev(map.end())->first < key;
  auto entry = above_all ? map.end() : map.lower_bound(key);
  if (entry != map.end() && entry->first == key) {
    entry->second.push({statement_, std::move(value)});
  } else {
    entry = map.emplace_hint(entry, std::string(key), Versions({statement_, std::move(value)}));
  }
  note({Undo::Kind::entry, keyspace, bytes, entry});
}

void WriteSet::drop_merge(Keyspace keyspace, std::string_view key) {
  auto& map = merges_[index(keyspace)];
  if (map.empty()) return;
  const auto found = map.find(key);
  if (found == map.end()) return;
  note({Undo::Kind::merge, keyspace, 0, {}, std::string(key), found->second});
  map.erase(found);
}

void WriteSet::note(Undo undo) {
  bytes_ += undo.bytes;
  undo_.push_back(std::move(undo));
}

void WriteSet::put(Keyspace keyspace, std::string_view key, std::string_view value) {
  write(keyspace, key, std::string(value));
}

void WriteSet::erase(Keyspace keyspace, std::string_view key) { write(keyspace, key, std::nullopt); }

void WriteSet::erase_range(Keyspace keyspace, std::string_view begin, std::string_view end) {
  if (begin >= end) return;
  auto& map = entries_[index(keyspace)];
  for (auto it = map.lower_bound(begin); it != map.end() && it->first < end; ++it) {
    it->second.push({statement_, std::nullopt});
    note({Undo::Kind::entry, keyspace, 0, it});
  }
  auto& merges = merges_[index(keyspace)];
  for (auto it = merges.lower_bound(begin); it != merges.end() && it->first < end;) {
    note({Undo::Kind::merge, keyspace, 0, {}, it->first, it->second});
    it = merges.erase(it);
  }
  erased_[index(keyspace)].push_back({statement_, std::string(begin), std::string(end)});
  note({Undo::Kind::range, keyspace, begin.size() + end.size(), {}});
}

void WriteSet::late(std::shared_ptr<const LateWrite> write) {
  const std::size_t bytes = write->bytes();
  late_.push_back({std::move(write), statement_});
  note({Undo::Kind::late, Keyspace::meta, bytes, {}});
}

void WriteSet::merge(Keyspace keyspace, std::string_view key, Merge kind, std::int64_t operand) {
  auto& map = merges_[index(keyspace)];
  auto found = map.find(key);
  std::optional<MergeDelta> previous;
  if (found != map.end()) {
    previous = found->second;
    std::string current;
    append_fixed(current, found->second.operand);
    found->second = {kind, merged(kind, current, operand)};
  } else {
    map.emplace(std::string(key), MergeDelta{kind, operand});
  }
  const std::size_t bytes = previous ? 0 : key.size() + sizeof operand;
  note({Undo::Kind::merge, keyspace, bytes, {}, std::string(key), previous});
}

WriteSet::Found WriteSet::find(Keyspace keyspace, std::string_view key, std::string& value,
                               std::optional<Statement> before) const {
  const Statement end = before.value_or(statement_ + 1);
  const auto& map = entries_[index(keyspace)];
  if (const auto found = map.find(key); found != map.end()) {
    if (const Version* version = found->second.visible(end)) {
      if (!version->value) return Found::erased;
      value = *version->value;
      return Found::value;
    }
  }
  return erased_before(keyspace, key, end) ? Found::erased : Found::no;
}

bool WriteSet::erased_before(Keyspace keyspace, std::string_view key, Statement before) const {
  for (const ErasedRange& range : erased_[index(keyspace)])
    if (range.statement < before && key >= range.begin && key < range.end) return true;
  return false;
}

const WriteSet::MergeDelta* WriteSet::pending_merge(Keyspace keyspace, std::string_view key) const {
  const auto& map = merges_[index(keyspace)];
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

void WriteSet::undo_to(std::size_t mark) {
  if (undo_.size() > mark) ++undone_;
  while (undo_.size() > mark) {
    Undo& last = undo_.back();
    switch (last.kind) {
      case Undo::Kind::entry:
        if (!last.entry->second.pop()) entries_[index(last.keyspace)].erase(last.entry);
        break;
      case Undo::Kind::range: erased_[index(last.keyspace)].pop_back(); break;
      case Undo::Kind::late: late_.pop_back(); break;
      case Undo::Kind::merge: {
        auto& map = merges_[index(last.keyspace)];
        if (last.previous) {
          map.insert_or_assign(last.key, *last.previous);
        } else {
          map.erase(map.find(last.key));
        }
        break;
      }
    }
    bytes_ -= last.bytes;
    undo_.pop_back();
  }
}

storage::Batch WriteSet::batch() const {
  storage::Batch batch;
  batch.reserve(bytes_ + undo_.size() * 8);
  for (std::size_t i = 0; i < storage::keyspace_count; ++i) {
    const auto keyspace = static_cast<Keyspace>(i);
    // Ranges first: a point inside an erased range holds the newer state of the two.
    for (const ErasedRange& range : erased_[i]) batch.erase_range(keyspace, range.begin, range.end);
    for (const auto& [key, versions] : entries_[i]) {
      if (const auto& newest = versions.newest().value) {
        batch.put(keyspace, key, *newest);
      } else {
        batch.erase(keyspace, key);
      }
    }
  }
  return batch;
}

bool WriteSet::writes(Keyspace keyspace, std::string_view key) const {
  if (entries_[index(keyspace)].contains(key)) return true;
  return erased_before(keyspace, key, statement_ + 1);
}

}  // namespace stele::transaction
