// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/settings.h"

#include "engine/base/error.h"
#include "engine/model/value.h"

#include <algorithm>

namespace stele::events {

using model::Object;
using model::Value;

namespace {

Value to_value(const Retention& rules) {
  Object out;
  if (rules.age) out.push_back({"age_ms", Value(static_cast<std::int64_t>(rules.age->count()))});
  if (rules.bytes) out.push_back({"bytes", Value(static_cast<std::int64_t>(*rules.bytes))});
  if (rules.count) out.push_back({"count", Value(static_cast<std::int64_t>(*rules.count))});
  return Value(std::move(out));
}

Retention retention_of(const Value& value) {
  Retention rules;
  if (const Value* age = value.find("age_ms")) rules.age = std::chrono::milliseconds(age->integer());
  if (const Value* bytes = value.find("bytes")) rules.bytes = static_cast<std::uint64_t>(bytes->integer());
  if (const Value* count = value.find("count")) rules.count = static_cast<std::uint64_t>(count->integer());
  return rules;
}

Value to_value(const Window& window) {
  Object out;
  out.push_back({"id", Value(static_cast<std::int64_t>(window.id))});
  out.push_back({"name", Value(window.name)});
  out.push_back({"width_us", Value(window.width_us)});
  out.push_back({"by_key", Value(window.by_key)});
  out.push_back({"aggregates", model::parse(window.aggregates_json)});
  if (window.retention_us) out.push_back({"retention_us", Value(*window.retention_us)});
  out.push_back({"fill_to", Value(static_cast<std::int64_t>(window.fill_to))});
  return Value(std::move(out));
}

const Value& member(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  if (!value) fail(ErrorCode::corrupt, text("no ", name));
  return *value;
}

Window window_of(const Value& value) {
  Window window;
  window.id = static_cast<std::uint64_t>(member(value, "id").integer());
  window.name = member(value, "name").string();
  window.width_us = member(value, "width_us").integer();
  if (window.width_us <= 0) fail(ErrorCode::corrupt, "no width");
  window.by_key = member(value, "by_key").boolean();
  window.aggregates_json = model::to_json(member(value, "aggregates"));
  window.aggregates = parse_aggregates(window.aggregates_json);
  if (const Value* retention = value.find("retention_us")) window.retention_us = retention->integer();
  window.fill_to = static_cast<std::uint64_t>(member(value, "fill_to").integer());
  return window;
}

}  // namespace

const Window* Settings::window(std::string_view name) const {
  const auto found = std::ranges::find(windows, name, &Window::name);
  return found == windows.end() ? nullptr : &*found;
}

std::string to_json(const Settings& settings) {
  Object out;
  Value retention = to_value(settings.options.retention);
  if (!retention.object().empty()) out.push_back({"retention", std::move(retention)});
  model::Array windows;
  for (const Window& window : settings.windows) windows.push_back(to_value(window));
  if (!windows.empty()) out.push_back({"windows", Value(std::move(windows))});
  return out.empty() ? "" : model::to_json(Value(std::move(out)));
}

Settings parse_settings(std::string_view json) {
  Settings settings;
  if (json.empty()) return settings;
  try {
    const Value value = model::parse(json);
    if (const Value* retention = value.find("retention")) settings.options.retention = retention_of(*retention);
    if (const Value* windows = value.find("windows"))
      for (const Value& window : windows->array()) settings.windows.push_back(window_of(window));
    return settings;
  } catch (const std::exception& error) {
    fail(ErrorCode::corrupt, text("catalog: a stream's settings cannot be read (", error.what(),
                                  "); run `stele check` and restore the store from a backup; they are ", json));
  }
}

}  // namespace stele::events
