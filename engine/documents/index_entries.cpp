// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/index_entries.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/model/key.h"

#include <algorithm>
#include <limits>

namespace stele::documents {
namespace {

using catalog::Index;
using model::Value;

constexpr unsigned char exact_flag = 1;

/// How far the walk along one field's path has come.
struct Position {
  const Value* value;      // null: missing
  std::size_t step = 0;    // of the path, to be taken next
  bool final = false;      // an element of the array at the path's end: not unrolled again
  bool empty = false;      // an empty array at the path's end
};

/// Walks all fields' paths through a document side by side, and splits at the array on the way.
class Walk {
 public:
  Walk(const Index& index, std::vector<std::string>& out, std::vector<bool>& exact)
      : index_(index), out_(out), exact_(exact) {}

  std::uint32_t through_array = 0;

  void run(const Value& document) { expand(std::vector<Position>(index_.fields.size(), Position{&document})); }

 private:
  const std::vector<model::Step>& steps(std::size_t field) const { return index_.fields[field].path.steps(); }

  /// Takes steps into objects, and into arrays by number, until an array that must be unrolled or the end.
  void advance(std::size_t field, Position& at) {
    while (!at.final && at.value && at.step < steps(field).size()) {
      const model::Step& step = steps(field)[at.step];
      if (at.value->is_array()) {
        const model::Array& array = at.value->array();
        if (!step.index || has_member(array, step.name)) return;
        through_array |= 1u << field;
        at.value = *step.index < array.size() ? &array[*step.index] : nullptr;
        at.final = at.step + 1 == steps(field).size();
      } else {
        at.value = at.value->is_object() ? at.value->find(step.name) : nullptr;
      }
      ++at.step;
    }
  }

  static bool has_member(const model::Array& array, const std::string& name) {
    return std::ranges::any_of(array, [&](const Value& element) { return element.is_object() && element.find(name); });
  }

  void expand(std::vector<Position> at) {
    const Value* array = nullptr;
    for (std::size_t field = 0; field < at.size(); ++field) {
      advance(field, at[field]);
      if (at[field].final || !at[field].value || !at[field].value->is_array()) continue;
      if (array && array != at[field].value) refuse_parallel_arrays();
      array = at[field].value;
      through_array |= 1u << field;
    }
    if (!array) return emit(at);
    bool any = false;
    for (std::size_t k = 0; k < array->array().size(); ++k) {
      any |= enter(at, *array, k, false);
      any |= enter(at, *array, k, true);
    }
    if (any) return;
    for (std::size_t field = 0; field < at.size(); ++field) {
      Position& position = at[field];
      if (!position.final && position.value == array) position = {nullptr, 0, true, position.step == steps(field).size()};
    }
    expand(std::move(at));
  }

  /// Goes on with element k of the array, by its number where a path has it as a step, or not; false when no path goes there.
  bool enter(std::vector<Position> at, const Value& array, std::size_t k, bool by_number) {
    const Value& element = array.array()[k];
    bool any = false;
    for (std::size_t field = 0; field < at.size(); ++field) {
      Position& position = at[field];
      if (position.final || position.value != &array) continue;
      const std::size_t length = steps(field).size();
      const bool at_end = position.step == length;
      if (!by_number && at_end) {
        position = {&element, length, true, false};
      } else if (!by_number && element.is_object()) {
        position.value = &element;
      } else if (by_number && !at_end && steps(field)[position.step].index == k) {
        const bool last = position.step + 1 == length;
        if (!last && !element.is_object() && !element.is_array()) {
          position = {nullptr, length, true, false};
          continue;
        }
        position = {&element, position.step + 1, last, false};
      } else {
        position = {nullptr, length, true, false};
        continue;
      }
      any = true;
    }
    if (any) expand(std::move(at));
    return any;
  }

  void emit(const std::vector<Position>& at) {
    std::string elements;
    bool exact = through_array == 0;
    bool all_missing = true;
    for (std::size_t field = 0; field < at.size(); ++field) {
      const std::size_t from = elements.size();
      const Value* value = at[field].value;
      all_missing = all_missing && !value && !at[field].empty;
      if (at[field].empty) {
        key::append_code(elements, KeyCode::empty_array);
      } else {
        model::append_sort_element(elements, value ? *value : Value());
      }
      exact = exact && value && readable(*value) && !at[field].final;
      if (index_.fields[field].descending) key::make_descending(elements, from);
    }
    if (all_missing && index_.sparse) return;
    out_.push_back(std::move(elements));
    exact_.push_back(exact);
  }

