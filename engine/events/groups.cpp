// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/groups.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/base/utf8.h"

#include <algorithm>

namespace stele::events {

using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::uint32_t partitions_max = 1024;

}  // namespace

void check_group_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= name_bytes_max && is_utf8(name) && name.find('\0') == std::string_view::npos)
    return;
  fail(ErrorCode::invalid, text(what, ": a name is 1 to ", name_bytes_max, " bytes of UTF-8 without NUL"),
       {{"reason", "InvalidName"}});
}

Extent Groups::stream(Reader& reader) const {
  check_group_name("group", group_);
  const Extent at = streams_.extent(reader);
  if (at.stream != 0) return at;
  fail(ErrorCode::not_found,
       text("group \"", group_, "\": its stream \"", streams_.name(), "\" does not exist; append to it, or create it"),
       {{"reason", "NoStream"}});
}

std::optional<GroupRecord> Groups::find(Reader& reader, std::uint64_t stream) const {
  std::string bytes;
  if (!reader.get(Keyspace::events, group_key(stream, group_), bytes, Record::binding)) return std::nullopt;
  GroupRecord record;
  if (!decode(bytes, record)) damaged(text("group \"", group_, "\""), "its record");
  return record;
}

GroupRecord Groups::find_or_create(Transaction& own, std::uint64_t stream) const {
  if (auto found = find(own, stream)) return *found;
  GroupRecord made;
  own.writes().put(Keyspace::events, group_key(stream, group_), encode(made));
  return made;
}

void Groups::create(Transaction& own, const GroupOptions& options) const {
  const Extent at = stream(own);
  if (options.partitions < 1 || options.partitions > partitions_max)
    fail(ErrorCode::invalid,
         text("group \"", group_, "\": ", options.partitions, " partitions; give 1 to ", partitions_max),
         {{"reason", "InvalidGroup"}});
  if (!options.dead_letters.empty()) {
    catalog::check_name(catalog::Kind::stream, options.dead_letters);
    const auto refuse = [&](std::string_view why) {
      fail(ErrorCode::invalid, text("group \"", group_, "\": dead letters ", why), {{"reason", "InvalidGroup"}});
    };
    if (options.dead_letters == streams_.name()) refuse("would come back; name another stream");
    if (options.deliveries_max == 0) refuse("are those beyond deliveries_max; give one of 1 or more");
    if (options.partitions > 1) refuse("are of jobs, which a group with one partition has");
  }
  if (find(own, at.stream))
    fail(ErrorCode::exists, text("group \"", group_, "\" of stream \"", streams_.name(), "\": is there already"));
  own.writes().put(Keyspace::events, group_key(at.stream, group_),
                   encode(GroupRecord{0, options.partitions, options.deliveries_max, options.dead_letters}));
}

bool Groups::drop(Transaction& own) const {
  const Extent at = stream(own);
  if (!find(own, at.stream)) return false;
  const std::string prefix = group_prefix(at.stream, group_);
  own.writes().erase_range(Keyspace::events, prefix, key::prefix_end(prefix));
  return true;
}

// ---- places

std::uint64_t Groups::place(Reader& reader, const Extent& at, std::uint64_t partition) const {
  std::string bytes;
  std::uint64_t offset = at.earliest;
  if (!reader.get(Keyspace::events, committed_key(at.stream, group_, partition), bytes, Record::binding)) return offset;
  if (!ByteReader(bytes).fixed(offset)) damaged(text("group \"", group_, "\""), "a committed offset");
  return offset;
}

std::vector<std::optional<std::uint64_t>> Groups::places(Reader& reader, const Extent& at, const GroupRecord& record,
                                                         const Members& members, std::string_view member) const {
  std::vector<std::optional<std::uint64_t>> places(record.partitions);
  std::size_t rank = 0;
  for (const auto& [name, ignored] : members) {
    if (name == member) break;
    ++rank;
  }
  for (std::uint32_t partition = 0; partition < record.partitions; ++partition)
    if (members.empty() || partition % members.size() == rank) places[partition] = place(reader, at, partition);
  return places;
}

