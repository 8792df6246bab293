// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/accumulators.h"
#include "engine/pipeline/parse.h"

#include <algorithm>

namespace stele::pipeline {

struct Accumulator::Named {
  std::string_view name;
  Kind kind;
  std::string_view members = {};  // empty: one expression
};

const Accumulator::Named* Accumulator::find(std::string_view name) {
  static constexpr Named all[] = {
      {"$sum", Kind::sum},
      {"$avg", Kind::avg},
      {"$min", Kind::min},
      {"$max", Kind::max},
      {"$first", Kind::first},
      {"$last", Kind::last},
      {"$push", Kind::push},
      {"$addToSet", Kind::add_to_set},
      {"$count", Kind::count},
      {"$stdDevPop", Kind::std_dev_pop},
      {"$stdDevSamp", Kind::std_dev_samp},
      {"$mergeObjects", Kind::merge_objects},
      {"$top", Kind::top, "output sortBy"},
      {"$bottom", Kind::bottom, "output sortBy"},
      {"$topN", Kind::top_n, "output n sortBy"},
      {"$bottomN", Kind::bottom_n, "output n sortBy"},
      {"$firstN", Kind::first_n, "input n"},
      {"$lastN", Kind::last_n, "input n"},
      {"$minN", Kind::min_n, "input n"},
      {"$maxN", Kind::max_n, "input n"},
      {"$median", Kind::median, "input method"},
      {"$percentile", Kind::percentile, "input method p"},
  };
  const auto* at = std::ranges::find(all, name, &Named::name);
  return at == std::end(all) ? nullptr : at;
}

Accumulator Accumulator::counting(std::string field) {
  Accumulator out;
  out.kind_ = Kind::count;
  out.field_ = std::move(field);
  return out;
}

void Accumulator::parse_n(const Value& n, const Place& place) {
  const Expression expression = place.expression(n, "n");
  const Value* constant = expression.constant();
  if (!constant)
    fail(ErrorCode::unsupported, text(place.what, ": \"n\" is offered as a constant only"), {{"reason", "Operator"}});
  n_ = static_cast<std::size_t>(place.integer(*constant, "n", 1));
}

void Accumulator::parse_parts(const Value& parts, const Place& place) {
  const Expression expression = place.expression(parts, "p");
  const Value* constant = expression.constant();
  if (!constant || !constant->is_array() || constant->array().empty())
    place.refuse("\"p\" needs an array of one or more numbers from 0 to 1");
  for (const Value& part : constant->array()) {
    if (!part.is_number() || part.number() < 0 || part.number() > 1) place.refuse("\"p\" needs numbers from 0 to 1");
    parts_.push_back(part.number());
  }
}

Accumulator Accumulator::parse(const std::string& field, const Value& spec, const Place& outer) {
  Place place = outer.at(text('"', field, '"'));
  outer.check_field_name(field);
  if (!spec.is_object() || spec.object().size() != 1 || !spec.object()[0].name.starts_with('$'))
    place.refuse(R"(it needs an object with one accumulator, such as {"$sum": "$price"})");
  const auto& [name, value] = spec.object()[0];
  place = place.at(name);
  const Named* named = find(name);
  if (!named) {
    const bool known =
        name == "$accumulator" || name == "$expMovingAvg" || name == "$concatArrays" || name == "$setUnion";
    fail(known ? ErrorCode::unsupported : ErrorCode::invalid,
         text(outer.what, ", \"", field, "\": ", known ? "the accumulator " : "unknown accumulator ", name,
              known ? " is not offered here"
                    : "; known: $sum $avg $min $max $first $last $push $addToSet $count $stdDevPop $stdDevSamp $top "
                      "$bottom $topN $bottomN $firstN $lastN $minN $maxN $median $percentile $mergeObjects"),
         {{"reason", known ? "Operator" : "UnknownOperator"}, {"operator", name}, {"path", field}});
  }
  Accumulator out;
  out.kind_ = named->kind;
  out.field_ = field;
  out.what_ = place.what;
  if (out.kind_ == Kind::count) {
    if (!value.is_object() || !value.object().empty()) place.refuse("it takes {}");
    return out;
  }
  if (named->members.empty()) {
    if (value.is_array()) place.refuse("it takes one expression, not an array");
    out.input_ = Expression::parse(value, place.what, place.variables);
    return out;
  }
  const auto parts = place.members(value, named->members);
  out.input_ = place.expression(*parts[0], named->members.starts_with("output") ? "output" : "input");
  if (named->members.find(" n") != std::string_view::npos) out.parse_n(*parts[1], place);
  if (named->members.ends_with("sortBy")) {
    if (!parts.back()->is_object() || parts.back()->object().empty())
      place.refuse(R"("sortBy" needs an object, such as {"score": -1})");
    out.sort_ = model::Sort::of(*parts.back(), text(place.what, ", \"sortBy\""));
  }
  if (named->members.find("method") != std::string_view::npos &&
      (!parts[1]->is_string() || parts[1]->string() != "approximate"))
    place.refuse("\"method\" must be \"approximate\"");
  if (out.kind_ == Kind::percentile) out.parse_parts(*parts[2], place);
  return out;
}

}  // namespace stele::pipeline
