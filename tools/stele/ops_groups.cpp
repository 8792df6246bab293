// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/groups.h>

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/model/value.h"
#include "tools/stele/event_json.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

/// Runs `body(Group)` in the request's transaction, or in one of its own.
template <class Body>
auto in_group(Session& session, const Request& request, Body&& body) {
  const std::string stream = request.name_field("stream");
  const std::string group = request.name_field("group");
  return session.write(request, [&](Transaction& tx) { return body(tx.stream(stream).group(group)); });
}

template <class Body>
auto read_group(Session& session, const Request& request, Body&& body) {
  const std::string stream = request.name_field("stream");
  const std::string group = request.name_field("group");
  return session.read(request, [&](const Snapshot& at) { return body(at.stream(stream).group(group)); });
}

std::string text_or_empty(const Request& request, std::string_view field) {
  return request.has(field) ? request.text(field) : "";
}

std::vector<std::uint64_t> offsets_of(const Request& request) {
  std::vector<std::uint64_t> offsets;
  for (const std::string_view json : request.array("offsets")) {
    const model::Value value = model::parse(json);
    if (!value.is_integer() || value.integer() < 0)
      request.refuse("offsets", "holds something that is not an integer of 0 or more");
    offsets.push_back(static_cast<std::uint64_t>(value.integer()));
  }
  return offsets;
}

std::uint32_t small_number(const Request& request, std::string_view field, std::uint32_t otherwise) {
  const std::uint64_t number = request.number(field).value_or(otherwise);
  if (number > UINT32_MAX) request.refuse(field, "is too large");
  return static_cast<std::uint32_t>(number);
}

void create_group(Session& session, const Request& request, Answer&) {
  const GroupOptions options{small_number(request, "partitions", 1), small_number(request, "deliveries_max", 0),
                             text_or_empty(request, "dead_letters")};
  in_group(session, request, [&](Group group) { group.create(options); });
}

void drop_group(Session& session, const Request& request, Answer& answer) {
  answer.add_boolean("dropped", in_group(session, request, [](Group group) { return group.drop(); }));
}

void poll(Session& session, const Request& request, Answer& answer) {
  PollOptions options;
  options.limit = request.number("limit").value_or(options.limit);
  options.member = text_or_empty(request, "member");
  const Poll polled =
      options.member.empty()
          ? read_group(session, request, [&](const GroupReader& group) { return group.poll(options.limit); })
          : in_group(session, request, [&](Group group) { return group.poll(options); });
  JsonArray events;
  for (const Event& event : polled.events) events.add(event_json(event));
  answer.add_json("events", std::move(events).str());
  answer.add("next", polled.next);
  answer.add("generation", polled.generation);
}

void commit_group(Session& session, const Request& request, Answer&) {
  const auto offset = request.number("offset");
  if (!offset) request.refuse("offset", "is missing: the \"next\" that group_poll answered");
  const auto generation = request.number("generation");
  const std::string member = text_or_empty(request, "member");
  if (!member.empty() && !generation)
    request.refuse("generation", "is missing: a member gives what group_poll answered");
  in_group(session, request, [&](Group group) {
    if (generation) {
      group.commit(Poll{{}, *offset, *generation, member});
    } else {
      group.commit(*offset);
    }
  });
}

void seek(Session& session, const Request& request, Answer& answer) {
  const std::string to = text_or_empty(request, "to");
  const auto offset = request.number("offset");
  const auto time = time_field(request, "time");
  if (!to.empty() + offset.has_value() + time.has_value() != 1 || (!to.empty() && to != "beginning" && to != "end"))
    request.refuse("to", "must be \"beginning\" or \"end\"; or give \"offset\", or \"time\", and only one of them");
  answer.add("committed", in_group(session, request, [&](Group group) {
               if (offset) group.seek(*offset);
               if (time) group.seek(*time);
               if (to == "beginning") group.seek_to_beginning();
               if (to == "end") group.seek_to_end();
               return group.lag().committed;
             }));
}

void lag(Session& session, const Request& request, Answer& answer) {
  const GroupLag lag = read_group(session, request, [](const GroupReader& group) { return group.lag(); });
  answer.add("committed", lag.committed);
  answer.add("end", lag.end);
  answer.add("lag", lag.lag);
  answer.add("pending", lag.pending);
  answer.add("lost", lag.lost);
}

