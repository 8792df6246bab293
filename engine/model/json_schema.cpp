// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/json_schema.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/json_schema_node.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

using Node = Schema::Node;

/// The place of a value: a step, and those before it. On the stack of the check; text only when something is wrong.
struct ValuePlace {
  const ValuePlace* parent = nullptr;
  std::string_view name = {};
  std::size_t index = 0;  // when there is no name

  std::string text() const {
    if (!parent) return "";
    std::string out = parent->text();
    if (!out.empty()) out += '.';
    return out += name.data() ? std::string(name) : std::to_string(index);
  }
};

std::string shortened(const Value& value) {
  std::string out = to_json(value);
  if (out.size() <= 100) return out;
  std::size_t end = 100;
  while ((out[end] & 0xC0) == 0x80) --end;  // between code points
  out.resize(end);
  return out + "…";
}

std::uint64_t code_points(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_multiple(const Value& number, std::int64_t of) {
  if (number.is_integer()) return number.integer() % of == 0;  // `of` is positive
  return std::fmod(number.real().number, static_cast<double>(of)) == 0;
}

bool all_different(const Array& array) {
  Array sorted;
  for (const Value& element : array) sorted.push_back(canonical(element));
  std::ranges::sort(sorted, [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  return std::ranges::adjacent_find(sorted, equal) == sorted.end();
}

class Check {
 public:
  /// `message`: where to say what is wrong; null: only whether.
  explicit Check(std::string* message) : message_(message) {}

  bool accepts(const Node& node, const Value& value, const ValuePlace& at) {
    if (!general(node, value, at)) return false;
    if (value.is_number() && !number(node, value, at)) return false;
    if (value.is_string() && !string(node, value.string(), at)) return false;
    if (value.is_array() && !array(node, value.array(), at)) return false;
    if (value.is_object() && !object(node, value, at)) return false;
    return combined(node, value, at);
  }

 private:
  template <class... Part>
  bool broken(const ValuePlace& at, const Part&... parts) {
    if (!message_) return false;
    const std::string place = at.text();
    *message_ = text(place.empty() ? "the document" : place, ": ", parts...);
    return false;
  }

  bool silent(const Node& node, const Value& value, const ValuePlace& at) { return Check(nullptr).accepts(node, value, at); }

  bool general(const Node& node, const Value& value, const ValuePlace& at) {
    if (node.types && !node.types->has(value))
      return broken(at, "must be of type ", node.types->names(), node.json_types ? " (type)" : " (bsonType)", ", is ",
                    type_name(value));
    if (node.enumeration.empty()) return true;
    const Value sought = canonical(value);
    if (std::ranges::any_of(node.enumeration, [&](const Value& one) { return equal(one, sought); })) return true;
    return broken(at, "must be one of ", shortened(node.enumeration), " (enum), is ", shortened(value));
  }

  bool number(const Node& node, const Value& value, const ValuePlace& at) {
    if (node.minimum) {
      const int c = compare(value, *node.minimum);
      if (c < 0 || (c == 0 && node.exclusive_minimum))
        return broken(at, "must be ", node.exclusive_minimum ? "above " : "at least ", to_json(*node.minimum),
                      node.exclusive_minimum ? " (exclusiveMinimum)" : " (minimum)", ", is ", to_json(value));
    }
    if (node.maximum) {
      const int c = compare(value, *node.maximum);
      if (c > 0 || (c == 0 && node.exclusive_maximum))
        return broken(at, "must be ", node.exclusive_maximum ? "below " : "at most ", to_json(*node.maximum),
                      node.exclusive_maximum ? " (exclusiveMaximum)" : " (maximum)", ", is ", to_json(value));
    }
    if (node.multiple_of && !is_multiple(value, *node.multiple_of))
      return broken(at, "must be a multiple of ", *node.multiple_of, " (multipleOf), is ", to_json(value));
    return true;
  }

  bool string(const Node& node, const std::string& value, const ValuePlace& at) {
    if (node.min_length || node.max_length) {
      if (!within(at, code_points(value), node.min_length, node.max_length, "characters", "Length")) return false;
    }
    if (node.pattern && !node.pattern->matches(value))
      return broken(at, "must match \"", node.pattern->value().pattern().source, "\" (pattern), is ", shortened(value));
    return true;
  }

  bool within(const ValuePlace& at, std::uint64_t count, std::optional<std::uint64_t> min, std::optional<std::uint64_t> max,
              std::string_view things, std::string_view keyword) {
    if (min && count < *min)
      return broken(at, "must have at least ", *min, ' ', things, " (min", keyword, "), has ", count);
    if (max && count > *max)
      return broken(at, "must have at most ", *max, ' ', things, " (max", keyword, "), has ", count);
    return true;
  }

  bool array(const Node& node, const Array& array, const ValuePlace& at) {
    if (!within(at, array.size(), node.min_items, node.max_items, "elements", "Items")) return false;
    if (node.unique_items && !all_different(array)) return broken(at, "must not hold an element twice (uniqueItems)");
    for (std::size_t i = 0; i < array.size(); ++i) {
      const ValuePlace element{&at, {}, i};
      if (node.items && !accepts(*node.items, array[i], element)) return false;
      if (i < node.item_list.size()) {
        if (!accepts(*node.item_list[i], array[i], element)) return false;
      } else if (node.items_are_listed) {
        if (!node.additional_items)
          return broken(element, "must not be there: additionalItems is false and items lists ", node.item_list.size());
        if (node.additional_item && !accepts(*node.additional_item, array[i], element)) return false;
      }
    }
    return true;
  }

  bool object(const Node& node, const Value& value, const ValuePlace& at) {
    if (!within(at, value.object().size(), node.min_properties, node.max_properties, "members", "Properties"))
      return false;
    if (!has_all(node.required, value, at, " (required)")) return false;
    for (const Member& member : value.object())
      if (!property(node, member, {&at, member.name})) return false;
    for (const Node::Dependency& dependency : node.dependencies) {
      if (!value.find(dependency.name)) continue;
      const std::string because = message_ ? text(" beside \"", dependency.name, "\" (dependencies)") : "";
      if (!has_all(dependency.required, value, at, because)) return false;
      if (dependency.schema && !accepts(*dependency.schema, value, at)) return false;
    }
    return true;
  }

  bool has_all(const std::vector<std::string>& names, const Value& value, const ValuePlace& at, std::string_view because) {
    for (const std::string& name : names)
      if (!value.find(name)) return broken({&at, name}, "must be there", because);
    return true;
  }

  bool property(const Node& node, const Member& member, const ValuePlace& at) {
    bool listed = false;
    for (const Node::Property& property : node.properties) {
      if (property.name != member.name) continue;
      listed = true;
      if (!accepts(*property.schema, member.value, at)) return false;
    }
    for (const Node::PatternProperty& property : node.pattern_properties) {
      if (!property.pattern.matches(member.name)) continue;
      listed = true;
      if (!accepts(*property.schema, member.value, at)) return false;
    }
    if (listed) return true;
    if (!node.additional_properties) return broken(at, "must not be there: additionalProperties is false");
    return !node.additional_property || accepts(*node.additional_property, member.value, at);
  }

  bool combined(const Node& node, const Value& value, const ValuePlace& at) {
    for (const Node::Child& schema : node.all_of)
      if (!accepts(*schema, value, at)) return false;
    const auto fits = [&](const Node::Child& schema) { return silent(*schema, value, at); };
    if (!node.any_of.empty() && std::ranges::none_of(node.any_of, fits))
      return broken(at, "fits none of the ", node.any_of.size(), " schemas of anyOf");
    if (!node.one_of.empty()) {
      const auto count = std::ranges::count_if(node.one_of, fits);
      if (count != 1) return broken(at, "must fit one of the ", node.one_of.size(), " schemas of oneOf, fits ", count);
    }
    if (node.negation && fits(node.negation)) return broken(at, "fits the schema that `not` excludes");
    return true;
  }

  std::string* message_;
};

}  // namespace

Value canonical(const Value& value) {
  if (value.is_array()) {
    Array array;
    for (const Value& element : value.array()) array.push_back(canonical(element));
    return array;
  }
  if (!value.is_object()) return value;
  Object object;
  for (const Member& member : value.object()) object.push_back({member.name, canonical(member.value)});
  std::ranges::sort(object, {}, &Member::name);
  return object;
}

bool Schema::accepts(const Value& value) const { return Check(nullptr).accepts(*node_, value, {}); }

std::optional<std::string> Schema::violation(const Value& value) const {
  std::string message;
  if (Check(&message).accepts(*node_, value, {})) return std::nullopt;
  return message;
}

}  // namespace stele::model
