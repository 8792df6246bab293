// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $match
#include "engine/pipeline/match.h"

#include "engine/pipeline/parse.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

class MatchRows final : public Rows {
 public:
  MatchRows(Execution& execution, RowsPtr input, const Match& match)
      : execution_(execution), input_(std::move(input)), filter_(match.filter()), evaluate_(execution) {
    filter_.set_variables(execution.variables);
  }

  bool next(Value& row) override {
    while (input_->next(row)) {
      execution_.tick();
      if (evaluate_.with(row, [&](const model::Variables&) { return filter_.matches(row); })) return true;
    }
    return false;
  }

 private:
  Execution& execution_;
  RowsPtr input_;
  model::Filter filter_;
  Evaluator evaluate_;
};

// Filters that all must hold, each with one member.
void add_conditions(const Value& filter, Array& out) {
  for (const model::Member& member : filter.object()) {
    if (member.name == "$and")
      for (const Value& part : member.value.array()) add_conditions(part, out);
    else
      out.push_back(Object{member});
  }
}

Value filter_of(Array conditions) {
  if (conditions.size() == 1) return std::move(conditions[0]);
  return Object{{"$and", std::move(conditions)}};
}

}  // namespace

Match::Match(std::string what, Value text, std::vector<std::string> variables)
    : Stage(std::move(what)),
      text_(std::move(text)),
      variables_(std::move(variables)),
      filter_(model::Filter::of(text_, this->what(), model::FilterOf::document, variables_)) {
  Needs needs = Needs::nothing();
  trace_needs(needs);
  paths_ = needs.is_all() ? std::nullopt : std::optional(needs.paths());
}

RowsPtr Match::open(Execution& execution, RowsPtr input) const {
  return std::make_unique<MatchRows>(execution, std::move(input), *this);
}

void Match::trace_needs(Needs& needs) const { needs.add(filter_.root()); }

bool Match::may_precede(const Stage& stage) const {
  if (!paths_) return false;
  if (paths_->empty()) return stage.gives_row_by_row();
  return std::ranges::all_of(*paths_, [&](const std::string& path) { return stage.keeps(model::Path(path)); });
}

std::pair<StagePtr, StagePtr> Match::split(const Stage& stage) const {
  Array conditions, before, behind;
  add_conditions(text_, conditions);
  for (Value& condition : conditions) {
    const bool precedes = Match(what(), condition, variables_).may_precede(stage);
    (precedes ? before : behind).push_back(std::move(condition));
  }
  const auto match = [this](Array some) -> StagePtr {
    if (some.empty()) return nullptr;
    return std::make_shared<Match>(what(), filter_of(std::move(some)), variables_);
  };
  return {match(std::move(before)), match(std::move(behind))};
}

StagePtr Match::combined(const Match& other) const {
  if (text_.object().empty()) return std::make_shared<Match>(what(), other.text_, variables_);
  if (other.text_.object().empty()) return std::make_shared<Match>(what(), text_, variables_);
  return std::make_shared<Match>(what(), Object{{"$and", Array{text_, other.text_}}}, variables_);
}

Stages parse_match(const Value& spec, const Place& place) {
  return {std::make_shared<Match>(place.what, spec, place.variables)};
}

}  // namespace stele::pipeline
