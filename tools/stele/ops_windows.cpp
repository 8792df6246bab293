// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/windows.h>

#include "engine/base/error.h"
#include "tools/stele/bytes_json.h"
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

void create_window(Session& session, const Request& request, Answer& answer) {
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
  answer.add_text("name", name);
}

void drop_window(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  const std::string name = request.name_field("name");
  const bool dropped = session.write(request, [&](Transaction& tx) { return tx.stream(stream).drop_window(name); });
  answer.add_boolean("dropped", dropped);
}

void window(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  const std::string name = request.name_field("name");
  WindowQuery query;
  if (request.has("key")) query.key = bytes_from(request, "key", request.raw("key"));
  query.from = time_field(request, "from");
  query.to = time_field(request, "to");
  query.width = milliseconds(request, "width_ms");
  JsonArray rows;
  for (const WindowRow& row :
       session.read(request, [&](const Snapshot& at) { return at.stream(stream).window(name, query); })) {
    rows.add(
        text("{\"start\":", time_json(row.start), ",\"key\":", bytes_json(row.key), ",\"values\":", row.values, "}"));
  }
  answer.add_json("rows", std::move(rows).str());
}

void windows(Session& session, const Request& request, Answer& answer) {
  const std::string stream = request.name_field("stream");
  JsonArray out;
  for (const WindowInfo& info :
       session.read(request, [&](const Snapshot& at) { return at.stream(stream).windows(); })) {
    out.add(text("{\"name\":", bytes_json(info.name), ",\"width_ms\":", info.options.width.count(),
                 ",\"by_key\":", info.options.by_key ? "true" : "false", ",\"aggregates\":", info.options.aggregates,
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
       create_window},
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
       drop_window},
  };
  return operations;
}

}  // namespace stele::tool
