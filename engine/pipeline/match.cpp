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
      : execution_(execution),
        input_(std::move(input)),
        filter_(match.filter()),
        expressions_(match.expressions()),
        evaluate_(execution) {
    filter_.set_now(execution.settings.now);
  }

  bool next(Value& row) override {
    while (input_->next(row)) {
      execution_.tick();
      const auto holds = [&](const model::Variables&) { return filter_.matches(row); };
      if (evaluate_.with(row, holds) &&
          std::ranges::all_of(expressions_, [&](const Expression& one) { return evaluate_.is_true(one, row); }))
        return true;
    }
    return false;
  }

 private:
  Execution& execution_;
  RowsPtr input_;
  model::Filter filter_;
  const std::vector<Expression>& expressions_;
  Evaluator evaluate_;
};

// Takes the $expr that every match must fulfil out of the filter: they may read variables, which filters do not know.
Value without_expressions(const Value& filter, const Place& place, std::vector<Expression>& expressions) {
  Object out;
  for (const model::Member& member : filter.object()) {
    if (member.name == "$expr") {
      expressions.push_back(place.at("$expr").expression(member.value, ""));
    } else if (member.name == "$and" && member.value.is_array() &&
               std::ranges::all_of(member.value.array(), &Value::is_object)) {
      Array parts;
      for (const Value& part : member.value.array()) parts.push_back(without_expressions(part, place, expressions));
      if (parts.empty()) parts.push_back(Object());
      out.push_back({"$and", std::move(parts)});
    } else {
      out.push_back(member);
    }
  }
  return out;
}

}  // namespace

Match::Match(std::string what, Value text, std::vector<Expression> expressions)
    : Stage(std::move(what)),
      text_(std::move(text)),
      filter_(model::Filter::of(text_, this->what())),
      expressions_(std::move(expressions)) {
  Needs needs = Needs::nothing();
  trace_needs(needs);
  paths_ = needs.is_all() ? std::nullopt : std::optional(needs.paths());
}

RowsPtr Match::open(Execution& execution, RowsPtr input) const {
  return std::make_unique<MatchRows>(execution, std::move(input), *this);
}

void Match::trace_needs(Needs& needs) const {
  needs.add(filter_.root());
  for (const Expression& expression : expressions_) needs.add(expression);
}

StagePtr Match::combined(const Match& other) const {
  std::vector<Expression> expressions = expressions_;
  expressions.insert(expressions.end(), other.expressions_.begin(), other.expressions_.end());
  if (text_.object().empty()) return std::make_shared<Match>(what(), other.text_, std::move(expressions));
  if (other.text_.object().empty()) return std::make_shared<Match>(what(), text_, std::move(expressions));
  return std::make_shared<Match>(what(), Object{{"$and", Array{text_, other.text_}}}, std::move(expressions));
}

StagePtr Match::only_expressions() const {
  return expressions_.empty() ? nullptr : std::make_shared<Match>(what(), Object(), expressions_);
}

Stages parse_match(const Value& spec, const Place& place) {
  std::vector<Expression> expressions;
  const bool has_variables = spec.is_object() && !place.variables.empty();
  const Value filter = has_variables ? without_expressions(spec, place, expressions) : spec;
  return {std::make_shared<Match>(place.what, filter, std::move(expressions))};
}

}  // namespace stele::pipeline
