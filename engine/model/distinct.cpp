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

void Distinct::add(const Value& document) {
  reach(document, path_, [this](const Value* value, bool elements_visited) {
    if (value && !elements_visited) add_value(*value);
    return false;
  });
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
