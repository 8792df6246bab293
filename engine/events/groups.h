// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Consumer groups: the verbs of <stele/groups.h>. What decides who processes an event (the group's record, the
// committed place, a claim) is read so that it binds at every isolation level.
#pragma once

#include "engine/events/group_records.h"
#include "engine/events/streams.h"

#include <stele/groups.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::events {

/// `invalid` for what no group, member or consumer may be called; `what` says which of them it is.
void check_group_name(std::string_view what, std::string_view name);

class Groups {
 public:
  /// `durable`: events of later commits are not given.
  Groups(const Streams& streams, std::string_view group, std::uint64_t durable)
      : streams_(streams), group_(group), durable_(durable) {}

  void create(transaction::Transaction& own, const GroupOptions& options) const;
  bool drop(transaction::Transaction& own) const;

  Poll poll(transaction::Reader& reader, std::size_t limit) const;
  Poll poll(transaction::Transaction& own, const PollOptions& options) const;
  void commit(transaction::Transaction& own, const Poll& polled) const;
  void commit(transaction::Transaction& own, std::uint64_t offset) const;
  void seek(transaction::Transaction& own, std::uint64_t offset) const;
  void seek_to_beginning(transaction::Transaction& own) const;
  void seek_to_end(transaction::Transaction& own) const;
  void seek(transaction::Transaction& own, Timestamp time) const;
  GroupLag lag(transaction::Reader& reader) const;

  std::vector<GroupMember> members(transaction::Reader& reader) const;
  void join(transaction::Transaction& own, std::string_view member, std::chrono::milliseconds session) const;
  bool leave(transaction::Transaction& own, std::string_view member) const;

  Claims claim(transaction::Transaction& own, const ClaimOptions& options) const;
  std::uint64_t ack(transaction::Transaction& own, std::span<const std::uint64_t> offsets) const;
  std::uint64_t nack(transaction::Transaction& own, std::span<const std::uint64_t> offsets) const;
  std::vector<PendingEvent> pending(transaction::Reader& reader, std::size_t limit) const;

 private:
  using Members = std::map<std::string, MemberRecord>;

  Extent stream(transaction::Reader& reader) const;  // `not_found` when there is none
  std::optional<GroupRecord> find(transaction::Reader& reader, std::uint64_t stream) const;
  GroupRecord find_or_create(transaction::Transaction& own, std::uint64_t stream) const;
  Members read_members(transaction::Reader& reader, std::uint64_t stream) const;
  void expire_members(transaction::Transaction& own, std::uint64_t stream, GroupRecord& record, Members& members) const;
  /// From where on each partition is to be read; nullopt: not this member's.
  std::vector<std::optional<std::uint64_t>> places(transaction::Reader& reader, const Extent& at,
                                                   const GroupRecord& record, const Members& members,
                                                   std::string_view member) const;
  std::uint64_t place(transaction::Reader& reader, const Extent& at, std::uint64_t partition) const;
  Poll read(transaction::Reader& reader, const Extent& at, const GroupRecord& record,
            const std::vector<std::optional<std::uint64_t>>& places, std::size_t limit) const;
  void commit(transaction::Transaction& own, const Extent& at, const GroupRecord& record,
              const std::vector<std::optional<std::uint64_t>>& places, std::uint64_t next) const;
  void require_no_members(transaction::Reader& reader, std::uint64_t stream, std::string_view verb) const;
  [[noreturn]] void refuse_member(std::string_view member) const;
  void bury(transaction::Transaction& own, const GroupRecord& record, const Event& event,
            std::uint32_t deliveries) const;
  std::optional<Event> event_at(transaction::Reader& reader, const Extent& at, std::uint64_t offset) const;
  template <class Change>
  std::uint64_t change_pending(transaction::Transaction& own, std::span<const std::uint64_t> offsets,
                               Change&& change) const;

  const Streams& streams_;
  std::string_view group_;
  std::uint64_t durable_;
};

std::vector<std::string> list_groups(transaction::Reader& reader, std::uint64_t stream);

}  // namespace stele::events
