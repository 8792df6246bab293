// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The first line is the query, the others are documents and what else it needs.
#include "engine/model/compare.h"
#include "engine/model/document.h"
#include "engine/model/filter.h"
#include "engine/model/json_schema.h"
#include "engine/model/projection.h"
#include "engine/model/sort.h"
#include "engine/model/update.h"
#include "tests/fuzz/fuzz.h"

#include <optional>

namespace stele::fuzz {

namespace {

using model::Value;

/// A document as it is stored; none when the line is no such thing.
std::optional<std::string> stored(std::string_view line) {
  std::optional<std::string> text;
  accepted([&] { text = model::new_document(line, limits).text; });
  return text;
}

std::string written(const Value& value) {
  const std::string text = model::to_json(value);
  must(json::minify(text, {16u << 20, 1000}, "result") == text, "a result that is no JSON: ", text);
  return text;
}

void filter(std::string_view input) {
  const auto given = lines<2>(input);
  const std::string_view query = given[0], line = given[1];
  model::Filter filter;
  if (!accepted([&] { filter = model::Filter::parse(query, limits); })) return;
  filter.set_now(model::Date{1'700'000'000'000});
  accepted([&] { model::equality_document(filter); });
  const auto document = stored(line);
  if (!document) return;
  const Value value = model::parse(*document);
  std::optional<bool> by_value, by_text;
  accepted([&] { by_value = filter.matches(value); });
  model::Scratch scratch;
  accepted([&] { by_text = filter.matches_json(*document, scratch); });
  // Of several conditions the text may be refused by one that the other way does not reach; a match is one both ways.
  if (by_value && by_text)
    must(*by_value == *by_text, "matches as text ", *by_text, ", as value ", *by_value, ": ", input);
  if (const auto id = model::id_equality(filter); id && by_value && *by_value)
    must(model::compare(*id, *value.find("_id")) == 0, "matches with another _id: ", input);
}

/// update, document, filter, array filters
void update(std::string_view input) {
  const auto given = lines<4>(input);
  const std::string_view text = given[0], line = given[1], query = given[2], array_filters = given[3];
  std::optional<model::Update> update;
  model::Filter filter;
  if (!accepted([&] {
        update = model::Update::parse(text, array_filters, limits);
        if (!query.empty()) filter = model::Filter::parse(query, limits);
      }))
    return;
  const model::UpdateContext context{&filter, model::Date{1'700'000'000'000}, false, limits};
  accepted([&] { written(update->upsert_document(context)); });
  const auto document = stored(line);
  if (!document) return;
  Value value = model::parse(*document);
  bool changed = false;
  const bool applied = accepted([&] { changed = update->apply(value, context); });
  const std::string after = written(value);
  if (!changed) must(after == *document, "unchanged, but now ", after);
  std::optional<std::string> as_text;
  const bool applied_as_text = accepted([&] { as_text = update->apply_json(*document, context); });
  must(applied == applied_as_text && (!applied || as_text.value_or(*document) == after),
       "as text: ", as_text.value_or("-"), ", as value: ", after);
  if (!changed) return;
  must(model::new_document(after, limits).text == after, "an update made what cannot be stored: ", after);
  must(model::compare(*value.find("_id"), *model::parse(*document).find("_id")) == 0, "the _id changed: ", after);
}

void projection(std::string_view input) {
  const auto given = lines<2>(input);
  const std::string_view text = given[0], line = given[1];
  std::optional<model::Projection> projection;
  if (!accepted([&] { projection = model::Projection::parse(text, limits); })) return;
  const auto document = stored(line);
  if (!document) return;
  const model::Date now{1'700'000'000'000};
  std::optional<std::string> whole, part;
  accepted([&] { whole = written(projection->apply(model::parse(*document), now)); });
  std::vector<std::string> names;
  if (!projection->collect_names(names)) return;
  model::Parser parser;
  Value needed;
  parser.parse_members(*document, names, needed);
  accepted([&] { part = written(projection->apply(needed, now)); });
  must(whole == part, "of the members it names it makes ", part.value_or("-"), ", of all ", whole.value_or("-"));
}

void sort(std::string_view input) {
  const auto given = lines<3>(input);
  const std::string_view text = given[0], one = given[1], other = given[2];
  std::optional<model::Sort> order;
  if (!accepted([&] { order = model::Sort::parse(text, limits); })) return;
  const auto a = stored(one), b = stored(other);
  if (!a || !b) return;
  const Value x = model::parse(*a), y = model::parse(*b);
  accepted([&] {
    std::string key_x, key_y;
    order->append_key(key_x, x);
    order->append_key(key_y, y);
    const int by_key = (key_x > key_y) - (key_x < key_y);
    const int by_value = order->compare(x, y);
    must(by_key == (by_value > 0) - (by_value < 0), "by key ", by_key, ", by value ", by_value, ": ", input);
  });
}

void schema(std::string_view input) {
  const auto given = lines<2>(input);
  const std::string_view text = given[0], line = given[1];
  std::optional<model::Schema> schema;
  Value value;
  if (!accepted([&] {
        schema = model::Schema::parse(model::parse(json::minify(text, limits, "schema")), "schema");
        value = model::parse(json::minify(line, limits, "value"));
      }))
    return;
  const auto violation = schema->violation(value);
  must(schema->accepts(value) == !violation, "accepted, and yet: ", violation.value_or("nothing wrong"));
  must(!violation || !violation->empty(), "a violation without words");
}

}  // namespace

std::span<const Target> query_targets() {
  static constexpr Target targets[] = {
      {"filter", filter}, {"update", update}, {"projection", projection}, {"sort", sort}, {"schema", schema}};
  return targets;
}

}  // namespace stele::fuzz
