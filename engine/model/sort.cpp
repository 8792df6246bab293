// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/sort.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/model/key.h"

#include <algorithm>

namespace stele::model {
namespace {

constexpr std::size_t fields_max = 32;

[[noreturn]] void refuse_sort(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidSort"}});
}

SortField parse_field(const Member& member, std::string_view what) {
  SortField field{Path(member.name), false};
  for (const Step& step : field.path.steps()) {
    if (step.name.empty()) refuse_sort(what, text("the path \"", member.name, "\" has an empty step"));
    if (step.name.starts_with('$'))
      refuse_sort(what, text("the path \"", member.name, "\" has a step that begins with '$'"));
  }
  if (member.value.is_object())
    fail(ErrorCode::unsupported,
         text(what, ": path \"", member.name, "\": $meta and other expressions are not offered"),
         {{"reason", "Operator"}});
  const double direction = member.value.is_number() ? member.value.number() : 0;
  if (direction != 1 && direction != -1)
    refuse_sort(what, text("\"", member.name, "\" must be 1 (ascending) or -1 (descending)"));
  field.descending = direction < 0;
  return field;
}

// Where one field's path has come to.
struct Cursor {
  const Value* value;  // null: missing
  std::size_t step = 0;
  bool inside = false;  // at the end, and this is an element already: an array here is a value
  bool empty = false;   // the array at the end is empty

  bool at_end(const Path& path) const { return step == path.steps().size(); }
  bool at_array(const Path& path) const { return value && value->is_array() && !(at_end(path) && inside); }
};

bool has_member(const Array& array, const std::string& name) {
  return std::ranges::any_of(array, [&](const Value& element) { return element.is_object() && element.find(name); });
}

// As far as no array has to be spread.
void advance(Cursor& cursor, const Path& path) {
  while (cursor.value && !cursor.at_end(path)) {
    const Step& step = path.steps()[cursor.step];
    if (cursor.value->is_object()) {
      cursor.value = cursor.value->find(step.name);
    } else if (cursor.value->is_array()) {
      const Array& array = cursor.value->array();
      if (!step.index || has_member(array, step.name)) return;
      cursor.value = *step.index < array.size() ? &array[*step.index] : nullptr;
      cursor.inside = cursor.step + 1 == path.steps().size();
    } else {
      cursor.value = nullptr;
    }
    ++cursor.step;
  }
}

// To an element of the array it stands at; null: the array is empty.
void enter(Cursor& cursor, const Path& path, const Value* element) {
  if (cursor.at_end(path)) {
    cursor.value = element;
    cursor.inside = true;
    cursor.empty = element == nullptr;
  } else {
    cursor.value = element && element->is_object() ? element : nullptr;
  }
}

class Keys {
 public:
  explicit Keys(const std::vector<SortField>& fields) : fields_(fields) {}

  void generate(std::vector<Cursor> cursors) {
    const Value* array = nullptr;
    std::size_t first = 0;
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      advance(cursors[i], fields_[i].path);
      if (!cursors[i].at_array(fields_[i].path)) continue;
      if (array && array != cursors[i].value) refuse_parallel(fields_[first].path, fields_[i].path);
      if (!array) first = i;
      array = cursors[i].value;
    }
    if (!array) return take(cursors);
    if (array->array().empty()) return spread(cursors, array, nullptr);
    for (const Value& element : array->array()) spread(cursors, array, &element);
  }

  const std::string& least() const { return least_; }

 private:
  [[noreturn]] static void refuse_parallel(const Path& a, const Path& b) {
    fail(
        ErrorCode::invalid,
        text("sort: a document has different arrays at \"", a.text(), "\" and \"", b.text(), "\"; sort by one of them"),
        {{"reason", "ParallelArrays"}});
  }

  void spread(std::vector<Cursor> cursors, const Value* array, const Value* element) {
    for (std::size_t i = 0; i < cursors.size(); ++i)
      if (cursors[i].value == array && cursors[i].at_array(fields_[i].path))
        enter(cursors[i], fields_[i].path, element);
    generate(std::move(cursors));
  }

  void take(const std::vector<Cursor>& cursors) {
    static const Value null;
    key_.clear();
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      const std::size_t from = key_.size();
      if (cursors[i].empty)
        key::append_code(key_, KeyCode::empty_array);
      else
        append_sort_element(key_, cursors[i].value ? *cursors[i].value : null);
      if (fields_[i].descending) key::make_descending(key_, from);
    }
    if (!any_ || key_ < least_) least_.swap(key_);
    any_ = true;
  }

  const std::vector<SortField>& fields_;
  std::string key_, least_;
  bool any_ = false;
};

}  // namespace

Sort Sort::of(const Value& object, std::string_view what) {
  Sort sort;
  if (!object.is_object()) refuse_sort(what, R"(it must be an object, such as {"published": -1})");
  if (object.object().size() > fields_max) refuse_sort(what, text("more than ", fields_max, " fields"));
  for (const Member& member : object.object()) sort.fields_.push_back(parse_field(member, what));
  return sort;
}

Sort Sort::parse(std::string_view json, const json::Limits& limits) {
  if (json.empty()) return {};
  return of(model::parse(json::minify(json, limits, "sort")), "sort");
}

void Sort::append_key(std::string& out, const Value& document) const {
  Keys keys(fields_);
  keys.generate(std::vector<Cursor>(fields_.size(), Cursor{&document}));
  out += keys.least();
}

int Sort::compare(const Value& a, const Value& b) const {
  std::string key_a, key_b;
  append_key(key_a, a);
  append_key(key_b, b);
  return key_a.compare(key_b);
}

}  // namespace stele::model