void join(Session& session, const Request& request, Answer&) {
  const std::string member = request.text("member");
  const auto session_time = std::chrono::milliseconds(request.number("session_ms").value_or(30'000));
  in_group(session, request, [&](Group group) { group.join(member, session_time); });
}

void leave(Session& session, const Request& request, Answer& answer) {
  const std::string member = request.text("member");
  answer.add_boolean("left", in_group(session, request, [&](Group group) { return group.leave(member); }));
}

void members_of(Session& session, const Request& request, Answer& answer) {
  JsonArray out;
  for (const GroupMember& member :
       read_group(session, request, [](const GroupReader& group) { return group.members(); })) {
    std::string partitions;
    for (const std::uint32_t partition : member.partitions)
      partitions += (partitions.empty() ? "" : ",") + std::to_string(partition);
    std::string json = "{\"member\":";
    json::append_quoted(json, member.name);
    out.add(json + ",\"partitions\":[" + partitions + "],\"expires\":" + time_json(member.expires) + "}");
  }
  answer.add_json("members", std::move(out).str());
}

void claim(Session& session, const Request& request, Answer& answer) {
  ClaimOptions options;
  options.consumer = text_or_empty(request, "consumer");
  options.count = request.number("count").value_or(1);
  options.min_idle = std::chrono::milliseconds(request.number("min_idle_ms").value_or(30'000));
  const Claims claims = in_group(session, request, [&](Group group) { return group.claim(options); });
  JsonArray events;
  for (const Claimed& claimed : claims.events) {
    std::string json = event_json(claimed.event);
    json.back() = ',';
    events.add(json + text("\"deliveries\":", claimed.deliveries, "}"));
  }
  answer.add_json("events", std::move(events).str());
  answer.add("lost", claims.lost);
}

void ack(Session& session, const Request& request, Answer& answer) {
  const auto offsets = offsets_of(request);
  answer.add("count", in_group(session, request, [&](Group group) { return group.ack(offsets); }));
}

void nack(Session& session, const Request& request, Answer& answer) {
  const auto offsets = offsets_of(request);
  answer.add("count", in_group(session, request, [&](Group group) { return group.nack(offsets); }));
}

void pending(Session& session, const Request& request, Answer& answer) {
  const std::size_t limit = request.number("limit").value_or(1000);
  JsonArray entries;
  for (const PendingEvent& entry :
       read_group(session, request, [&](const GroupReader& group) { return group.pending(limit); })) {
    std::string json = text("{\"offset\":", entry.offset, ",\"consumer\":");
    json::append_quoted(json, entry.consumer);
    const bool nacked = entry.idle == std::chrono::milliseconds::max();
    entries.add(json + text(",\"deliveries\":", entry.deliveries,
                            ",\"idle_ms\":", nacked ? "null" : std::to_string(entry.idle.count()),
                            ",\"lost\":", entry.lost ? "true" : "false", "}"));
  }
  answer.add_json("entries", std::move(entries).str());
}

void groups(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  answer.add_texts("groups", session.read(request, [&](const Snapshot& at) { return at.stream(stream).groups(); }));
}

}  // namespace

std::span<const Operation> group_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"group_poll",
       may,
       true,
       {"stream", "group", "limit", "member"},
       {},
       R"({"op":"group_poll","stream":"activity","group":"billing","limit":100})",
       poll},
      {"group_commit",
       may,
       true,
       {"stream", "group", "offset", "generation", "member"},
       {},
       R"({"op":"group_commit","stream":"activity","group":"billing","offset":2})",
       commit_group},
      {"group_seek",
       may,
       true,
       {"stream", "group", "offset", "time", "to"},
       {},
       R"({"op":"group_seek","stream":"activity","group":"billing","to":"beginning"})",
       seek},
      {"group_lag",
       may,
       false,
       {"stream", "group"},
       {},
       R"({"op":"group_lag","stream":"activity","group":"billing"})",
       lag},
      {"group_create",
       may,
       true,
       {"stream", "group", "partitions", "deliveries_max", "dead_letters"},
       {},
       R"({"op":"group_create","stream":"activity","group":"jobs","deliveries_max":5,"dead_letters":"dead"})",
       create_group},
      {"group_drop",
       may,
       true,
       {"stream", "group"},
       {},
       R"({"op":"group_drop","stream":"activity","group":"jobs"})",
       drop_group},
      {"group_join",
       may,
       true,
       {"stream", "group", "member", "session_ms"},
       {},
       R"({"op":"group_join","stream":"activity","group":"shared","member":"worker 1","session_ms":30000})",
       join},
      {"group_leave",
       may,
       true,
       {"stream", "group", "member"},
       {},
       R"({"op":"group_leave","stream":"activity","group":"shared","member":"worker 1"})",
       leave},
      {"group_members",
       may,
       false,
       {"stream", "group"},
       {},
       R"({"op":"group_members","stream":"activity","group":"shared"})",
       members_of},
      {"group_claim",
       may,
       true,
       {"stream", "group", "consumer", "count", "min_idle_ms"},
       {},
       R"({"op":"group_claim","stream":"activity","group":"jobs","consumer":"worker 1","count":1,"min_idle_ms":30000})",
       claim},
      {"group_ack",
       may,
       true,
       {"stream", "group", "offsets"},
       {},
       R"({"op":"group_ack","stream":"activity","group":"jobs","offsets":[0]})",
       ack},
      {"group_nack",
       may,
       true,
       {"stream", "group", "offsets"},
       {},
       R"({"op":"group_nack","stream":"activity","group":"jobs","offsets":[1]})",
       nack},
      {"group_pending",
       may,
       false,
       {"stream", "group", "limit"},
       {},
       R"({"op":"group_pending","stream":"activity","group":"jobs"})",
       pending},
      {"groups", may, false, {"stream"}, {}, R"({"op":"groups","stream":"activity"})", groups},
  };
  return operations;
}

}  // namespace stele::tool
