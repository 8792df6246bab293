// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/subpipeline.h"

#include "engine/model/key.h"
#include "engine/pipeline/row_codec.h"

#include <algorithm>

namespace stele::pipeline {

class Foreign::TableRows final : public Rows {
 public:
  TableRows(Foreign& table, std::vector<std::uint32_t> numbers) : table_(table), numbers_(std::move(numbers)) {}
  bool next(Value& row) override {
    if (at_ == numbers_.size()) return false;
    const std::string& text = table_.texts_[numbers_[at_++]];
    table_.execution_.tick(256 + text.size());
    row = table_.parser_.parse(text);
    return true;
  }

 private:
  Foreign& table_;
  const std::vector<std::uint32_t> numbers_;
  std::size_t at_ = 0;
};

/// What is looked up, as it is read. When it comes to its end it is kept.
class Foreign::FoundRows final : public Rows {
 public:
  /// `key`: empty when it is not to be kept.
  FoundRows(Foreign& table, std::unique_ptr<Request> request, RowsPtr rows, std::string key)
      : table_(table), request_(std::move(request)), rows_(std::move(rows)), key_(std::move(key)) {}

  bool next(Value& row) override {
    if (!rows_->next(row)) {
      if (!key_.empty()) table_.keep(std::move(key_), std::move(texts_), bytes_);
      key_.clear();
      return false;
    }
    if (!key_.empty()) add(rows_->document());
    return true;
  }

 private:
  void add(std::string_view text) {
    bytes_ += 2 * sizeof(std::string) + text.size();
    if (bytes_ <= table_.execution_.stage_bytes / 4) {
      texts_.emplace_back(text);
    } else {
      key_.clear();
      texts_ = {};
    }
  }

  Foreign& table_;
  const std::unique_ptr<Request> request_;
  const RowsPtr rows_;
  std::string key_;
  std::vector<std::string> texts_;
  std::size_t bytes_ = 0;
};

Foreign::Foreign(Execution& execution, const SourceName& source, const model::Path& field, Missing missing,
                 const Match* match, std::string what)
    : execution_(execution),
      source_(source),
      field_(field),
      missing_(missing),
      match_(match),
      what_(std::move(what)),
      seeks_(execution.sources.seeks(source, field)),
      mode_(seeks_ ? Mode::lookups : Mode::unread) {}

Opened Foreign::open(const Request& request) {
  Opened opened = execution_.sources.open(source_, request);
  ++reads_;
  last_how_ = std::move(opened.how);
  return opened;
}

Value Foreign::how() const {
  if (reads_ == 0) return {};
  const char* strategy = mode_ == Mode::table ? "HashJoin" : seeks_ ? "IndexedLoopJoin" : "NestedLoopJoin";
  Object how = {{"strategy", strategy}, {"reads", reads_}};
  if (last_how_.is_object()) how.push_back({"last", last_how_});
  return how;
}

// As filters see it: an array's elements and the array itself, null for missing. But a document that has nothing at the
// path is left out where missing is nothing.
void Foreign::read() {
  Request request;
  if (match_) request.filter = match_->filter();
  request.filter.set_variables(execution_.variables);
  Opened opened = open(request);
  std::string key;
  mode_ = Mode::table;
  while (const auto text = opened.cursors.at(0)->next()) {
    execution_.tick(text->size() + 256);
    const Value document = parser_.parse(*text);
    if (missing_ == Missing::is_nothing &&
        !model::reach(document, field_, [](const Value* value, bool) { return value != nullptr; }))
      continue;
    const auto number = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(*text);
    bytes_ += 2 * sizeof(std::string) + text->size();
    model::reach(document, field_, [&](const Value* value, bool) {
      key.clear();
      model::append_sort_element(key, value ? *value : Value());
      auto& numbers = by_value_[key];
      if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
      bytes_ += key.size() + 64;
      return false;
    });
    if (bytes_ <= execution_.stage_bytes) continue;
    mode_ = Mode::lookups;
    return forget();
  }
}

void Foreign::forget() {
  texts_ = {};
  by_value_ = {};
  bytes_ = 0;
}

void Foreign::keep(std::string key, std::vector<std::string> texts, std::size_t bytes) {
  bytes += key.size() + 64 + texts.size() * sizeof(std::uint32_t);
  if (bytes_ + bytes > execution_.stage_bytes) forget();
  bytes_ += bytes;
  auto& numbers = by_value_[std::move(key)];
  for (std::string& text : texts) {
    numbers.push_back(static_cast<std::uint32_t>(texts_.size()));
    texts_.push_back(std::move(text));
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

Value Foreign::filter_for(const Array& values) const {
  Array conditions = {Object{{field_.text(), Object{{"$in", values}}}}};
  const auto is_regex = [](const Value& value) { return value.type() == model::Type::regex; };
  if (std::ranges::any_of(values, is_regex)) {  // $in would match by it
    Array each;
    for (const Value& value : values) each.push_back(Object{{field_.text(), Object{{"$eq", value}}}});
    conditions = {Object{{"$or", std::move(each)}}};
  }
  if (missing_ == Missing::is_nothing && std::ranges::any_of(values, &Value::is_null))
    conditions.push_back(Object{{field_.text(), Object{{"$exists", true}}}});
  if (match_) conditions.push_back(match_->text());
  return conditions.size() == 1 ? std::move(conditions[0]) : Value(Object{{"$and", std::move(conditions)}});
}

RowsPtr Foreign::find(const Array& values) {
  if (mode_ == Mode::unread) read();
  if (mode_ == Mode::table) return std::make_unique<TableRows>(*this, candidates(values));
  std::string key;
  if (values.size() == 1) {
    model::append_sort_element(key, values[0]);
    if (by_value_.contains(key)) return std::make_unique<TableRows>(*this, candidates(values));
  }
  auto request = std::make_unique<Request>();
  request->filter =
      Match(what_, filter_for(values), match_ ? match_->variables() : std::vector<std::string>()).filter();
  request->filter.set_variables(execution_.variables);
  Opened opened = open(*request);
  RowsPtr rows = scan(execution_, std::move(opened.cursors.at(0)), Needs::all());
  return std::make_unique<FoundRows>(*this, std::move(request), std::move(rows), std::move(key));
}

Array values_at(const Value& document, const model::Path& path) {
  Array values;
  model::reach_whole(document, path, [&](const Value* value, bool) {
    if (value && value->is_array())
      values.insert(values.end(), value->array().begin(), value->array().end());
    else if (value)
      values.push_back(*value);
    return false;
  });
  if (values.empty()) values.push_back(Value());
  return values;
}

void GrowingArray::add(Value value) {
  values_.push_back(std::move(value));
  bytes_ += exact_ ? model::to_json(values_.back()).size() : json_bytes_at_most(values_.back());
  if (bytes_ <= settings_.limits.bytes_max) return;
  if (!exact_) {
    exact_ = true;
    bytes_ = 0;
    for (const Value& one : values_) bytes_ += model::to_json(one).size();
  }
  check_row_size(settings_, bytes_, what_);
}

}  // namespace stele::pipeline