Poll Groups::read(Reader& reader, const Extent& at, const GroupRecord& record,
                  const std::vector<std::optional<std::uint64_t>>& places, std::size_t limit) const {
  Wanted wanted;
  wanted.from = at.end();
  for (const auto& place : places) wanted.from = std::min(wanted.from, place.value_or(at.end()));
  Poll polled;
  polled.generation = record.generation;
  polled.next = wanted.from;
  if (limit == 0) return polled;
  if (wanted.from < at.earliest)
    fail(ErrorCode::out_of_range,
         text("group \"", group_, "\": its place ", wanted.from, " is below the earliest event of \"", streams_.name(),
              "\", ", at.earliest, "; seek_to_beginning accepts the gap"),
         {{"reason", "Truncated"}, {"earliest", std::to_string(at.earliest)}, {"end", std::to_string(at.end())}});
  wanted.limit = limit;
  wanted.gseq_max = durable_;
  if (record.partitions > 1) wanted.places = places;
  std::uint64_t scanned = wanted.from;
  const auto cursor = open_cursor(reader, nullptr, at, std::move(wanted), &scanned);
  while (const Event* event = cursor->next()) polled.events.push_back(*event);
  polled.next = polled.events.size() == limit ? *polled.events.back().offset + 1 : scanned;
  return polled;
}

void Groups::require_no_members(Reader& reader, std::uint64_t stream, std::string_view verb) const {
  const Members members = read_members(reader, stream);
  const auto live =
      std::ranges::find_if(members, [&](const auto& member) { return member.second.expires >= reader.time_us(); });
  if (live == members.end()) return;
  fail(ErrorCode::invalid,
       text("group \"", group_, "\": it has members, the first is \"", live->first, "\"; ", verb,
            " as one of them, or let them leave"),
       {{"reason", "fenced"}});
}

void Groups::refuse_member(std::string_view member) const {
  fail(ErrorCode::not_found,
       text("group \"", group_, "\": \"", member.substr(0, 60), "\" is no member (any more); join it, then poll"),
       {{"reason", "unknown_member"}});
}

Poll Groups::poll(Reader& reader, std::size_t limit) const {
  const Extent at = stream(reader);
  const GroupRecord record = find(reader, at.stream).value_or(GroupRecord());
  require_no_members(reader, at.stream, "poll");
  return read(reader, at, record, places(reader, at, record, {}, {}), limit);
}

Poll Groups::poll(Transaction& own, const PollOptions& options) const {
  if (options.member.empty()) return poll(static_cast<Reader&>(own), options.limit);
  const Extent at = stream(own);
  GroupRecord record = find_or_create(own, at.stream);
  Members members = read_members(own, at.stream);
  expire_members(own, at.stream, record, members);
  const auto self = members.find(options.member);
  if (self == members.end()) refuse_member(options.member);
  // Kept alive without a write for every poll.
  if (self->second.expires - own.time_us() < self->second.session / 3 * 2) {
    self->second.expires = own.time_us() + self->second.session;
    own.writes().put(Keyspace::events, member_key(at.stream, group_, options.member), encode(self->second));
  }
  Poll polled = read(own, at, record, places(own, at, record, members, options.member), options.limit);
  polled.member = options.member;
  return polled;
}

void Groups::commit(Transaction& own, const Extent& at, const GroupRecord& record,
                    const std::vector<std::optional<std::uint64_t>>& places, std::uint64_t next) const {
  std::uint64_t least = UINT64_MAX;
  for (const auto& place : places) least = std::min(least, place.value_or(UINT64_MAX));
  if (least == UINT64_MAX) return;  // more members than partitions: nothing is its own
  const auto refuse = [&](std::string_view why) {
    fail(ErrorCode::out_of_range, text("group \"", group_, "\": commit of offset ", next, ": ", why),
         {{"reason", "BadOffset"}, {"committed", std::to_string(least)}, {"end", std::to_string(at.end())}});
  };
  if (next > at.end()) refuse(text("the stream ends at ", at.end()));
  if (next < least) refuse(text("the group is at ", least, " already; seek to go back"));
  const std::string bytes = fixed_bytes(next);
  for (std::uint32_t partition = 0; partition < record.partitions; ++partition)
    if (places[partition] && *places[partition] < next)
      own.writes().put(Keyspace::events, committed_key(at.stream, group_, partition), bytes);
}

