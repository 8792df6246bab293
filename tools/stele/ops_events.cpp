// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/extended_json.h"
#include "engine/model/value.h"
#include "tools/stele/event_time.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

#include <algorithm>
#include <limits>

namespace stele::tool {

namespace {

constexpr std::size_t events_per_read = 1000;

std::string read_key(const Request& request, std::string_view json) {
  if (json.front() == '"') return json::unquoted(json);
  const model::Value value = model::parse(json);
  if (value.type() != model::Type::binary)
    request.refuse("events", text("holds an event whose key is ", kind_of(json), ", not a string or {\"$binary\":…}"));
  return value.binary().bytes;
}

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
      event.key = read_key(request, member.value);
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

std::string event_json(const Event& event) {
  std::string out = text("{\"offset\":", event.offset ? std::to_string(*event.offset) : "null",
                         ",\"time\":", time_json(event.time), ",\"key\":");
  if (is_utf8(event.key)) {
    json::append_quoted(out, event.key);
  } else {
    model::append_extended_json(out, model::Binary{0, event.key});
  }
  return out + ",\"data\":" + event.data + "}";
}

/// All events from `from` on, up to `limit`, a piece at a time; the transaction's own come last, in the last piece.
void read_events(const StreamReader& stream, std::uint64_t from, std::size_t limit, JsonArray& out) {
  while (limit > 0) {
    const std::size_t wanted = std::min(limit, events_per_read);
    std::vector<Event> events = stream.read(from, wanted);
    bool last = events.size() < wanted;
    if (!last && !events.back().offset) {
      events = stream.read(from, limit);
      last = true;
    }
    for (const Event& event : events) out.add(event_json(event));
    if (last) return;
    limit -= events.size();
    from = *events.back().offset + 1;
  }
}

void read(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("stream");
  const std::uint64_t from = request.number("from").value_or(0);
  const std::size_t limit = request.number("limit").value_or(std::numeric_limits<std::size_t>::max());
  JsonArray events;
  session.read(request, [&](const Snapshot& at) { read_events(at.stream(name), from, limit, events); });
  answer.add_json("events", std::move(events).str());
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
       {"stream", "from", "limit"},
       {"from_time", "to_time", "key"},
       R"({"op":"read","stream":"activity","from":0,"limit":100})",
       read},
      {"streams", may, false, {}, {}, R"({"op":"streams"})", streams},
  };
  return operations;
}

}  // namespace stele::tool
