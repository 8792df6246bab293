// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/group_records.h"

#include "engine/base/bytes.h"
#include "engine/base/key_codec.h"
#include "engine/events/layout.h"

namespace stele::events {

namespace {

enum GroupPart : std::uint64_t { record = 0, committed = 1, members = 2, pending = 3, lost = 4 };

std::string group_part(std::uint64_t stream, std::string_view group, GroupPart part) {
  std::string out = group_prefix(stream, group);
  key::append_id(out, part);
  return out;
}

}  // namespace

std::string group_prefix(std::uint64_t stream, std::string_view group) {
  std::string out = groups_prefix(stream);
  key::append_name(out, group);
  return out;
}

std::string group_key(std::uint64_t stream, std::string_view group) { return group_part(stream, group, record); }
std::string committed_prefix(std::uint64_t stream, std::string_view group) {
  return group_part(stream, group, committed);
}
std::string members_prefix(std::uint64_t stream, std::string_view group) { return group_part(stream, group, members); }
std::string pending_prefix(std::uint64_t stream, std::string_view group) { return group_part(stream, group, pending); }

std::string lost_key(std::uint64_t stream, std::string_view group) { return group_part(stream, group, lost); }

std::string committed_key(std::uint64_t stream, std::string_view group, std::uint64_t partition) {
  std::string out = committed_prefix(stream, group);
  key::append_u64(out, partition);
  return out;
}

std::string member_key(std::uint64_t stream, std::string_view group, std::string_view member) {
  std::string out = members_prefix(stream, group);
  key::append_name(out, member);
  return out;
}

std::string pending_key(std::uint64_t stream, std::string_view group, std::uint64_t offset) {
  std::string out = pending_prefix(stream, group);
  key::append_u64(out, offset);
  return out;
}

std::string encode(const GroupRecord& record) {
  return fixed_bytes(record.generation, record.partitions, record.deliveries_max) + record.dead_letters;
}

std::string encode(const MemberRecord& record) { return fixed_bytes(record.expires, record.session); }

std::string encode(const PendingRecord& record) {
  return fixed_bytes(record.claimed, record.deliveries) + record.consumer;
}

bool decode(std::string_view bytes, GroupRecord& record) {
  ByteReader reader(bytes);
  if (!reader.fixed(record.generation, record.partitions, record.deliveries_max)) return false;
  record.dead_letters = reader.rest();
  return record.partitions > 0;
}

bool decode(std::string_view bytes, MemberRecord& record) {
  ByteReader reader(bytes);
  return reader.fixed(record.expires, record.session) && reader.empty();
}

bool decode(std::string_view bytes, PendingRecord& record) {
  ByteReader reader(bytes);
  if (!reader.fixed(record.claimed, record.deliveries)) return false;
  record.consumer = reader.rest();
  return true;
}

std::string unescaped(std::string_view name) {
  const std::size_t first = name.find('\0');
  if (first != std::string_view::npos && first + 1 < name.size() && name[first + 1] == '\1')
    return std::string(name.substr(0, first));
  std::string out;
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (name[i] != '\0') {
      out += name[i];
    } else if (name[i + 1] == '\xFF') {
      out += '\0';
      ++i;
    } else {
      break;  // 00 01: its end
    }
  }
  return out;
}

}  // namespace stele::events
