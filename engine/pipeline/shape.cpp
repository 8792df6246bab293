// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $project, $set and $addFields, $unset, $replaceRoot and $replaceWith: each row becomes another.
#include "engine/model/field_tree.h"
#include "engine/model/projection.h"
#include "engine/pipeline/parse.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

/// A stage that makes one row of each: Change::apply(Evaluator&, Value& row).
template <class Change>
class ShapeRows final : public Rows {
 public:
  ShapeRows(Execution& execution, RowsPtr input, const Change& change)
      : execution_(execution), input_(std::move(input)), change_(change), evaluate_(execution) {}

  bool next(Value& row) override {
    if (!input_->next(row)) return false;
    execution_.tick();
    change_.apply(evaluate_, row);
    if (change_.may_grow()) check_row_size(execution_.settings, row, change_.what());
    return true;
  }

 private:
  Execution& execution_;
  RowsPtr input_;
  const Change& change_;
  Evaluator evaluate_;
};

template <class Change>
class Shape : public Stage {
 public:
  using Stage::Stage;
  RowsPtr open(Execution& execution, RowsPtr input) const final {
    return std::make_unique<ShapeRows<Change>>(execution, std::move(input), static_cast<const Change&>(*this));
  }
  bool one_to_one() const final { return true; }
  bool row_wise() const final { return true; }
};

class Project final : public Shape<Project> {
 public:
  Project(const std::string& what, model::Projection projection) : Shape(what), projection_(std::move(projection)) {}

  void apply(Evaluator& evaluate, Value& row) const {
    row = evaluate.with(row, [this](const model::Variables& variables) { return projection_.apply(variables); });
  }
  bool may_grow() const { return projection_.simple_inclusions() == nullptr; }
  void trace_needs(Needs& needs) const override {
    std::vector<std::string> paths;
    if (projection_.is_exclusion()) return;
    if (!projection_.collect_paths(paths)) return needs.add_all();
    needs = Needs::nothing();
    for (const std::string& path : paths) needs.add(path);
  }
  bool keeps(const model::Path& path) const override { return projection_.keeps(path); }

 private:
  model::Projection projection_;
};

class Set final : public Shape<Set> {
 public:
  Set(const std::string& what, model::FieldTree fields) : Shape(what), fields_(std::move(fields)) {}

  void apply(Evaluator& evaluate, Value& row) const {
    evaluate.with(row, [&](const model::Variables& variables) { fields_.set_in(row, variables); });
  }
  bool may_grow() const { return true; }
  void trace_needs(Needs& needs) const override {
    std::vector<std::string> paths;
    if (!fields_.collect_paths(paths)) return needs.add_all();
    for (const std::string& path : paths) needs.add(path);
  }
  bool keeps(const model::Path& path) const override { return fields_.keeps(path); }

 private:
  model::FieldTree fields_;
};

class Unset final : public Shape<Unset> {
 public:
  Unset(const std::string& what, model::FieldTree fields) : Shape(what), fields_(std::move(fields)) {}

  void apply(Evaluator&, Value& row) const { fields_.exclude_from(row); }
  bool may_grow() const { return false; }
  void trace_needs(Needs&) const override {}
  bool keeps(const model::Path& path) const override { return fields_.keeps(path); }

 private:
  model::FieldTree fields_;
};

class ReplaceRoot final : public Shape<ReplaceRoot> {
 public:
  ReplaceRoot(const std::string& what, Expression root) : Shape(what), root_(std::move(root)) {}

  void apply(Evaluator& evaluate, Value& row) const {
    evaluate.with(row, [&](const model::Variables& variables) {
      std::optional<Value> root = root_.evaluate(variables);
      if (root && root->is_object()) {
        row = *std::move(root);
        return;
      }
      fail(ErrorCode::invalid,
           text(what(), ": the new document must be an object, this one computes to ",
                root ? text("a value of type ", model::name(root->type())) : "missing"),
           {{"reason", "WrongType"}});
    });
  }
  bool may_grow() const { return true; }
  void trace_needs(Needs& needs) const override {
    needs = Needs::nothing();
    needs.add(root_);
  }

 private:
  Expression root_;
};

// What find's projections have beside $project's.
void check_projected(const Value& value, const Place& place, const std::string& path) {
  if (!value.is_object()) return;
  for (const auto& [name, inner] : value.object()) {
    const bool find_slice =
        name == "$slice" && (!inner.is_array() || (!inner.array().empty() && inner.array()[0].is_number()));
    if (find_slice) place.refuse(text('"', path, "\": $slice takes an array and numbers here: [\"$tags\", 5]"));
    if (name == "$elemMatch")
      fail(ErrorCode::invalid, text(place.what, ": \"", path, "\": $elemMatch is no expression; use $filter"),
           {{"reason", "UnknownOperator"}, {"operator", name}, {"path", path}});
    if (name.ends_with(".$"))
      place.refuse(text('"', name, "\": the positional $ is for find; use $filter or $arrayElemAt"), "Operator");
    if (!name.starts_with('$')) check_projected(inner, place, path.empty() ? name : text(path, '.', name));
  }
}

}  // namespace

Stages parse_project(const Value& spec, const Place& place) {
  if (place.object(spec, R"({"title": 1})").empty()) place.refuse("it needs one or more fields");
  check_projected(spec, place, "");
  return {std::make_shared<Project>(place.what, model::Projection::of(spec, place.what, place.variables))};
}

Stages parse_set(const Value& spec, const Place& place) {
  return {std::make_shared<Set>(place.what, model::FieldTree::of_set(spec, place.what, place.variables))};
}

Stages parse_unset(const Value& spec, const Place& place) {
  return {std::make_shared<Unset>(place.what, model::FieldTree::of_unset(spec, place.what))};
}

Stages parse_replace_with(const Value& spec, const Place& place) {
  return {std::make_shared<ReplaceRoot>(place.what, place.expression(spec, ""))};
}

Stages parse_replace_root(const Value& spec, const Place& place) {
  return parse_replace_with(*place.members(spec, "newRoot")[0], place);
}

}  // namespace stele::pipeline
