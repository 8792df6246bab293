// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The per-message mode of consumer groups: a queue of jobs over a stream. The place of partition 0 is what has been
// claimed at least once; what was claimed and not acked is pending.
#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/key_codec.h"
#include "engine/events/groups.h"

#include <algorithm>
#include <limits>

namespace stele::events {

using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

constexpr std::int64_t at_once = std::numeric_limits<std::int64_t>::min();  // nacked
constexpr std::size_t claims_max = 10'000;

}  // namespace

std::optional<Event> Groups::event_at(Reader& reader, const Extent& at, std::uint64_t offset) const {
  Wanted wanted;
  wanted.from = offset;
  wanted.to = offset + 1;
  const auto cursor = open_cursor(reader, nullptr, at, std::move(wanted));
  const Event* event = cursor->next();
  return event ? std::optional(*event) : std::nullopt;
}

void Groups::bury(Transaction& own, const GroupRecord& record, const Event& event, std::uint32_t deliveries) const {
  if (record.dead_letters.empty()) return;
  std::string about = "{\"stream\":";
  json::append_quoted(about, streams_.name());
  about += ",\"group\":";
  json::append_quoted(about, group_);
  about += text(",\"offset\":", *event.offset, ",\"deliveries\":", deliveries);
  const auto send = [&](std::string_view rest) {
    const NewEvent letter{event.key, text(about, rest), {}};
    streams_.other(record.dead_letters).append(own, std::span(&letter, 1));
  };
  try {
    send(text(",\"data\":", event.data, "}"));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::too_large) throw;
    send("}");  // its data has no room in a letter, and must not keep the jobs behind it waiting
  }
}

Claims Groups::claim(Transaction& own, const ClaimOptions& options) const {
  if (options.count > claims_max || options.min_idle.count() < 0)
    fail(ErrorCode::invalid,
         text("group \"", group_, "\": claim of ", options.count, " events idle for ", options.min_idle.count(),
              " ms; give a count up to ", claims_max, " and an idle time of 0 or more"),
         {{"reason", "InvalidClaim"}});
  if (!options.consumer.empty()) check_group_name("consumer", options.consumer);
  const Extent at = stream(own);
  const GroupRecord record = find_or_create(own, at.stream);
  if (record.partitions > 1)
    fail(ErrorCode::invalid,
         text("group \"", group_, "\": it shares events out by partitions; claim from a group with one"),
         {{"reason", "HasPartitions"}});
  Claims claims;
  std::vector<Claimed>& claimed = claims.events;
  const auto give = [&](Event event, std::uint32_t deliveries) {
    own.writes().put(Keyspace::events, pending_key(at.stream, group_, *event.offset),
                     encode(PendingRecord{own.time_us(), deliveries, options.consumer}));
    claimed.push_back({std::move(event), deliveries});
  };

  std::int64_t idle_us = 0;
  std::int64_t idle_since = at_once;
  if (!__builtin_mul_overflow(static_cast<std::int64_t>(options.min_idle.count()), std::int64_t{1000}, &idle_us) &&
      __builtin_sub_overflow(own.time_us(), idle_us, &idle_since))
    idle_since = at_once;
  const std::string prefix = pending_prefix(at.stream, group_);
  const auto is_dead = [&](const PendingRecord& pending) {
    return record.deliveries_max > 0 && pending.deliveries >= record.deliveries_max;
  };
  std::vector<std::pair<std::uint64_t, PendingRecord>> again;
  {
    std::size_t living = 0;
    const auto scan = own.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
    while (living < options.count && again.size() < claims_max && scan->next()) {
      own.interrupt().check();
      PendingRecord pending;
      if (!decode(scan->value(), pending)) damaged(text("group \"", group_, "\""), "a pending event");
      // Only what is taken is bound: acks of other events do not conflict with this.
      if (pending.claimed > idle_since) continue;
      own.note_read(Keyspace::events, scan->key(), Record::binding);
      const std::uint64_t offset = big_endian(scan->key().substr(prefix.size()));
      living += offset >= at.earliest && !is_dead(pending);
      again.emplace_back(offset, std::move(pending));
    }
  }
  for (auto& [offset, pending] : again) {
    auto event = offset < at.earliest ? std::nullopt : event_at(own, at, offset);
    if (event && !is_dead(pending)) {
      give(std::move(*event), pending.deliveries + 1);
      continue;
    }
    if (event) {
      bury(own, record, *event, pending.deliveries);
    } else {
      ++claims.lost;
    }
    own.writes().erase(Keyspace::events, pending_key(at.stream, group_, offset));
  }

  if (claimed.size() < options.count) {
    const std::uint64_t committed = place(own, at, 0);
    const std::uint64_t from = std::max(committed, at.earliest);
    claims.lost += from - committed;
    const Poll fresh = read(own, at, record, {from}, options.count - claimed.size());
    for (const Event& event : fresh.events) give(event, 1);
    if (fresh.next > committed)
      own.writes().put(Keyspace::events, committed_key(at.stream, group_, 0), fixed_bytes(fresh.next));
  }
  if (claims.lost > 0)
    own.writes().merge(Keyspace::events, lost_key(at.stream, group_), transaction::Merge::add,
                       static_cast<std::int64_t>(claims.lost));
  return claims;
}

