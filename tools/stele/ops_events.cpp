// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/value.h"
#include "tools/stele/bytes_json.h"
#include "tools/stele/event_json.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

#include <algorithm>
#include <chrono>

namespace stele::tool {

std::string event_json(const Event& event) {
  return text("{\"offset\":", event.offset ? std::to_string(*event.offset) : "null",
              ",\"time\":", time_json(event.time), ",\"key\":", bytes_json(event.key), ",\"data\":", event.data, "}");
}

namespace {

NewEvent read_event(const Request& request, std::string_view json) {
  NewEvent event;
  event.data = json;
  if (json.front() != '{') return event;
  const auto outer = members(json);
  if (std::ranges::find(outer, "$event", &RawMember::name) == outer.end()) return event;
  if (outer.size() != 1 || outer.front().value.front() != '{')
    request.refuse("events",
                   "holds \"$event\" with other members beside it, or not an object: "
                   "{\"$event\":{\"key\":…,\"time\":…,\"data\":…}}");
  event.data = "null";
  for (const RawMember& member : members(outer.front().value)) {
    if (member.name == "data") {
      event.data = member.value;
    } else if (member.name == "key") {
      event.key = bytes_from(request, "key", member.value);
    } else if (member.name == "time") {
      event.time = read_time(member.value);
      if (!event.time)
        request.refuse("events",
                       "holds a \"time\" that is neither {\"$date\":\"2024-01-02T03:04:05.678Z\"} (to the microsecond)"
                       " nor an integer of microseconds since 1970");
    } else {
      request.refuse("events", text("holds an \"$event\" with the unknown member \"", member.name.substr(0, 60),
                                    "\"; known are key, time, data"));
    }
  }
  return event;
}

void append(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  std::vector<NewEvent> events;
  for (const std::string_view json : request.array("events")) events.push_back(read_event(request, json));
  session.write(request, [&](Transaction& tx) { tx.stream(name).append(events); });
  // Nobody else appends: this process has the database, and one request runs at a time.
  if (request.has("tx") || events.empty()) {
    answer.add_json("first_offset", "null");
  } else {
    answer.add("first_offset", session.database().stream(name).end_offset() - events.size());
  }
  answer.add("count", events.size());
}

EventQuery query_of(const Request& request) {
  EventQuery query;
  query.from = request.number("from");
  query.to = request.number("to");
  query.from_time = time_field(request, "from_time");
  query.to_time = time_field(request, "to_time");
  if (request.has("key")) query.key = bytes_from(request, "key", request.raw("key"));
  if (request.has("filter")) query.filter = request.object("filter");
  query.backward = request.boolean("backward", false);
  query.limit = request.number("limit");
  return query;
}

void read(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const EventQuery query = query_of(request);
  JsonArray events;
  session.read(request, [&](const Snapshot& at) {
    Events found = at.stream(name).find(query);
    while (const Event* event = found.next()) events.add(event_json(*event));
  });
  answer.add_json("events", std::move(events).str());
}

void tail(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const auto timeout = std::chrono::milliseconds(request.number("timeout_ms").value_or(0));
  const std::size_t limit = request.number("limit").value_or(1000);
  Tail tail = session.database().stream(name, session.write_options(request)).tail(request.number("from"));
  JsonArray events;
  for (const Event& event : tail.wait(timeout, limit)) events.add(event_json(event));
  answer.add_json("events", std::move(events).str());
  answer.add("next", tail.position());
}

StreamOptions stream_options(const Request& request) {
  StreamOptions options;
  if (!request.has("retention")) return options;
  for (const RawMember& member : members(request.object("retention"))) {
    const model::Value value = model::parse(member.value);
    if (!value.is_integer() || value.integer() < 0)
      request.refuse("retention",
                     text("holds \"", member.name.substr(0, 60), "\", which is not an integer of 0 or more"));
    if (member.name == "age_ms") {
      options.retention.age = std::chrono::milliseconds(value.integer());
    } else if (member.name == "bytes") {
      options.retention.bytes = static_cast<std::uint64_t>(value.integer());
    } else if (member.name == "count") {
      options.retention.count = static_cast<std::uint64_t>(value.integer());
    } else {
      request.refuse("retention", text("holds the unknown member \"", member.name.substr(0, 60),
                                       "\"; known are age_ms, bytes, count"));
    }
  }
  return options;
}

void create_stream(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("stream");
  const StreamOptions options = stream_options(request);
  session.write(request, [&](Transaction& tx) { tx.stream(name).create(options); });
}

void modify_stream(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("stream");
  const StreamOptions options = stream_options(request);
  session.write(request, [&](Transaction& tx) { tx.stream(name).modify(options); });
}

void drop_stream(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const bool dropped = session.write(request, [&](Transaction& tx) { return tx.stream(name).drop(); });
  answer.add_boolean("dropped", dropped);
}

void truncate(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const auto before = request.number("before");
  if (!before) request.refuse("before", "is missing: the offset below which events go");
  answer.add("earliest", session.write(request, [&](Transaction& tx) {
    tx.stream(name).truncate(*before);
    return tx.stream(name).stats().earliest;
  }));
}

void stream_stats(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const StreamStats stats = session.read(request, [&](const Snapshot& at) { return at.stream(name).stats(); });
  answer.add("earliest", stats.earliest);
  answer.add("end", stats.end);
  answer.add("bytes", stats.bytes);
}

void streams(Session& session, const Request& request, Answer& answer) {
  answer.add_texts("streams", session.read(request, [](const Snapshot& at) { return at.streams(); }));
}

}  // namespace

std::span<const Operation> event_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"append",
       may,
       true,
       {"stream", "events"},
       {},
       R"({"op":"append","stream":"activity","events":[{"did":"login"},{"$event":{"key":"ada","data":{"did":"read"}}}]})",
       append},
      {"read",
       may,
       false,
       {"stream", "from", "to", "from_time", "to_time", "key", "filter", "backward", "limit"},
       {},
       R"({"op":"read","stream":"activity","key":"ada","from_time":{"$date":"2024-01-02T00:00:00Z"},"limit":100})",
       read},
      {"tail",
       none,
       false,
       {"stream", "from", "timeout_ms", "limit"},
       {},
       R"({"op":"tail","stream":"activity","from":2,"timeout_ms":1000})",
       tail},
      {"create_stream",
       may,
       true,
       {"stream", "retention"},
       {},
       R"({"op":"create_stream","stream":"clicks","retention":{"age_ms":86400000,"bytes":1000000000,"count":1000000}})",
       create_stream},
      {"modify_stream",
       may,
       true,
       {"stream", "retention"},
       {},
       R"({"op":"modify_stream","stream":"clicks","retention":{"count":5000}})",
       modify_stream},
      {"truncate",
       may,
       true,
       {"stream", "before"},
       {},
       R"({"op":"truncate","stream":"activity","before":1})",
       truncate},
      {"stream_stats", may, false, {"stream"}, {}, R"({"op":"stream_stats","stream":"activity"})", stream_stats},
      {"drop_stream", may, true, {"stream"}, {}, R"({"op":"drop_stream","stream":"clicks"})", drop_stream},
      {"streams", may, false, {}, {}, R"({"op":"streams"})", streams},
  };
  return operations;
}

}  // namespace stele::tool
