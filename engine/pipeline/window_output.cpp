// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What $setWindowFields sets in the rows of a partition.
#include "engine/pipeline/window.h"

#include <algorithm>

namespace stele::pipeline {

OutputValues::OutputValues(Execution& execution, Evaluator& evaluate, const WindowSpec& spec,
                           const WindowOutput& output, const Partition& partition, std::size_t& bytes)
    : execution_(execution), evaluate_(evaluate), spec_(spec), output_(output), partition_(partition), bytes_(bytes) {
  if (output.accumulator) gathered_ = output.accumulator->begin();
}

Value OutputValues::at(std::size_t i) {
  execution_.tick();
  switch (output_.kind) {
    case WindowOutput::Kind::accumulate: return accumulated(i);
    case WindowOutput::Kind::shift: return shifted(i);
    default: return rank(i);
  }
}

Value OutputValues::rank(std::size_t i) {
  const auto number = static_cast<std::int64_t>(i + 1);
  if (i == 0 || partition_.keys[i] != partition_.keys[i - 1]) {
    rank_ = number;
    ++dense_rank_;
  }
  if (output_.kind == WindowOutput::Kind::rank) return rank_;
  return output_.kind == WindowOutput::Kind::dense_rank ? dense_rank_ : number;
}

// Missing there is like no row there, as in MongoDB.
Value OutputValues::shifted(std::size_t i) {
  const std::int64_t from = static_cast<std::int64_t>(i) + output_.shift_by;
  Value own;
  const Value* value = nullptr;
  if (from >= 0 && from < static_cast<std::int64_t>(size()))
    value = evaluate_(*output_.shifted, partition_.rows[static_cast<std::size_t>(from)], own);
  if (!value && output_.shift_default) value = output_.shift_default->constant();
  return value ? *value : Value();
}

void OutputValues::forget() {
  gathered_ = output_.accumulator->begin();
  bytes_ -= std::exchange(own_bytes_, 0);
}

// The window moves forward only; what leaves is taken out again, or all is gathered anew.
Value OutputValues::accumulated(std::size_t i) {
  const Accumulator& accumulator = *output_.accumulator;
  const auto [begin, end] = bounds(i);
  if (begin > from_ || end > to_) result_.reset();
  if (begin > from_ && !(accumulator.is_removable() && begin <= to_)) {
    forget();
    from_ = to_ = begin;
  }
  for (; from_ < begin; ++from_) accumulator.remove(gathered_, evaluate_, partition_.rows[from_]);
  for (; to_ < end; ++to_) {
    execution_.tick();
    const std::size_t grown = accumulator.add(gathered_, evaluate_, partition_.rows[to_]);
    own_bytes_ += grown;
    bytes_ += grown;
    if (bytes_ > execution_.stage_bytes)
      fail(ErrorCode::too_large,
           text(spec_.what, ": the windows of a partition hold more than ", execution_.stage_bytes,
                " bytes; make the windows or the partitions smaller"),
           {{"reason", "Memory"}, {"limit", std::to_string(execution_.stage_bytes)}});
  }
  execution_.tick(own_bytes_);  // the result is as large, whether it is made or copied
  if (!result_) {
    Gathered copy = gathered_;
    result_ = accumulator.result(std::move(copy));
  }
  return *result_;
}

double OutputValues::sort_value(std::size_t i) const {
  const Value* found = nullptr;
  const model::Path& path = spec_.sort.fields()[0].path;
  model::reach_whole(partition_.rows[i], path, [&](const Value* value, bool) {
    found = value;
    return true;
  });
  const bool of_dates = output_.window.by == Window::By::date;
  if (found && of_dates && found->type() == model::Type::date) return static_cast<double>(found->date().milliseconds);
  if (found && !of_dates && found->is_number()) return found->number();
  return evaluate_.with(partition_.rows[i], [&](const model::Variables&) -> double {
    fail(ErrorCode::invalid,
         text(spec_.what, ": a window by \"range\" ",
              of_dates ? "with \"unit\" needs dates" : "without \"unit\" needs numbers", " at \"", path.text(),
              "\", not ", found ? text("a value of type ", model::name(found->type())) : "a missing value"),
         {{"reason", "WrongType"}});
  });
}

std::pair<std::size_t, std::size_t> OutputValues::bounds(std::size_t i) {
  const Window& window = output_.window;
  if (window.by == Window::By::position) {
    const double last = static_cast<double>(size()), at = static_cast<double>(i);
    const double begin = window.lower ? std::clamp(at + *window.lower, 0.0, last) : 0;
    const double end = window.upper ? std::clamp(at + *window.upper + 1, 0.0, last) : last;
    return {static_cast<std::size_t>(begin), static_cast<std::size_t>(std::max(begin, end))};
  }
  for (std::size_t k = numbers_.size(); k < size(); ++k) numbers_.push_back(sort_value(k));
  const auto offset = [this](auto at) { return static_cast<std::size_t>(at - numbers_.begin()); };
  const std::size_t begin = window.lower ? offset(std::ranges::lower_bound(numbers_, numbers_[i] + *window.lower)) : 0;
  const std::size_t end =
      window.upper ? offset(std::ranges::upper_bound(numbers_, numbers_[i] + *window.upper)) : size();
  return {begin, std::max(begin, end)};
}

}  // namespace stele::pipeline