void Groups::commit(Transaction& own, const Poll& polled) const {
  const Extent at = stream(own);
  const GroupRecord record = find_or_create(own, at.stream);
  Members members;
  if (polled.member.empty()) {
    require_no_members(own, at.stream, "commit");
  } else {
    members = read_members(own, at.stream);
    const auto self = members.find(polled.member);
    if (self == members.end() || self->second.expires < own.time_us()) refuse_member(polled.member);
  }
  if (record.generation != polled.generation)
    fail(ErrorCode::invalid,
         text("group \"", group_, "\": its members have changed, or its place was moved, since the poll; poll again"),
         {{"reason", "illegal_generation"}});
  commit(own, at, record, places(own, at, record, members, polled.member), polled.next);
}

void Groups::commit(Transaction& own, std::uint64_t offset) const {
  const Extent at = stream(own);
  const GroupRecord record = find_or_create(own, at.stream);
  require_no_members(own, at.stream, "commit");
  commit(own, at, record, places(own, at, record, {}, {}), offset);
}

void Groups::seek(Transaction& own, std::uint64_t offset) const {
  const Extent at = stream(own);
  if (offset < at.earliest || offset > at.end())
    fail(ErrorCode::out_of_range,
         text("group \"", group_, "\": cannot seek to offset ", offset, "; the stream has ", at.earliest, " to ",
              at.end()),
         {{"reason", "BadOffset"}, {"earliest", std::to_string(at.earliest)}, {"end", std::to_string(at.end())}});
  GroupRecord record = find_or_create(own, at.stream);
  ++record.generation;  // what was polled before is not committed after it
  own.writes().put(Keyspace::events, group_key(at.stream, group_), encode(record));
  const std::string pending = pending_prefix(at.stream, group_);
  own.writes().erase_range(Keyspace::events, pending, key::prefix_end(pending));
  const std::string bytes = fixed_bytes(offset);
  for (std::uint32_t partition = 0; partition < record.partitions; ++partition) {
    place(own, at, partition);  // binds
    own.writes().put(Keyspace::events, committed_key(at.stream, group_, partition), bytes);
  }
}

void Groups::seek_to_beginning(Transaction& own) const { seek(own, stream(own).earliest); }
void Groups::seek_to_end(Transaction& own) const { seek(own, stream(own).end()); }

void Groups::seek(Transaction& own, Timestamp time) const {
  const Extent at = stream(own);
  Wanted wanted;
  wanted.from_time = time.time_since_epoch().count();
  wanted.limit = 1;
  const auto cursor = open_cursor(own, nullptr, at, std::move(wanted));
  const Event* first = cursor->next();
  seek(own, first ? *first->offset : at.end());
}

GroupLag Groups::lag(Reader& reader) const {
  const Extent at = stream(reader);
  const auto record = find(reader, at.stream);
  if (!record)
    fail(ErrorCode::not_found,
         text("group \"", group_, "\" of stream \"", streams_.name(), "\": there is none; it begins with a commit"),
         {{"reason", "NoGroup"}});
  GroupLag lag;
  lag.end = at.end();
  lag.committed = at.end();
  for (std::uint32_t partition = 0; partition < record->partitions; ++partition)
    lag.committed = std::min(lag.committed, place(reader, at, partition));
  lag.lag = lag.end - std::max(lag.committed, at.earliest);
  const std::string prefix = pending_prefix(at.stream, group_);
  const auto scan = reader.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next()) ++lag.pending;
  std::string bytes;
  std::int64_t lost = 0;
  if (reader.get(Keyspace::events, lost_key(at.stream, group_), bytes) && !ByteReader(bytes).fixed(lost))
    damaged(text("group \"", group_, "\""), "its count of lost jobs");
  lag.lost = static_cast<std::uint64_t>(lost);
  return lag;
}