  static bool readable(const Value& value) {
    return value.spelling().empty() && (value.is_integer() || value.is_string() || value.type() == model::Type::boolean);
  }

  [[noreturn]] void refuse_parallel_arrays() const {
    fail(ErrorCode::invalid,
         text("index \"", index_.name, "\" ", index_.keys_json(),
              ": the document has arrays at two of its paths, and an index can unroll only one; keep one of them an array, "
              "or drop the index"),
         {{"reason", "ParallelArrays"}, {"index", index_.name}});
  }

  const Index& index_;
  std::vector<std::string>& out_;
  std::vector<bool>& exact_;
};

std::string entry_value(bool exact, std::size_t offset, std::string_view id) {
  std::string value(1, static_cast<char>(exact ? exact_flag : 0));
  append_fixed(value, static_cast<std::uint16_t>(offset));
  value += id;
  return value;
}

}  // namespace

std::string index_prefix(std::uint64_t index) {
  std::string out;
  key::append_id(out, index);
  return out;
}

std::string index_notes_prefix(std::uint64_t index) {
  std::string out = index_prefix(0);
  key::append_id(out, index);
  return out;
}

namespace {
std::string about_index(std::uint64_t index, std::uint64_t what) {
  std::string out = index_notes_prefix(index);
  key::append_id(out, what);
  return out;
}
}  // namespace

std::string build_position_key(std::uint64_t index) { return about_index(index, 1); }

std::string multikey_key(std::uint64_t index, std::size_t field) {
  std::string out = about_index(index, 2);
  key::append_id(out, field);
  return out;
}

std::vector<IndexEntry> index_entries(const Index& index, const Value& document, std::string_view id_element,
                                      std::uint32_t* through_array) {
  std::vector<IndexEntry> entries;
  if (index.partial_filter && !index.partial_filter->matches(document)) return entries;
  std::vector<std::string> elements;
  std::vector<bool> exact;
  Walk walk(index, elements, exact);
  walk.run(document);
  if (through_array) *through_array = walk.through_array;
  const std::string prefix = index_prefix(index.id);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    std::string key = prefix + elements[i];
    std::string value = index.unique ? entry_value(exact[i], 0, id_element) : entry_value(exact[i], key.size(), {});
    if (!index.unique) key += id_element;
    key::check_size(key, text("the entry in index \"", index.name, '"'));
    entries.push_back({std::move(key), std::move(value)});
  }
  std::ranges::sort(entries, {}, &IndexEntry::key);
  const auto same = std::ranges::unique(entries, {}, &IndexEntry::key);
  entries.erase(same.begin(), same.end());
  return entries;
}

EntryParts parse_entry(const Index& index, std::string_view key, std::string_view value) {
  ByteReader reader(value);
  unsigned char flags = 0;
  std::uint16_t offset = 0;
  std::string_view rest = key;
  std::uint64_t id = 0;
  const bool read = reader.fixed(flags) && reader.fixed(offset) && key::read_id(rest, id) && id == index.id;
  const std::size_t prefix = key.size() - rest.size();
  const bool sound = read && (index.unique ? offset == 0 && !reader.rest().empty() : offset >= prefix && offset < key.size());
  if (!sound)
    fail(ErrorCode::corrupt, text("index \"", index.name, "\": an entry cannot be read: ", key::describe_key(key),
                                  "; drop the index and make it anew"),
         {{"index", index.name}});
  EntryParts parts;
  parts.exact = (flags & exact_flag) != 0;
  parts.id = index.unique ? reader.rest() : key.substr(offset);
  parts.fields = index.unique ? rest : key.substr(prefix, offset - prefix);
  return parts;
}

std::optional<std::int64_t> expires_at_ms(const Index& index, const Value& document) {
  std::optional<std::int64_t> earliest;
  model::reach(document, index.fields.front().path, [&](const Value* value, bool) {
    if (value && value->type() == model::Type::date && (!earliest || value->date().milliseconds < *earliest))
      earliest = value->date().milliseconds;
    return false;
  });
  if (!earliest) return std::nullopt;
  std::int64_t at = 0;
  if (__builtin_add_overflow(*earliest, *index.expire_after_seconds * 1000, &at)) return std::numeric_limits<std::int64_t>::max();
  return at;
}

}  // namespace stele::documents
