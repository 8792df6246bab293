// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $lookup: the documents of another source that belong to a row, by equality, by a pipeline, or by both.
#include "engine/pipeline/parse.h"
#include "engine/pipeline/spool.h"
#include "engine/pipeline/subpipeline.h"
#include "engine/pipeline/unwind.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

struct LookupSpec {
  std::string what;
  SourceName from;
  model::Path as;
  std::optional<model::Path> local, foreign;
  std::vector<std::pair<std::string, Expression>> let;
  bool has_pipeline = false;
  Stages stages;  // of the pipeline, for documents that are there already
  Plan plan;      // of the pipeline, over the whole source
  // A pipeline that begins with {"$match": {"$expr": {"$eq": ["$foreign", "$$variable"]}}}: then only documents with
  // that value have to be looked at.
  std::optional<Expression> variable;
  std::optional<UnwindSpec> unwind;  // of what was found

  bool is_correlated() const { return local || !let.empty(); }
};

/// Each row with an array of what belongs to it; or, with an $unwind, once with each: then nothing is held at once.
class LookupRows final : public Rows {
 public:
  LookupRows(Execution& execution, RowsPtr input, const LookupSpec& spec)
      : execution_(execution),
        inner_(inner_execution(execution)),
        input_(std::move(input)),
        spec_(spec),
        evaluate_(execution),
        runs_(execution, spec.has_pipeline ? 1 : 0) {
    if (spec.foreign) foreign_.emplace(inner_, spec.from, *spec.foreign, Missing::is_null, nullptr, spec.what);
  }

  bool next(Value& row) override {
    if (spec_.unwind) return next_pair(row);
    if (!input_->next(row)) return false;
    execution_.tick();
    put_at(row, spec_.as, spec_.is_correlated() ? Value(all_of(*found_for(row))) : once());
    return true;
  }

 private:
  // The same for all rows.
  Value once() {
    if (!once_) once_ = Value(all_of(*run_plan()));
    return *once_;
  }

  Array all_of(Rows& rows) {
    GrowingArray found(execution_.settings, spec_.what);
    Value row;
    while (rows.next(row)) {
      execution_.tick();
      found.add(std::move(row));
    }
    return found.take();
  }

  bool next_pair(Value& row) {
    for (;;) {
      execution_.tick();
      Value found;
      if (found_ && found_->next(found)) {
        row = left_;
        put_at(row, spec_.as, std::move(found));
        if (spec_.unwind->index) put_at(row, *spec_.unwind->index, pairs_);
        ++pairs_;
        return true;
      }
      const bool alone = found_ && pairs_ == 0 && spec_.unwind->preserve;
      found_.reset();
      if (alone) {
        row = std::move(left_);
        put_at(row, spec_.as, Value());
        erase_at(row, spec_.as);
        if (spec_.unwind->index) put_at(row, *spec_.unwind->index, Value());
        return true;
      }
      if (!input_->next(left_)) return false;
      found_ = spec_.is_correlated() ? found_for(left_) : found_once();
      pairs_ = 0;
    }
  }

  RowsPtr found_once() {
    if (!spool_) {
      spool_.emplace(inner_, inner_.stage_bytes, spec_.what);
      spool_->add_all(*run_plan());
    }
    return spool_->rows();
  }

  RowsPtr found_for(const Value& row) {
    bind(row);
    if (!foreign_) return run_plan();
    Array values;
    if (spec_.local) {
      values = values_at(row, *spec_.local);
    } else {
      Value own;
      static const Value nothing = Object();
      Evaluator evaluate(inner_);  // the value lives in its variables
      const Value* value = evaluate(*spec_.variable, nothing, own);
      if (value && value->is_array()) return run_plan();
      values.push_back(value ? *value : Value());
    }
    RowsPtr rows = foreign_->find(values);
    runs_.note_how(*foreign_);
    if (!spec_.has_pipeline) return rows;
    runs_.begin(inner_, 0);
    return open_stages(inner_, spec_.stages, measured(inner_, std::move(rows)));
  }

  RowsPtr run_plan() {
    runs_.begin(inner_, 0);
    return open_plan(inner_, spec_.from, spec_.plan);
  }

  void bind(const Value& row) {
    for (const auto& [name, expression] : spec_.let) {
      Value own;
      if (const Value* value = evaluate_(expression, row, own))
        inner_.variables.named[name] = *value;
      else
        inner_.variables.named.erase(name);
    }
  }

  Execution& execution_;
  Execution inner_;
  RowsPtr input_;
  const LookupSpec& spec_;
  Evaluator evaluate_;
  InnerRuns runs_;
  std::optional<Foreign> foreign_;
  std::optional<Value> once_;
  // With an $unwind: a row, and the rest of what belongs to it.
  std::optional<Spool> spool_;
  Value left_;
  RowsPtr found_;
  std::int64_t pairs_ = 0;
};

