// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A consumer group is a named place in a stream: how far its events have been processed. It comes into being when
// something is committed or claimed in it, and begins at the earliest event.
//
// Exactly once: poll, do the work and commit in one transaction; then effects and place are on disk together or not at
// all.
//
//   db.write([](stele::Transaction& tx) {
//     auto group = tx.stream("activity").group("billing");
//     auto polled = group.poll();
//     for (const auto& event : polled.events) tx.sql("INSERT INTO bill …", …);
//     group.commit(polled);
//   });
//
// Several consumers: a group with partitions shares its events out by the hash of their keys to the members that
// joined, so each key is one member's, in order. Or each event by itself, in any order, as a queue of jobs: claim, then
// ack or nack; what is neither in time is delivered again, and after too many deliveries goes to a stream of dead
// letters.
//
// A poll or claim gives durable events only: those that no crash can take back. Names of groups, members and consumers
// are up to 255 bytes of UTF-8 without NUL. Handles are as those of streams.
#pragma once

#include <stele/events.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace stele {

struct GroupOptions {
  std::uint32_t partitions = 1;      // 1 to 1024: so many members at most have something to do
  std::uint32_t deliveries_max = 0;  // claims of one event; then it is a dead letter; 0: no bound
  /// The stream that dead letters go to, as {"stream","group","offset","deliveries","data"} under their key; not the
  /// group's own; comes into being with the first of them. Empty: nowhere. Wants a bound, and one partition.
  std::string dead_letters = {};
};

struct PollOptions {
  std::size_t limit = 500;
  std::string member = {};  // one that has joined; empty: all of the group's events, in a group without members
};

struct Poll {
  std::vector<Event> events;
  std::uint64_t next = 0;        // the place behind them, to commit
  std::uint64_t generation = 0;  // of the members' shares
  std::string member = {};
};

struct GroupLag {
  std::uint64_t committed = 0;  // the lowest of its partitions
  std::uint64_t end = 0;        // of the stream
  std::uint64_t lag = 0;        // events from the committed place on
  std::uint64_t pending = 0;    // claimed and neither acked nor dead
  std::uint64_t lost = 0;       // of Claims::lost, all together
};

struct GroupMember {
  std::string name;
  std::vector<std::uint32_t> partitions;
  Timestamp expires;  // unless it polls again
};

struct ClaimOptions {
  std::string consumer = {};  // who asks, for pending(); up to 255 bytes of UTF-8
  std::size_t count = 1;
  std::chrono::milliseconds min_idle{30'000};  // events claimed so long ago and not acked are given again
};

struct Claimed {
  Event event;
  std::uint32_t deliveries = 1;  // this one included
};

struct Claims {
  std::vector<Claimed> events;
  /// Jobs that retention or truncate removed before they were acked, found missing by this claim. They are skipped: one
  /// that is gone does not keep the others waiting.
  std::uint64_t lost = 0;
};

struct PendingEvent {
  std::uint64_t offset = 0;
  std::string consumer;
  std::uint32_t deliveries = 0;
  std::chrono::milliseconds idle{0};  // since it was claimed; nacked ones are as idle as can be
  bool lost = false;                  // no longer in the stream: ack it, or a claim takes it out and counts it
};

class GroupReader {
 public:
  GroupReader(std::shared_ptr<detail::Scope> scope, std::string stream, std::string name);

  const std::string& name() const noexcept { return name_; }

  /// From the committed place on; for a group without members. out_of_range when retention has overtaken it: seek.
  Poll poll(std::size_t limit = 500) const;
  /// `not_found` for an unknown group; the other calls see one that is at the earliest event.
  GroupLag lag() const;
  std::vector<GroupMember> members() const;
  /// Claimed events, by offset.
  std::vector<PendingEvent> pending(std::size_t limit = 1000) const;

 protected:
  const std::shared_ptr<detail::Scope>& scope() const;
  std::shared_ptr<detail::Scope> scope_;
  std::string stream_;
  std::string name_;
};

class Group : public GroupReader {
 public:
  using GroupReader::GroupReader;

  /// Makes the group; `exists` when it is there.
  void create(const GroupOptions& options);
  /// False: there was none.
  bool drop();

  using GroupReader::poll;
  /// For a member; keeps it alive.
  Poll poll(const PollOptions& options);
  /// All that was polled is processed, in the name of the member that polled. Refused, as in Kafka, by reason:
  /// unknown_member (not_found): its session has ended, or it left: join again; fenced (invalid): it was polled without
  /// a name, and there are members now; illegal_generation (invalid): the shares have changed since, or somebody has
  /// sought: poll again. Then nothing has changed, and the events are others' to process.
  void commit(const Poll& polled);
  /// Everything below `offset` is processed; for a group without members. Beyond the end and before the committed place
  /// are out_of_range.
  void commit(std::uint64_t offset);

  /// Moves the place, forward or back; claimed events are forgotten.
  void seek(std::uint64_t offset);
  void seek_to_beginning();
  void seek_to_end();
  void seek(Timestamp time);  // to the first event that is not earlier

  /// A member takes part until it leaves, or has not polled for `session`. Others get a share of its partitions, or
  /// give some up, at their next poll. Again: nothing changes but the session; when it had ended, the member is a new
  /// one, and what it polled before is not committed any more. `session`: more than 0, up to a year.
  void join(std::string_view member, std::chrono::milliseconds session = std::chrono::seconds(30));
  /// False: it was none.
  bool leave(std::string_view member);

  /// Up to `count` events (at most 10,000): those claimed and not acked for `min_idle` first, then new ones. For groups
  /// of one partition.
  Claims claim(const ClaimOptions& options);
  /// Those events are done, or are to be given again at once. How many of them were pending: one acked before, or never
  /// claimed, changes nothing. Beyond the end: out_of_range.
  std::uint64_t ack(std::span<const std::uint64_t> offsets);
  std::uint64_t nack(std::span<const std::uint64_t> offsets);
};

}  // namespace stele
