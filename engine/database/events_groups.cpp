// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/groups.h>

#include "engine/database/event_scope.h"
#include "engine/events/groups.h"

namespace stele {

using transaction::Reader;

namespace {

/// Runs `body(Groups&)` over a group's verbs.
template <class Body>
auto with(const detail::Scope& scope, const std::string& stream, const std::string& group, Body&& body) {
  const events::Streams streams = detail::stream_verbs(scope, stream);
  return body(events::Groups(streams, group, scope.core->store->sync_group().durable()));
}

}  // namespace

GroupReader StreamReader::group(std::string_view group) const {
  return GroupReader(scope(), name_, std::string(group));
}
Group Stream::group(std::string_view group) const { return Group(scope(), name_, std::string(group)); }

std::vector<std::string> StreamReader::groups() const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return events::list_groups(reader, detail::stream_verbs(*scope(), name_).extent(reader).stream);
  });
}

GroupReader::GroupReader(std::shared_ptr<detail::Scope> scope, std::string stream, std::string name)
    : scope_(std::move(scope)), stream_(std::move(stream)), name_(std::move(name)) {}

const std::shared_ptr<detail::Scope>& GroupReader::scope() const { return detail::held(scope_, "group"); }

Poll GroupReader::poll(std::size_t limit) const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return with(*scope(), stream_, name_, [&](auto&& group) { return group.poll(reader, limit); });
  });
}

GroupLag GroupReader::lag() const {
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return with(*scope(), stream_, name_, [&](auto&& group) { return group.lag(reader); }); });
}

std::vector<GroupMember> GroupReader::members() const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return with(*scope(), stream_, name_, [&](auto&& group) { return group.members(reader); });
  });
}

std::vector<PendingEvent> GroupReader::pending(std::size_t limit) const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return with(*scope(), stream_, name_, [&](auto&& group) { return group.pending(reader, limit); });
  });
}

namespace {

/// Runs `body(Groups&, Transaction&)`.
template <class Body>
auto write(const detail::Scope& scope, const std::string& stream, const std::string& group, Body&& body) {
  return scope.write([&](transaction::Transaction& own) {
    return with(scope, stream, group, [&](auto&& verbs) { return body(verbs, own); });
  });
}

}  // namespace

void Group::create(const GroupOptions& options) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.create(own, options); });
}

bool Group::drop() {
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.drop(own); });
}

Poll Group::poll(const PollOptions& options) {
  if (options.member.empty()) return GroupReader::poll(options.limit);
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.poll(own, options); });
}

void Group::commit(const Poll& polled) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.commit(own, polled); });
}

void Group::commit(std::uint64_t offset) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.commit(own, offset); });
}

void Group::seek(std::uint64_t offset) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.seek(own, offset); });
}

void Group::seek_to_beginning() {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.seek_to_beginning(own); });
}

void Group::seek_to_end() {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.seek_to_end(own); });
}

void Group::seek(Timestamp time) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.seek(own, time); });
}

void Group::join(std::string_view member, std::chrono::milliseconds session) {
  write(*scope(), stream_, name_, [&](auto& group, auto& own) { group.join(own, member, session); });
}

bool Group::leave(std::string_view member) {
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.leave(own, member); });
}

Claims Group::claim(const ClaimOptions& options) {
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.claim(own, options); });
}

std::uint64_t Group::ack(std::span<const std::uint64_t> offsets) {
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.ack(own, offsets); });
}

std::uint64_t Group::nack(std::span<const std::uint64_t> offsets) {
  return write(*scope(), stream_, name_, [&](auto& group, auto& own) { return group.nack(own, offsets); });
}

}  // namespace stele
