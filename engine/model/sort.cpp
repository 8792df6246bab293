// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/sort.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "engine/model/key.h"

namespace stele::model {
namespace {

constexpr std::size_t fields_max = 32;

[[noreturn]] void refuse(std::string_view rule) {
  fail(ErrorCode::invalid, text("sort: ", rule), {{"reason", "InvalidSort"}});
}

SortField parse_field(const Member& member) {
  SortField field{Path(member.name), false};
  for (const Step& step : field.path.steps()) {
    if (step.name.empty()) refuse(text("the path \"", member.name, "\" has an empty step"));
    if (step.name.starts_with('$')) refuse(text("the path \"", member.name, "\" has a step that begins with '$'"));
  }
  if (member.value.is_object())
    fail(ErrorCode::unsupported, text("sort: path \"", member.name, "\": $meta and other expressions are not offered"),
         {{"reason", "Operator"}});
  const double direction = member.value.is_number() ? member.value.number() : 0;
  if (direction != 1 && direction != -1) refuse(text("\"", member.name, "\" must be 1 (ascending) or -1 (descending)"));
  field.descending = direction < 0;
  return field;
}

void append_field(std::string& out, const SortField& field, const Value& document) {
  static const Value null;
  const Value* chosen = nullptr;
  bool empty_array = false;
  reach(document, field.path, [&](const Value* value, bool elements_visited) {
    if (elements_visited) {
      empty_array |= value->array().empty();
      return false;
    }
    const Value* candidate = value ? value : &null;
    const int c = chosen ? model::compare(*candidate, *chosen) : 0;
    if (!chosen || (field.descending ? c > 0 : c < 0)) chosen = candidate;
    return false;
  });
  const std::size_t from = out.size();
  if (empty_array && (!chosen || !field.descending))
    key::append_code(out, KeyCode::empty_array);
  else
    append_sort_element(out, chosen ? *chosen : null);
  if (field.descending) key::make_descending(out, from);
}

}  // namespace

Sort Sort::parse(std::string_view json, const json::Limits& limits) {
  Sort sort;
  if (json.empty()) return sort;
  const Value spec = model::parse(json::minify(json, limits, "sort"));
  if (!spec.is_object()) refuse(R"(it must be an object, such as {"published": -1})");
  if (spec.object().size() > fields_max) refuse(text("more than ", fields_max, " fields"));
  for (const Member& member : spec.object()) sort.fields_.push_back(parse_field(member));
  return sort;
}

void Sort::append_key(std::string& out, const Value& document) const {
  for (const SortField& field : fields_) append_field(out, field, document);
}

int Sort::compare(const Value& a, const Value& b) const {
  std::string key_a, key_b;
  append_key(key_a, a);
  append_key(key_b, b);
  return key_a.compare(key_b);
}

}  // namespace stele::model