template <class Change>
std::uint64_t Groups::change_pending(Transaction& own, std::span<const std::uint64_t> offsets, Change&& change) const {
  const Extent at = stream(own);
  if (!find(own, at.stream))
    fail(ErrorCode::not_found,
         text("group \"", group_, "\" of stream \"", streams_.name(), "\": there is none; it begins with a claim"),
         {{"reason", "NoGroup"}});
  for (const std::uint64_t offset : offsets)
    if (offset >= at.end())
      fail(ErrorCode::out_of_range,
           text("group \"", group_, "\": offset ", offset, " was never claimed; the stream ends at ", at.end()),
           {{"reason", "BadOffset"}, {"earliest", std::to_string(at.earliest)}, {"end", std::to_string(at.end())}});
  std::uint64_t changed = 0;
  std::string bytes;
  for (const std::uint64_t offset : offsets) {
    const std::string key = pending_key(at.stream, group_, offset);
    PendingRecord pending;
    if (!own.get(Keyspace::events, key, bytes, Record::binding)) continue;
    if (!decode(bytes, pending)) damaged(text("group \"", group_, "\""), "a pending event");
    change(key, pending);
    ++changed;
  }
  return changed;
}

std::uint64_t Groups::ack(Transaction& own, std::span<const std::uint64_t> offsets) const {
  // One that stands there twice is found only once.
  return change_pending(
      own, offsets, [&](const std::string& key, const PendingRecord&) { own.writes().erase(Keyspace::events, key); });
}

std::uint64_t Groups::nack(Transaction& own, std::span<const std::uint64_t> offsets) const {
  return change_pending(own, offsets, [&](const std::string& key, PendingRecord& pending) {
    pending.claimed = at_once;
    own.writes().put(Keyspace::events, key, encode(pending));
  });
}

std::vector<PendingEvent> Groups::pending(Reader& reader, std::size_t limit) const {
  const Extent at = stream(reader);
  if (!find(reader, at.stream))
    fail(ErrorCode::not_found,
         text("group \"", group_, "\" of stream \"", streams_.name(), "\": there is none; it begins with a claim"),
         {{"reason", "NoGroup"}});
  std::vector<PendingEvent> out;
  const std::string prefix = pending_prefix(at.stream, group_);
  const auto scan = reader.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
  while (out.size() < limit && scan->next()) {
    PendingRecord pending;
    if (!decode(scan->value(), pending)) damaged(text("group \"", group_, "\""), "a pending event");
    const bool nacked = pending.claimed == at_once;
    const std::uint64_t offset = big_endian(scan->key().substr(prefix.size()));
    out.push_back({offset, std::move(pending.consumer), pending.deliveries,
                   nacked ? std::chrono::milliseconds::max()
                          : std::chrono::milliseconds((reader.time_us() - pending.claimed) / 1000),
                   offset < at.earliest});
  }
  return out;
}

}  // namespace stele::events
