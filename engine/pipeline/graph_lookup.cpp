// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $graphLookup: what is reached from a row by following a reference from document to document.
#include "engine/model/key.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"
#include "engine/pipeline/subpipeline.h"

#include <algorithm>
#include <unordered_set>

namespace stele::pipeline {
namespace {

struct GraphSpec {
  std::string what;
  SourceName from;
  std::optional<Expression> start;
  model::Path connect_from, connect_to, as;
  std::optional<std::int64_t> depth_max;
  std::optional<model::Path> depth_field;
  std::shared_ptr<const Match> match;  // or null
};

std::string key_of(const Value& value) {
  std::string key;
  model::append_sort_element(key, value);
  return key;
}

class GraphRows final : public Rows {
 public:
  GraphRows(Execution& execution, RowsPtr input, const GraphSpec& spec)
      : execution_(execution),
        input_(std::move(input)),
        spec_(spec),
        evaluate_(execution),
        runs_(execution, 0),
        foreign_(execution, spec.from, spec.connect_to, Missing::is_nothing, spec.match.get(), spec.what) {}

  bool next(Value& row) override {
    if (!input_->next(row)) return false;
    execution_.tick();
    put_at(row, spec_.as, reached_from(row));
    return true;
  }

 private:
  // Breadth first: each document once, at its least depth; values asked for once are not asked for again.
  Array reached_from(const Value& row) {
    GrowingArray found(execution_.settings, spec_.what);
    std::unordered_set<std::string> documents, asked;
    Value own;
    const Value* start = evaluate_(*spec_.start, row, own);
    Array frontier = !start ? Array() : start->is_array() ? start->array() : Array{*start};
    for (const Value& value : frontier) asked.insert(key_of(value));
    for (std::int64_t depth = 0; !frontier.empty() && depth <= spec_.depth_max.value_or(INT64_MAX - 1); ++depth) {
      execution_.check();
      Array next;
      const RowsPtr rows = foreign_.find(frontier);
      runs_.note_how(foreign_);
      Value document;
      while (rows->next(document)) {
        const Value* id = document.find("_id");
        if (!documents.insert(id ? key_of(*id) : key_of(document)).second) continue;
        model::reach(document, spec_.connect_from, [&](const Value* value, bool elements_visited) {
          if (value && !elements_visited && asked.insert(key_of(*value)).second) next.push_back(*value);
          return false;
        });
        if (spec_.depth_field) put_at(document, *spec_.depth_field, depth);
        found.add(std::move(document));
      }
      frontier = std::move(next);
    }
    return found.take();
  }

  Execution& execution_;
  RowsPtr input_;
  const GraphSpec& spec_;
  Evaluator evaluate_;
  InnerRuns runs_;
  Foreign foreign_;
};

class GraphLookup final : public Stage {
 public:
  explicit GraphLookup(GraphSpec spec) : Stage(spec.what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<GraphRows>(execution, std::move(input), spec_);
  }
  void trace_needs(Needs& needs) const override { needs.add(*spec_.start); }
  bool keeps(const model::Path& path) const override { return !paths_overlap(path.text(), spec_.as.text()); }
  bool one_to_one() const override { return true; }
  std::size_t gathers() const override { return 1; }
  Value notes() const override { return Object{{"from", spec_.from.value()}, {"by", spec_.connect_to.text()}}; }

 private:
  GraphSpec spec_;
};

}  // namespace

Stages parse_graph_lookup(const Value& spec, const Place& place) {
  const auto parts = place.members(
      spec, "from startWith connectFromField connectToField as maxDepth? depthField? restrictSearchWithMatch?");
  GraphSpec out;
  out.what = place.what;
  out.from = SourceName::parse(*parts[0], text(place.what, ", \"from\""));
  out.start = place.expression(*parts[1], "startWith");
  out.connect_from = place.path(*parts[2], "connectFromField");
  out.connect_to = place.path(*parts[3], "connectToField");
  out.as = place.path(*parts[4], "as");
  if (parts[5]) out.depth_max = place.integer(*parts[5], "maxDepth", 0);
  if (parts[6]) out.depth_field = place.path(*parts[6], "depthField");
  if (parts[7])
    out.match = std::make_shared<Match>(text(place.what, ", \"restrictSearchWithMatch\""), *parts[7], place.variables);
  return {std::make_shared<GraphLookup>(std::move(out))};
}

}  // namespace stele::pipeline
