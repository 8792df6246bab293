// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// How consumer groups lie in keyspace events. G is (id stream, id 5, name group) of layout.h.
//
//   G · id 0                  ->  u64 generation · u32 partitions · u32 most deliveries · stream of dead letters
//   G · id 1 · u64 partition  ->  u64 committed offset; absent: the earliest
//   G · id 2 · name member    ->  i64 expires, µs · i64 session, µs
//   G · id 3 · u64 offset     ->  i64 claimed at, µs · u32 deliveries · consumer (claimed, not acked)
//   G · id 4                  ->  i64 jobs that retention removed before they were done; absent: 0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::events {

struct GroupRecord {
  std::uint64_t generation = 0;
  std::uint32_t partitions = 1;
  std::uint32_t deliveries_max = 0;
  std::string dead_letters;
};

struct MemberRecord {
  std::int64_t expires = 0;
  std::int64_t session = 0;
};

struct PendingRecord {
  std::int64_t claimed = 0;
  std::uint32_t deliveries = 0;
  std::string consumer;
};

std::string group_prefix(std::uint64_t stream, std::string_view group);
std::string group_key(std::uint64_t stream, std::string_view group);
std::string committed_key(std::uint64_t stream, std::string_view group, std::uint64_t partition);
std::string committed_prefix(std::uint64_t stream, std::string_view group);
std::string members_prefix(std::uint64_t stream, std::string_view group);
std::string member_key(std::uint64_t stream, std::string_view group, std::string_view member);
std::string pending_prefix(std::uint64_t stream, std::string_view group);
std::string pending_key(std::uint64_t stream, std::string_view group, std::uint64_t offset);

std::string lost_key(std::uint64_t stream, std::string_view group);

std::string encode(const GroupRecord& record);
std::string encode(const MemberRecord& record);
std::string encode(const PendingRecord& record);
bool decode(std::string_view bytes, GroupRecord& record);
bool decode(std::string_view bytes, MemberRecord& record);
bool decode(std::string_view bytes, PendingRecord& record);
/// Bytes of an escaped name, as they were.
std::string unescaped(std::string_view name);

}  // namespace stele::events
