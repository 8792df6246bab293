// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/settings.h"

#include "engine/base/error.h"
#include "engine/model/value.h"

namespace stele::events {

using model::Object;
using model::Value;

std::string to_json(const StreamOptions& options) {
  Object retention;
  const Retention& rules = options.retention;
  if (rules.age) retention.push_back({"age_ms", Value(static_cast<std::int64_t>(rules.age->count()))});
  if (rules.bytes) retention.push_back({"bytes", Value(static_cast<std::int64_t>(*rules.bytes))});
  if (rules.count) retention.push_back({"count", Value(static_cast<std::int64_t>(*rules.count))});
  Object out;
  if (!retention.empty()) out.push_back({"retention", Value(std::move(retention))});
  return out.empty() ? "" : model::to_json(Value(std::move(out)));
}

StreamOptions parse_options(std::string_view json) {
  StreamOptions options;
  if (json.empty()) return options;
  try {
    const Value value = model::parse(json);
    const Value* retention = value.find("retention");
    if (!retention) return options;
    if (const Value* age = retention->find("age_ms")) options.retention.age = std::chrono::milliseconds(age->integer());
    if (const Value* bytes = retention->find("bytes")) options.retention.bytes = static_cast<std::uint64_t>(bytes->integer());
    if (const Value* count = retention->find("count")) options.retention.count = static_cast<std::uint64_t>(count->integer());
    return options;
  } catch (const std::exception& error) {
    fail(ErrorCode::corrupt, text("catalog: a stream's settings cannot be read (", error.what(),
                                  "); run `stele check` and restore the store from a backup; they are ", json));
  }
}

}  // namespace stele::events