class Lookup final : public Stage {
 public:
  explicit Lookup(LookupSpec spec) : Stage(spec.what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<LookupRows>(execution, std::move(input), spec_);
  }
  void trace_needs(Needs& needs) const override {
    if (spec_.local) needs.add(spec_.local->text());
    for (const auto& [name, expression] : spec_.let) needs.add(expression);
  }
  bool keeps(const model::Path& path) const override { return !paths_overlap(path.text(), spec_.as.text()); }
  bool one_to_one() const override { return !spec_.unwind; }
  std::shared_ptr<const Stage> fused_with(const Stage& next) const override {
    const auto* unwind = dynamic_cast<const Unwind*>(&next);
    if (spec_.unwind || !unwind || unwind->spec().path.text() != spec_.as.text()) return nullptr;
    LookupSpec fused = spec_;
    fused.unwind = unwind->spec();
    return std::make_shared<Lookup>(std::move(fused));
  }
  std::size_t gathers() const override {
    const bool spools = spec_.unwind && !spec_.is_correlated();
    return spec_.plan.gathers() + (spec_.foreign || spools ? 1 : 0);
  }
  std::vector<std::vector<const Stage*>> inner_stages() const override {
    if (!spec_.has_pipeline) return {};
    std::vector<const Stage*> list = spec_.foreign ? listed(spec_.stages) : spec_.plan.listed_stages();
    if (spec_.foreign) list.insert(list.begin(), nullptr);
    return {std::move(list)};
  }
  Value notes() const override {
    Object notes = {{"from", spec_.from.value()}};
    if (spec_.foreign) notes.push_back({"by", spec_.foreign->text()});
    if (spec_.unwind) notes.push_back({"unwinds", true});
    return notes;
  }

 private:
  LookupSpec spec_;
};

bool is_reference(const Value& value, std::string_view begin, std::string_view not_begin) {
  return value.is_string() && value.string().starts_with(begin) &&
         (not_begin.empty() || !value.string().starts_with(not_begin));
}

// {"$eq": ["$foreign", "$$variable"]}, either way round, in $expr or in its $and.
void find_equality(const Value& expression, const Place& place, LookupSpec& out) {
  if (out.foreign || !expression.is_object() || expression.object().size() != 1) return;
  const auto& [name, arguments] = expression.object()[0];
  if (!arguments.is_array()) return;
  if (name == "$and")
    for (const Value& part : arguments.array()) find_equality(part, place, out);
  if (name != "$eq" || arguments.array().size() != 2) return;
  for (const std::size_t i : {0u, 1u}) {
    const Value &field = arguments.array()[i], &variable = arguments.array()[1 - i];
    const std::string dotted = variable.is_string() ? variable.string() : "";
    const std::string_view name_of = std::string_view(dotted).substr(0, dotted.find('.'));
    const bool is_let = std::ranges::any_of(out.let, [&](const auto& one) { return text("$$", one.first) == name_of; });
    if (!is_let || !is_reference(field, "$", "$$")) continue;
    out.foreign = model::Path(std::string_view(field.string()).substr(1));
    out.variable = place.expression(variable, "pipeline");
    return;
  }
}

void find_equality_in(const Value& pipeline, const Place& place, LookupSpec& out) {
  if (pipeline.array().empty()) return;
  const Value* match = pipeline.array()[0].find("$match");
  if (!match) return;
  for (const model::Member& member : match->object()) {
    if (member.name == "$expr") find_equality(member.value, place, out);
    if (member.name != "$and") continue;
    for (const Value& part : member.value.array())
      if (const Value* expression = part.find("$expr")) find_equality(*expression, place, out);
  }
}

void parse_pipeline(const Value& let, const Value& pipeline, const Place& place, LookupSpec& out) {
  Place inner = place.at("pipeline");
  inner.depth = place.depth + 1;
  for (const auto& [name, expression] : place.object(let, R"({"author": "$author"})")) {
    place.check_variable_name(name);
    out.let.emplace_back(name, place.expression(expression, text("let.", name)));
    inner.variables.push_back(name);
  }
  const Stages stages = parse_stages(pipeline, inner);
  out.plan = Plan::of(stages);
  out.stages = rearranged(stages);
  out.has_pipeline = true;
  if (!out.local) find_equality_in(pipeline, inner, out);
}

}  // namespace

Stages parse_lookup(const Value& spec, const Place& place) {
  const auto parts = place.members(spec, "from as localField? foreignField? let? pipeline?");
  LookupSpec out;
  out.what = place.what;
  out.from = SourceName::parse(*parts[0], text(place.what, ", \"from\""));
  out.as = place.path(*parts[1], "as");
  if (!parts[2] != !parts[3]) place.refuse("\"localField\" and \"foreignField\" belong together");
  if (parts[2]) {
    out.local = place.path(*parts[2], "localField");
    out.foreign = place.path(*parts[3], "foreignField");
  }
  if (!parts[2] && !parts[5]) place.refuse("it needs \"localField\" and \"foreignField\", or \"pipeline\"");
  if (parts[4] && !parts[5]) place.refuse("\"let\" is for a \"pipeline\", and there is none");
  const Value none = Object();
  if (parts[5]) parse_pipeline(parts[4] ? *parts[4] : none, *parts[5], place, out);
  return {std::make_shared<Lookup>(std::move(out))};
}

}  // namespace stele::pipeline
