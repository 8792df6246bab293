// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/windows.h>

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/extended_json.h"
#include "tools/stele/event_time.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

std::optional<std::chrono::milliseconds> milliseconds(const Request& request, std::string_view field) {
  const auto number = request.number(field);
  if (!number) return std::nullopt;
  if (*number > INT64_MAX) request.refuse(field, "is too large");
  return std::chrono::milliseconds(*number);
}

std::optional<Timestamp> time_field(const Request& request, std::string_view field) {
  if (!request.has(field)) return std::nullopt;
  const auto time = read_time(request.raw(field));
  if (!time)
    request.refuse(field, "must be {\"$date\":\"2024-01-02T03:04:05.678Z\"} or an integer of microseconds since 1970");
  return time;
}

void create(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  const std::string name = request.name_field("name");
  WindowOptions options;
  options.width = milliseconds(request, "width_ms").value_or(std::chrono::milliseconds(0));
  options.by_key = request.boolean("by_key", false);
  options.aggregates = request.object("aggregates");
  options.retention = milliseconds(request, "retention_ms");
  if (request.has("tx")) {
    session.write(request, [&](Transaction& tx) { tx.stream(stream).create_window(name, options); });
  } else {
    session.database().stream(stream, session.write_options(request)).create_window(name, options);
  }
  std::string quoted;
  json::append_quoted(quoted, name);
  answer.add_json("name", quoted);
}

void drop(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  const std::string name = request.name_field("name");
  const bool dropped = session.write(request, [&](Transaction& tx) { return tx.stream(stream).drop_window(name); });
  answer.add_json("dropped", dropped ? "true" : "false");
}

void window(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  const std::string name = request.name_field("name");
  WindowQuery query;
  if (request.has("key")) query.key = request.text("key");
  query.from = time_field(request, "from");
  query.to = time_field(request, "to");
  query.width = milliseconds(request, "width_ms");
  JsonArray rows;
  for (const WindowRow& row :
       session.read(request, [&](const Snapshot& at) { return at.stream(stream).window(name, query); })) {
    std::string json = text("{\"start\":", time_json(row.start), ",\"key\":");
    if (is_utf8(row.key)) {
      json::append_quoted(json, row.key);
    } else {
      model::append_extended_json(json, model::Binary{0, row.key});
    }
    rows.add(json + ",\"values\":" + row.values + "}");
  }
  answer.add_json("rows", std::move(rows).str());
}

void windows(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  JsonArray out;
  for (const WindowInfo& info :
       session.read(request, [&](const Snapshot& at) { return at.stream(stream).windows(); })) {
    std::string json = "{\"name\":";
    json::append_quoted(json, info.name);
    out.add(json + text(",\"width_ms\":", info.options.width.count(), ",\"by_key\":",
                        info.options.by_key ? "true" : "false", ",\"aggregates\":", info.options.aggregates,
                        ",\"fill_to\":", info.fill_to, ",\"filled\":", info.filled, "}"));
  }
  answer.add_json("windows", std::move(out).str());
}

}  // namespace

std::span<const Operation> window_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"create_window",
       may,
       true,
       {"stream", "name", "width_ms", "by_key", "aggregates", "retention_ms"},
       {},
       R"({"op":"create_window","stream":"activity","name":"hourly","width_ms":3600000,"by_key":true,"aggregates":{"n":"count","total":{"sum":"amount"},"users":{"distinct":"user"}}})",
       create},
      {"window",
       may,
       false,
       {"stream", "name", "key", "from", "to", "width_ms"},
       {},
       R"({"op":"window","stream":"activity","name":"hourly","from":{"$date":"2024-01-02T00:00:00Z"},"width_ms":86400000})",
       window},
      {"windows", may, false, {"stream"}, {}, R"({"op":"windows","stream":"activity"})", windows},
      {"drop_window",
       may,
       true,
       {"stream", "name"},
       {},
       R"({"op":"drop_window","stream":"activity","name":"hourly"})",
       drop},
  };
  return operations;
}

}  // namespace stele::tool
