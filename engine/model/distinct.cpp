// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/distinct.h"

#include "engine/base/error.h"
#include "engine/model/key.h"

namespace stele::model {

Distinct::Distinct(std::string_view path, std::size_t bytes_max) : path_(path), bytes_max_(bytes_max) {
  for (const Step& step : path_.steps())
    if (step.name.empty() || step.name.starts_with('$'))
      fail(ErrorCode::invalid, text("distinct: the path \"", path, "\" has a step that is empty or begins with '$'"),
           {{"reason", "InvalidPath"}});
}

void Distinct::add(const Value& document) { add_from(document, 0); }

// The step is a member's name in an object, an index in an array.
void Distinct::add_from(const Value& holder, std::size_t step) {
  const auto& [name, index] = path_.steps()[step];
  const Value* value = nullptr;
  if (holder.is_object()) {
    value = holder.find(name);
  } else if (index && *index < holder.array().size()) {
    value = &holder.array()[*index];
  }
  if (!value) return;
  const bool last = step + 1 == path_.steps().size();
  if (last && value->is_array()) {
    for (const Value& element : value->array()) add_value(element);
  } else if (last) {
    add_value(*value);
  } else if (value->is_object() || (value->is_array() && path_.steps()[step + 1].index)) {
    add_from(*value, step + 1);
  } else if (value->is_array()) {
    for (const Value& element : value->array())
      if (element.is_object() || element.is_array()) add_from(element, step + 1);
  }
}

void Distinct::add_value(const Value& value) {
  std::string element;
  append_sort_element(element, value);
  const std::size_t bytes = element.size();
  if (!seen_.insert(std::move(element)).second) return;
  bytes_ += bytes;
  if (bytes_ > bytes_max_)
    fail(ErrorCode::too_large,
         text("distinct: the values of \"", path_.text(), "\" exceed ", bytes_max_,
              " bytes; find them with a filter, in parts"),
         {{"reason", "TooLarge"}, {"limit", std::to_string(bytes_max_)}});
  values_.push_back(value);
}

}  // namespace stele::model