// ---- members

Groups::Members Groups::read_members(Reader& reader, std::uint64_t stream) const {
  Members members;
  const std::string prefix = members_prefix(stream, group_);
  // Who joins or leaves also writes the group's record, which everybody reads.
  const auto scan = reader.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next())
    if (!decode(scan->value(), members[unescaped(scan->key().substr(prefix.size()))]))
      damaged(text("group \"", group_, "\""), "a member");
  return members;
}

void Groups::expire_members(Transaction& own, std::uint64_t stream, GroupRecord& record, Members& members) const {
  const std::size_t before = members.size();
  std::erase_if(members, [&](const auto& member) {
    if (member.second.expires >= own.time_us()) return false;
    const std::string key = member_key(stream, group_, member.first);
    own.note_read(Keyspace::events, key, Record::binding);  // who polls meanwhile stays
    own.writes().erase(Keyspace::events, key);
    return true;
  });
  if (members.size() == before) return;
  ++record.generation;
  own.writes().put(Keyspace::events, group_key(stream, group_), encode(record));
}

void Groups::join(Transaction& own, std::string_view member, std::chrono::milliseconds session) const {
  check_group_name("member", member);
  if (session.count() <= 0 || session > std::chrono::hours(24 * 365))
    fail(ErrorCode::invalid,
         text("group \"", group_, "\": a session of ", session.count(), " ms; give more than 0 and at most a year"),
         {{"reason", "InvalidSession"}});
  const Extent at = stream(own);
  GroupRecord record = find_or_create(own, at.stream);
  Members members = read_members(own, at.stream);
  expire_members(own, at.stream, record, members);  // the name itself, too: it is given a new generation
  const std::int64_t session_us = static_cast<std::int64_t>(session.count()) * 1000;
  const std::string key = member_key(at.stream, group_, member);
  std::string bytes;
  if (!own.get(Keyspace::events, key, bytes, Record::binding)) {
    ++record.generation;
    own.writes().put(Keyspace::events, group_key(at.stream, group_), encode(record));
  }
  own.writes().put(Keyspace::events, key, encode(MemberRecord{own.time_us() + session_us, session_us}));
}

bool Groups::leave(Transaction& own, std::string_view member) const {
  const Extent at = stream(own);
  auto record = find(own, at.stream);
  const std::string key = member_key(at.stream, group_, member);
  std::string bytes;
  if (!record || !own.get(Keyspace::events, key, bytes, Record::binding)) return false;
  own.writes().erase(Keyspace::events, key);
  ++record->generation;
  own.writes().put(Keyspace::events, group_key(at.stream, group_), encode(*record));
  return true;
}

std::vector<GroupMember> Groups::members(Reader& reader) const {
  const Extent at = stream(reader);
  const GroupRecord record = find(reader, at.stream).value_or(GroupRecord());
  const Members members = read_members(reader, at.stream);
  std::vector<GroupMember> out;
  for (const auto& [name, member] : members) {
    GroupMember& shown = out.emplace_back();
    shown.name = name;
    shown.expires = Timestamp(std::chrono::microseconds(member.expires));
    for (std::uint32_t partition = 0; partition < record.partitions; ++partition)
      if (partition % members.size() == out.size() - 1) shown.partitions.push_back(partition);
  }
  return out;
}

std::vector<std::string> list_groups(Reader& reader, std::uint64_t stream) {
  std::vector<std::string> names;
  const std::string prefix = groups_prefix(stream);
  const auto scan = reader.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next()) {
    std::string name = unescaped(scan->key().substr(prefix.size()));
    if (scan->key() == group_key(stream, name)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace stele::events
