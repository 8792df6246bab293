// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $facet and $unionWith.
#include "engine/pipeline/parse.h"
#include "engine/pipeline/spool.h"
#include "engine/pipeline/subpipeline.h"

namespace stele::pipeline {
namespace {

// $facet

struct FacetPart {
  std::string name;
  Stages stages;
};

class FacetRows final : public Rows {
 public:
  FacetRows(Execution& execution, RowsPtr input, const std::vector<FacetPart>& parts, const std::string& what)
      : inner_(inner_execution(execution)),
        input_(std::move(input)),
        parts_(parts),
        what_(what),
        runs_(execution, parts.size()) {}

  bool next(Value& row) override {
    if (!input_) return false;
    Spool spool(inner_, inner_.stage_bytes, what_);
    spool.add_all(*input_);
    input_.reset();
    Object out;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const FacetPart& part = parts_[i];
      runs_.begin(inner_, i);
      GrowingArray found(inner_.settings, what_);
      const RowsPtr rows = open_stages(inner_, part.stages, spool.rows());
      Value one;
      while (rows->next(one)) {
        inner_.tick();
        found.add(std::move(one));
      }
      out.push_back({part.name, found.take()});
    }
    runs_.note_spilled(spool.spilled_bytes());
    row = std::move(out);
    return true;
  }

 private:
  Execution inner_;
  RowsPtr input_;
  const std::vector<FacetPart>& parts_;
  const std::string& what_;
  InnerRuns runs_;
};

class Facet final : public Stage {
 public:
  Facet(const std::string& what, std::vector<FacetPart> parts) : Stage(what), parts_(std::move(parts)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<FacetRows>(execution, std::move(input), parts_, what());
  }
  void trace_needs(Needs& needs) const override {
    needs = Needs::nothing();
    for (const FacetPart& part : parts_) {
      const Needs of_part = needs_of(part.stages);
      if (of_part.is_all()) return needs.add_all();
      for (const std::string& path : of_part.paths()) needs.add(path);
    }
  }
  std::size_t gathers() const override {
    std::size_t count = 1;
    for (const FacetPart& part : parts_)
      for (const StagePtr& stage : part.stages) count += stage->gathers();
    return count;
  }
  std::vector<std::vector<const Stage*>> inner_stages() const override {
    std::vector<std::vector<const Stage*>> out;
    for (const FacetPart& part : parts_) out.push_back(listed(part.stages));
    return out;
  }

 private:
  std::vector<FacetPart> parts_;
};

// $unionWith

class UnionRows final : public Rows {
 public:
  UnionRows(Execution& execution, RowsPtr input, const SourceName& source, const Plan& plan)
      : inner_(inner_execution(execution)),
        rows_(std::move(input)),
        source_(source),
        plan_(plan),
        runs_(execution, 1) {}

  bool next(Value& row) override {
    if (rows_->next(row)) return true;
    if (at_second_) return false;
    at_second_ = true;
    runs_.begin(inner_, 0);
    rows_ = open_plan(inner_, source_, plan_);
    return rows_->next(row);
  }

 private:
  Execution inner_;
  RowsPtr rows_;
  const SourceName& source_;
  const Plan& plan_;
  InnerRuns runs_;
  bool at_second_ = false;
};

class UnionWith final : public Stage {
 public:
  UnionWith(const std::string& what, SourceName source, Plan plan)
      : Stage(what), source_(std::move(source)), plan_(std::move(plan)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<UnionRows>(execution, std::move(input), source_, plan_);
  }
  void trace_needs(Needs&) const override {}
  std::size_t gathers() const override { return plan_.gathers(); }
  std::vector<std::vector<const Stage*>> inner_stages() const override { return {plan_.listed_stages()}; }
  Value notes() const override { return Object{{"with", source_.value()}}; }

 private:
  SourceName source_;
  Plan plan_;
};

}  // namespace

Stages parse_facet(const Value& spec, const Place& place) {
  std::vector<FacetPart> parts;
  for (const auto& [name, pipeline] : place.object(spec, R"({"by_author": [{"$sortByCount": "$author"}]})")) {
    place.check_field_name(name);
    Place inner = place.at(text('"', name, '"'));
    inner.inside_facet = true;
    parts.push_back({name, rearranged(parse_stages(pipeline, inner))});
  }
  if (parts.empty()) place.refuse("it needs one or more pipelines");
  return {std::make_shared<Facet>(place.what, std::move(parts))};
}

Stages parse_union_with(const Value& spec, const Place& place) {
  const bool is_object = spec.is_object() && spec.find("coll");
  const auto parts = is_object ? place.members(spec, "coll pipeline?") : std::vector<const Value*>{&spec, nullptr};
  Place inner = place.at("pipeline");
  inner.depth = place.depth + 1;
  Plan plan = Plan::of(parts[1] ? parse_stages(*parts[1], inner) : Stages());
  return {std::make_shared<UnionWith>(place.what, SourceName::parse(*parts[0], place.what), std::move(plan))};
}

}  // namespace stele::pipeline
