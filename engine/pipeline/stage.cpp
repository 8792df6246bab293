// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/stage.h"

#include "engine/pipeline/row_codec.h"

namespace stele::pipeline {
namespace {

/// A stage's rows, counted and timed for explain.
class MeasuredRows final : public Rows {
 public:
  MeasuredRows(RowsPtr rows, std::vector<StageFigures>& figures, std::size_t stage)
      : rows_(std::move(rows)), figures_(figures), stage_(stage) {}

  bool next(Value& row) override {
    const auto begin = std::chrono::steady_clock::now();
    const bool there = rows_->next(row);
    figures_[stage_].time += std::chrono::steady_clock::now() - begin;
    figures_[stage_].rows_out += there;
    return there;
  }
  std::string_view document() const override { return rows_->document(); }

 private:
  RowsPtr rows_;
  std::vector<StageFigures>& figures_;
  std::size_t stage_;
};

}  // namespace

void Execution::check() {
  work_ = 0;
  if (interrupt) interrupt->check();
  if (stop && stop->load(std::memory_order_relaxed))
    fail(ErrorCode::interrupted, "interrupted: another thread of this pipeline failed", {{"reason", "cancel"}});
}

const Value* Evaluator::operator()(const Expression& expression, const Value& document, Value& own) {
  return with(document, [&](const model::Variables& variables) { return expression.evaluate(variables, own); });
}

void Evaluator::append_key(std::string& key, const model::Sort& sort, const Value& document, std::string_view what) {
  try {
    sort.append_key(key, document);
  } catch (const Error& error) {
    model::rethrow_at(Error(error.code(), text(what, ": ", error.message()), error.detail()), document);
  }
}

RowsPtr open_stages(Execution& execution, std::span<const StagePtr> stages, RowsPtr input) {
  for (const StagePtr& stage : stages) input = measured(execution, stage->open(execution, std::move(input)));
  return input;
}

RowsPtr measured(Execution& execution, RowsPtr rows) {
  if (!execution.figures) return rows;
  const std::size_t stage = execution.next_figure++;
  if (stage == execution.figures->size()) execution.figures->emplace_back();
  return std::make_unique<MeasuredRows>(std::move(rows), *execution.figures, stage);
}

void put_at(Value& row, const model::Path& path, Value value) {
  Value* at = &row;
  for (const model::Step& step : path.steps()) {
    if (!at->is_object()) *at = Object();
    Value* next = at->find(step.name);
    if (!next) {
      at->object().push_back({step.name, {}});
      next = &at->object().back().value;
    }
    at = next;
  }
  *at = std::move(value);
}

void erase_at(Value& row, const model::Path& path) {
  Value* parent = &row;
  for (std::size_t i = 0; i + 1 < path.steps().size(); ++i) parent = parent->find(path.steps()[i].name);
  std::erase_if(parent->object(), [&](const model::Member& member) { return member.name == path.steps().back().name; });
}

void check_row_size(const Settings& settings, const Value& row, std::string_view what) {
  if (json_bytes_at_most(row) > settings.limits.bytes_max) check_row_size(settings, model::to_json(row).size(), what);
}

void check_row_size(const Settings& settings, std::size_t bytes, std::string_view what) {
  if (bytes <= settings.limits.bytes_max) return;
  fail(ErrorCode::too_large,
       text(what, ": it makes a document of ", bytes, " bytes; a document holds at most ", settings.limits.bytes_max,
            ": gather less, or $unwind and $project before"),
       {{"reason", "TooLarge"}, {"size", std::to_string(bytes)}, {"limit", std::to_string(settings.limits.bytes_max)}});
}

}  // namespace stele::pipeline
