// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/group_table.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/model/key.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"

#include <algorithm>

namespace stele::pipeline {

// The key

GroupKey GroupKey::parse(const Value& id, const Place& place) {
  GroupKey key;
  const auto is_plain = [](const model::Member& member) {
    return !member.name.starts_with('$') && member.name.find('.') == std::string::npos;
  };
  if (id.is_object() && !id.object().empty() && std::ranges::all_of(id.object(), is_plain)) {
    for (const model::Member& member : id.object())
      key.parts_.push_back({member.name, place.expression(member.value, text("_id.", member.name))});
  } else {
    key.whole_ = place.expression(id, "_id");
  }
  return key;
}

void GroupKey::trace_needs(Needs& needs) const {
  if (whole_) needs.add(*whole_);
  for (const Part& part : parts_) needs.add(part.expression);
}

const Value* GroupKey::found(const Part& part, Evaluator& evaluate, const Value& row, Value& own) const {
  static const Value null;
  const Value* value = evaluate(part.expression, row, own);
  return value || parts_.size() > 1 ? value : &null;
}

void GroupKey::append(std::string& out, Evaluator& evaluate, const Value& row) const {
  static const Value null;
  Value own;
  if (whole_) {
    const Value* value = evaluate(*whole_, row, own);
    return model::append_sort_element(out, value ? *value : null);
  }
  for (const Part& part : parts_) {
    const Value* value = found(part, evaluate, row, own);
    out += value ? '\1' : '\0';
    if (value) model::append_sort_element(out, *value);
  }
}

Value GroupKey::value(Evaluator& evaluate, const Value& row) const {
  Value own;
  if (whole_) {
    const Value* value = evaluate(*whole_, row, own);
    return value ? *value : Value();
  }
  Object id;
  for (const Part& part : parts_)
    if (const Value* value = found(part, evaluate, row, own)) id.push_back({part.name, *value});
  return id;
}

// The table

GroupTable::GroupTable(Execution& execution, std::size_t memory_bytes, const GroupSpec& spec)
    : execution_(execution), memory_bytes_(memory_bytes), spec_(spec), slots_(64), runs_(execution, spec.what) {}

GroupTable::Group* GroupTable::find(std::uint64_t hash, std::string_view key, std::size_t& slot) {
  const std::size_t mask = slots_.size() - 1;
  for (slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    Group& group = groups_[slots_[slot] - 1];
    if (group.hash == hash && group.key() == key) return &group;
  }
  return nullptr;
}

Gathered* GroupTable::begin_gathering() {
  constexpr std::size_t block_groups = 128;
  const std::size_t count = spec_.accumulators.size();
  if (block_left_ == 0) {
    blocks_.push_back(std::make_unique<Gathered[]>(block_groups * count));
    block_left_ = block_groups;
    bytes_ += block_groups * count * sizeof(Gathered);
  }
  Gathered* gathered = blocks_.back().get() + (block_groups - block_left_) * count;
  --block_left_;
  for (std::size_t i = 0; i < count; ++i) gathered[i] = spec_.accumulators[i].begin();
  return gathered;
}

GroupTable::Group& GroupTable::insert(std::uint64_t hash, std::string_view key, std::string_view id,
                                      std::size_t slot) {
  const std::size_t before = arena_.bytes();
  const char* at = arena_.store(key, id);
  bytes_ += arena_.bytes() - before;
  put({hash, at, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(id.size()), begin_gathering()}, slot);
  return groups_.back();
}

void GroupTable::put(const Group& group, std::size_t slot) {
  // The vectors hold up to twice what is in them, and while they grow the old one, too.
  bytes_ += 3 * sizeof(Group) + 6 * sizeof(std::uint32_t);
  groups_.push_back(group);
  slots_[slot] = static_cast<std::uint32_t>(groups_.size());
  if (groups_.size() * 2 > slots_.size()) grow();
}

void GroupTable::grow() {
  slots_.assign(slots_.size() * 4, 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    std::size_t slot = groups_[i].hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

void GroupTable::add(Evaluator& evaluate, const Value& row) {
  execution_.tick();
  key_.clear();
  spec_.key.append(key_, evaluate, row);
  const std::uint64_t hash = checksum(key_);
  std::size_t slot;
  Group* group = find(hash, key_, slot);
  if (!group) {
    id_.clear();
    append_row(id_, spec_.key.value(evaluate, row));
    group = &insert(hash, key_, id_, slot);
  }
  for (std::size_t i = 0; i < spec_.accumulators.size(); ++i)
    bytes_ += spec_.accumulators[i].add(group->gathered[i], evaluate, row);
  check_memory();
}

void GroupTable::check_memory() {
  if (bytes_ > memory_bytes_) spill();
}

void GroupTable::absorb(GroupTable&& later) {
  if (!later.runs_.empty()) {  // rows in runs come before those in memory
    if (!groups_.empty()) spill();
    if (!later.groups_.empty()) later.spill();
    runs_.adopt(std::move(later.runs_));
    return;
  }
  // What is behind the groups stays where it is, and is taken over.
  blocks_.insert(blocks_.begin(), std::make_move_iterator(later.blocks_.begin()),
                 std::make_move_iterator(later.blocks_.end()));
  arena_.adopt(std::move(later.arena_));
  bytes_ += later.bytes_;
  for (const Group& other : later.groups_) {
    execution_.tick();
    std::size_t slot;
    if (Group* group = find(other.hash, other.key(), slot)) {
      for (std::size_t i = 0; i < spec_.accumulators.size(); ++i)
        bytes_ += spec_.accumulators[i].merge(group->gathered[i], std::move(other.gathered[i]));
    } else {
      put(other, slot);
    }
  }
  later.forget_groups();
  check_memory();
}

void GroupTable::forget_groups() {
  groups_ = {};
  slots_.assign(64, 0);
  blocks_.clear();
  arena_.clear();
  block_left_ = bytes_ = 0;
}

// Content of a pair in a run: the id, then what each accumulator saved.
void GroupTable::spill() {
  const auto before = [this](const Group& a, const Group& b) {
    execution_.tick(64);
    return a.key() < b.key();
  };
  std::sort(groups_.begin(), groups_.end(), before);
  runs_.begin();
  std::string content;
  for (Group& group : groups_) {
    content = group.id();
    for (std::size_t i = 0; i < spec_.accumulators.size(); ++i)
      append_row(content, spec_.accumulators[i].saved(std::move(group.gathered[i])));
    execution_.tick(content.size());
    runs_.append(group.key(), content);
  }
  runs_.end();
  forget_groups();
}

void GroupTable::finish(std::size_t memory_bytes) {
  if (runs_.empty()) return;
  if (!groups_.empty()) spill();
  memory_bytes_ = memory_bytes;
  runs_.begin_merge(execution_, memory_bytes_ / 2);
  std::string_view key, content;
  merge_there_ = runs_.next(key, content);
  merge_key_ = key;
  merge_content_ = content;
}

Value GroupTable::result(Value id, Gathered* gathered) {
  Object row;
  row.reserve(1 + spec_.accumulators.size());
  if (spec_.gives_id) row.push_back({"_id", std::move(id)});
  for (std::size_t i = 0; i < spec_.accumulators.size(); ++i)
    row.push_back({spec_.accumulators[i].field(), spec_.accumulators[i].result(std::move(gathered[i]))});
  return row;
}

bool GroupTable::next(Value& row) {
  if (!runs_.empty()) return next_merged(row);
  if (position_ == groups_.size()) return false;
  execution_.tick();
  const Group& group = groups_[position_++];
  ByteReader id(group.id());
  read_row(id, id_value_);
  row = result(std::move(id_value_), group.gathered);
  return true;
}

void GroupTable::restore(std::string_view content, Value& id, std::vector<Gathered>& gathered) {
  ByteReader bytes(content);
  read_row(bytes, id);
  gathered.clear();
  for (const Accumulator& accumulator : spec_.accumulators) {
    Value saved;
    read_row(bytes, saved);
    gathered.push_back(accumulator.restored(std::move(saved)));
  }
}

bool GroupTable::next_merged(Value& row) {
  if (!merge_there_) return false;
  Value id, other_id;
  std::vector<Gathered> gathered, other;
  restore(merge_content_, id, gathered);
  std::size_t bytes = merge_content_.size();
  std::string_view key, content;
  while ((merge_there_ = runs_.next(key, content)) && key == merge_key_) {
    execution_.tick(content.size());
    if (bytes > memory_bytes_)
      fail(ErrorCode::too_large,
           text(spec_.what, ": the group with _id ", model::to_json(id).substr(0, 200), " gathers more than ",
                memory_bytes_, " bytes; gather less ($firstN, $topN), or allow more memory"),
           {{"reason", "Memory"}, {"limit", std::to_string(memory_bytes_)}});
    restore(content, other_id, other);
    for (std::size_t i = 0; i < gathered.size(); ++i)
      bytes += spec_.accumulators[i].merge(gathered[i], std::move(other[i]));
  }
  if (merge_there_) {
    merge_key_ = key;
    merge_content_ = content;
  }
  row = result(std::move(id), gathered.data());
  return true;
}

}  // namespace stele::pipeline
