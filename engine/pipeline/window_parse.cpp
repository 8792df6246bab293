// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/parse.h"
#include "engine/pipeline/window.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

std::optional<double> parse_bound(const Value& bound, const Place& place, bool whole) {
  if (bound.is_string() && bound.string() == "unbounded") return std::nullopt;
  if (bound.is_string() && bound.string() == "current") return 0;
  if (!bound.is_number()) place.refuse("a bound of \"window\" is \"unbounded\", \"current\" or a number");
  if (whole) return static_cast<double>(place.integer(bound, "window", INT64_MIN));
  return bound.number();
}

double unit_milliseconds(const Value& unit, const Place& place) {
  constexpr std::pair<std::string_view, double> units[] = {{"week", 604'800'000}, {"day", 86'400'000},
                                                           {"hour", 3'600'000},   {"minute", 60'000},
                                                           {"second", 1000},      {"millisecond", 1}};
  for (const auto& [name, milliseconds] : units)
    if (unit.is_string() && unit.string() == name) return milliseconds;
  if (unit.is_string() && (unit.string() == "month" || unit.string() == "quarter" || unit.string() == "year"))
    fail(ErrorCode::unsupported, text(place.what, ": the unit \"", unit.string(), "\" is not offered; use days"),
         {{"reason", "Operator"}});
  place.refuse("\"unit\" is one of: week day hour minute second millisecond");
}

Window parse_window(const Value& spec, const Place& place, const model::Sort& sort) {
  const auto parts = place.members(spec, "documents? range? unit?");
  Window window;
  if (!parts[0] == !parts[1]) place.refuse("\"window\" needs \"documents\" or \"range\"");
  if (parts[1]) window.by = parts[2] ? Window::By::date : Window::By::number;
  if (parts[1] && (sort.fields().size() != 1 || sort.fields()[0].descending))
    place.refuse("a window by \"range\" needs \"sortBy\" with one field, ascending");
  if (parts[2] && !parts[1]) place.refuse("\"unit\" is for windows by \"range\"");
  const Value& bounds = parts[1] ? *parts[1] : *parts[0];
  if (!bounds.is_array() || bounds.array().size() != 2) place.refuse("\"window\" needs two bounds: [lower, upper]");
  const bool whole = window.by != Window::By::number;
  window.lower = parse_bound(bounds.array()[0], place, whole);
  window.upper = parse_bound(bounds.array()[1], place, whole);
  if (parts[0] && sort.empty() && (window.lower || window.upper))
    place.refuse("a window of \"documents\" with bounds needs \"sortBy\"");
  if (window.lower && window.upper && *window.lower > *window.upper)
    place.refuse("the lower bound of \"window\" is above the upper");
  const double unit = parts[2] ? unit_milliseconds(*parts[2], place) : 1;
  if (window.lower) *window.lower *= unit;
  if (window.upper) *window.upper *= unit;
  return window;
}

void parse_shift(const Value& arguments, const Place& place, WindowOutput& output) {
  const auto parts = place.members(arguments, "output by default?");
  output.kind = WindowOutput::Kind::shift;
  output.shifted = place.expression(*parts[0], "output");
  output.shift_by = place.integer(*parts[1], "by", INT32_MIN);
  if (parts[2]) output.shift_default = place.expression(*parts[2], "default");
  if (output.shift_default && !output.shift_default->constant()) place.refuse("\"default\" needs a constant");
}

}  // namespace

WindowOutput parse_window_output(const std::string& path, const Value& spec, const Place& outer,
                                 const model::Sort& sort) {
  const Place place = outer.at(text('"', path, '"'));
  WindowOutput output;
  if (!spec.is_object() || spec.object().empty()) place.refuse(R"(it needs an object, such as {"$sum": "$price"})");
  const auto& [name, arguments] = spec.object()[0];
  const Value* window = spec.find("window");
  if (spec.object().size() != (window ? 2u : 1u)) place.refuse("it takes one operator and \"window\"");
  constexpr std::pair<std::string_view, WindowOutput::Kind> ranks[] = {
      {"$rank", WindowOutput::Kind::rank},
      {"$denseRank", WindowOutput::Kind::dense_rank},
      {"$documentNumber", WindowOutput::Kind::document_number}};
  const auto* rank = std::ranges::find(ranks, name, &std::pair<std::string_view, WindowOutput::Kind>::first);
  if (rank != std::end(ranks) || name == "$shift") {
    if (window) place.refuse(text(name, " takes no \"window\""));
    if (sort.empty()) place.refuse(text(name, " needs \"sortBy\""));
    if (name == "$shift") {
      parse_shift(arguments, place.at(name), output);
      return output;
    }
    if (!arguments.is_object() || !arguments.object().empty()) place.refuse(text(name, " takes {}"));
    if (sort.fields().size() != 1 && rank->second != WindowOutput::Kind::document_number)
      place.refuse(text(name, " needs \"sortBy\" with one field"));
    output.kind = rank->second;
    return output;
  }
  constexpr std::string_view not_offered[] = {"$expMovingAvg",   "$derivative", "$integral", "$covariancePop",
                                              "$covarianceSamp", "$linearFill", "$locf",     "$minMaxScaler"};
  if (std::ranges::find(not_offered, name) != std::end(not_offered))
    fail(ErrorCode::unsupported, text(place.what, ": the window operator ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", name}, {"path", path}});
  output.accumulator = Accumulator::parse(path.substr(path.rfind('.') + 1), Object{{name, arguments}}, outer);
  if (window) output.window = parse_window(*window, place.at("window"), sort);
  return output;
}

}  // namespace stele::pipeline
