// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/subpipeline.h"

#include "engine/model/key.h"
#include "engine/pipeline/row_codec.h"

#include <algorithm>

namespace stele::pipeline {

Foreign::Foreign(Execution& execution, const SourceName& source, const model::Path& field, Value filter,
                 std::string what)
    : execution_(execution),
      source_(source),
      field_(field),
      filter_(std::move(filter)),
      what_(std::move(what)),
      mode_(execution.sources.seeks(source, field) ? Mode::lookups : Mode::unread) {}

// As filters see it: an array's elements and the array itself, null for missing.
void Foreign::read() {
  Request request;
  request.filter = model::Filter::of(filter_, what_);
  request.filter.set_now(execution_.settings.now);
  Opened opened = execution_.sources.open(source_, request);
  std::size_t bytes = 0;
  std::string key;
  mode_ = Mode::table;
  while (const auto text = opened.cursors.at(0)->next()) {
    execution_.tick(text->size() + 256);
    const auto number = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(*text);
    bytes += 2 * sizeof(std::string) + text->size();
    model::reach(parser_.parse(*text), field_, [&](const Value* value, bool) {
      key.clear();
      model::append_sort_element(key, value ? *value : Value());
      auto& numbers = by_value_[key];
      if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
      bytes += key.size() + 64;
      return false;
    });
    if (bytes <= execution_.stage_bytes) continue;
    mode_ = Mode::lookups;
    texts_ = {};
    by_value_ = {};
    return;
  }
}

std::vector<std::uint32_t> Foreign::candidates(const Array& values) const {
  std::vector<std::uint32_t> found;
  std::string key;
  for (const Value& value : values) {
    key.clear();
    model::append_sort_element(key, value);
    if (const auto at = by_value_.find(key); at != by_value_.end())
      found.insert(found.end(), at->second.begin(), at->second.end());
  }
  if (values.size() > 1) {
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
  }
  return found;
}

Request Foreign::request_for(const Array& values) const {
  Value equality = Object{{field_.text(), Object{{"$in", values}}}};
  const auto is_regex = [](const Value& value) { return value.type() == model::Type::regex; };
  if (std::ranges::any_of(values, is_regex)) {  // $in would match by it
    Array each;
    for (const Value& value : values) each.push_back(Object{{field_.text(), Object{{"$eq", value}}}});
    equality = Object{{"$or", std::move(each)}};
  }
  Request request;
  request.filter =
      model::Filter::of(filter_.object().empty() ? equality : Value(Object{{"$and", Array{equality, filter_}}}), what_);
  request.filter.set_now(execution_.settings.now);
  return request;
}

RowsPtr Foreign::open(const Request& request) const {
  Opened opened = execution_.sources.open(source_, request);
  return scan(execution_, std::move(opened.cursors.at(0)), Needs::all());
}

Array values_at(const Value& document, const model::Path& path) {
  Array values;
  model::reach(document, path, [&](const Value* value, bool elements_visited) {
    if (value && !elements_visited) values.push_back(*value);
    return false;
  });
  if (values.empty()) values.push_back(Value());
  return values;
}

void GrowingArray::add(Value value) {
  bytes_ += bytes_in_memory(value) / 4;  // about as text
  check_row_size(settings_, bytes_, what_);
  values_.push_back(std::move(value));
}

}  // namespace stele::pipeline
