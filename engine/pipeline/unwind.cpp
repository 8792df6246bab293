// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/unwind.h"

#include "engine/pipeline/parse.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

// Through objects only, as MongoDB; null: missing.
Value* at_path(Value& row, const model::Path& path) {
  Value* value = &row;
  for (const model::Step& step : path.steps()) {
    if (!value->is_object()) return nullptr;
    value = value->find(step.name);
    if (!value) return nullptr;
  }
  return value;
}

class UnwindRows final : public Rows {
 public:
  UnwindRows(Execution& execution, RowsPtr input, const UnwindSpec& spec)
      : execution_(execution), input_(std::move(input)), spec_(spec) {}

  bool next(Value& row) override {
    for (;;) {
      execution_.tick();
      if (position_ < elements_.size()) return take_element(row);
      if (!input_->next(row)) return false;
      Value* value = at_path(row, spec_.path);
      if (value && value->is_array() && !value->array().empty()) {
        elements_ = std::move(value->array());
        *value = Value();
        position_ = 0;
        rest_ = std::move(row);
        continue;
      }
      const bool is_element = value && !value->is_null() && !value->is_array();
      if (!is_element && !spec_.preserve) continue;
      if (value && value->is_array()) erase_at(row, spec_.path);
      if (spec_.index) put_at(row, *spec_.index, Value());
      return true;
    }
  }

 private:
  bool take_element(Value& row) {
    const bool last = position_ + 1 == elements_.size();
    row = last ? std::move(rest_) : rest_;
    *at_path(row, spec_.path) = std::move(elements_[position_]);
    if (spec_.index) put_at(row, *spec_.index, static_cast<std::int64_t>(position_));
    ++position_;
    return true;
  }

  Execution& execution_;
  RowsPtr input_;
  const UnwindSpec& spec_;
  Array elements_;
  std::size_t position_ = 0;
  Value rest_;  // the row, with null where the array was
};

}  // namespace

RowsPtr Unwind::open(Execution& execution, RowsPtr input) const {
  return std::make_unique<UnwindRows>(execution, std::move(input), spec_);
}

bool Unwind::keeps(const model::Path& path) const {
  return !paths_overlap(path.text(), spec_.path.text()) &&
         (!spec_.index || !paths_overlap(path.text(), spec_.index->text()));
}

Stages parse_unwind(const Value& spec, const Place& place) {
  UnwindSpec out;
  if (spec.is_string()) {
    out.path = place.reference(spec, "");
    return {std::make_shared<Unwind>(place.what, std::move(out))};
  }
  const auto parts = place.members(spec, "path includeArrayIndex? preserveNullAndEmptyArrays?");
  out.path = place.reference(*parts[0], "path");
  if (parts[1]) out.index = place.path(*parts[1], "includeArrayIndex");
  if (parts[2] && parts[2]->type() != model::Type::boolean)
    place.refuse("\"preserveNullAndEmptyArrays\" needs true or false");
  out.preserve = parts[2] && parts[2]->boolean();
  return {std::make_shared<Unwind>(place.what, std::move(out))};
}

}  // namespace stele::pipeline
