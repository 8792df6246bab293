// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/array_filters.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele::model {
namespace {

[[noreturn]] void refuse(std::string_view rule) {
  fail(ErrorCode::invalid, text("array filters: ", rule), {{"reason", "InvalidArrayFilter"}});
}

bool is_name(std::string_view name) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_rest = [&](char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !name.empty() && is_lower(name[0]) && std::ranges::all_of(name, is_rest);
}

// Puts the filter's one name into `found`.
void find_name(const Value& filter, std::string_view& found) {
  if (!filter.is_object()) refuse(R"(each must be an object, such as {"x": {"$gte": 5}})");
  for (const Member& member : filter.object()) {
    if (member.name == "$and" || member.name == "$or" || member.name == "$nor") {
      if (!member.value.is_array()) refuse(text(member.name, " needs an array of filters"));
      for (const Value& inner : member.value.array()) find_name(inner, found);
    } else if (member.name.starts_with('$')) {
      if (member.name != "$comment")
        refuse(text(member.name, " cannot stand in an array filter; use conditions on its name"));
    } else {
      const std::string_view name = std::string_view(member.name).substr(0, member.name.find('.'));
      if (!is_name(name))
        refuse(text("the name \"", name, "\" must be letters and digits and begin with a lower-case letter"));
      if (!found.empty() && name != found)
        refuse(text("one filter has two names, \"", found, "\" and \"", name, "\"; make two"));
      found = name;
    }
  }
}

}  // namespace

ArrayFilters ArrayFilters::of(const Value& list) {
  ArrayFilters filters;
  if (!list.is_array()) refuse(R"(they must be an array, such as [{"x": {"$gte": 5}}])");
  for (const Value& filter : list.array()) {
    std::string_view name;
    find_name(filter, name);
    if (name.empty()) refuse(R"(one has no name; write {"x": …} for the elements of $[x])");
    if (filters.has(name)) refuse(text("there are two for \"", name, R"("; join them with {"$and": […]})"));
    filters.filters_.push_back(
        {std::string(name), Filter::of(filter, text("array filter \"", name, '"'), FilterOf::element)});
  }
  return filters;
}

const ArrayFilters::Named* ArrayFilters::find(std::string_view name) const {
  const auto at = std::ranges::find(filters_, name, &Named::name);
  return at == filters_.end() ? nullptr : &*at;
}

bool ArrayFilters::matches(std::string_view name, const Value& element) const {
  return find(name)->filter.matches(Object{{std::string(name), element}});
}

}  // namespace stele::model
