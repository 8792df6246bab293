// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $group, and what becomes one: $count, $sortByCount and $bucket.
#include "engine/pipeline/group.h"

#include "engine/model/compare.h"
#include "engine/pipeline/order.h"
#include "engine/pipeline/parse.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

namespace stele::pipeline {
namespace {

/// What has gathered all it needs when its first row is asked for.
class GroupRows : public Rows {
 public:
  GroupRows(Execution& execution, const GroupSpec& spec, std::size_t memory_bytes)
      : execution_(execution), spec_(spec), figure_(execution.next_figure), table_(execution, memory_bytes, spec) {}

  bool next(Value& row) override {
    if (!gathered_) {
      gathered_ = true;
      gather(table_);
      table_.finish(execution_.stage_bytes);
      execution_.note_spilled(figure_, table_.spilled_bytes());
    }
    if (!table_.next(row)) return false;
    check_row_size(execution_.settings, row, spec_.what);
    return true;
  }

 protected:
  virtual void gather(GroupTable& table) = 0;

  Execution& execution_;
  const GroupSpec& spec_;
  std::size_t figure_;

 private:
  GroupTable table_;
  bool gathered_ = false;
};

void gather_rows(Execution& execution, Rows& input, GroupTable& table) {
  Evaluator evaluate(execution);
  Value row;
  while (input.next(row)) table.add(evaluate, row);
}

class SerialGroupRows final : public GroupRows {
 public:
  SerialGroupRows(Execution& execution, const GroupSpec& spec, RowsPtr input)
      : GroupRows(execution, spec, execution.stage_bytes), input_(std::move(input)) {}

 private:
  void gather(GroupTable& table) override {
    gather_rows(execution_, *input_, table);
    input_.reset();
  }

  RowsPtr input_;
};

class ParallelGroupRows final : public GroupRows {
 public:
  ParallelGroupRows(Execution& execution, const GroupSpec& spec, std::span<const StagePtr> stages,
                    std::vector<RowsPtr> inputs)
      : GroupRows(execution, spec, execution.stage_bytes), stages_(stages.begin(), stages.end()) {
    const std::size_t each = execution.stage_bytes * 3 / 4 / inputs.size();  // the rest is for finding them again
    for (RowsPtr& input : inputs) parts_.push_back(std::make_unique<Part>(execution, spec, each, std::move(input)));
    for (const auto& part : parts_) part->execution.stop = &stop_;
    if (!execution.figures) return;
    figure_ += 1 + stages_.size();  // behind the source and the stages
    if (execution.figures->size() < figure_) execution.figures->resize(figure_);
    execution.next_figure = figure_;
  }

 private:
  /// A worker's own. It runs the stages over its input into its table.
  struct Part {
    Part(const Execution& outer, const GroupSpec& spec, std::size_t bytes, RowsPtr rows)
        : execution(outer), input(std::move(rows)), table(execution, bytes, spec) {
      if (outer.figures) execution.figures = &figures;
      execution.next_figure = 0;
    }
    Execution execution;
    std::vector<StageFigures> figures;
    RowsPtr input;
    GroupTable table;
    std::exception_ptr failure;
  };

  void work(Part& part) {
    try {
      std::optional<Interrupt::Here> here;  // for expressions
      if (execution_.interrupt) here.emplace(*execution_.interrupt);
      RowsPtr rows = measured(part.execution, std::move(part.input));
      rows = open_stages(part.execution, stages_, std::move(rows));
      gather_rows(part.execution, *rows, part.table);
    } catch (...) {
      part.failure = std::current_exception();
      stop_ = true;
    }
  }

  // The first to fail stopped the others, which then fail as interrupted: theirs is not the reason.
  void rethrow_failure() {
    std::exception_ptr interrupted;
    for (const auto& part : parts_) {
      if (!part->failure) continue;
      try {
        std::rethrow_exception(part->failure);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::interrupted) throw;
        interrupted = part->failure;
      }
    }
    if (!interrupted) return;
    execution_.check();
    std::rethrow_exception(interrupted);
  }

  void gather(GroupTable& table) override {
    {
      std::vector<std::jthread> threads;  // joined at the end of the block
      for (std::size_t i = 1; i < parts_.size(); ++i) {
        try {
          threads.emplace_back([this, part = parts_[i].get()] { work(*part); });
        } catch (const std::system_error&) {  // no more threads are to be had
          work(*parts_[i]);
        }
      }
      work(*parts_[0]);
    }
    rethrow_failure();
    for (const auto& part : parts_) {
      part->execution.stop = nullptr;
      table.absorb(std::move(part->table));
      if (execution_.figures) add_figures(*part);
    }
    if (execution_.figures) (*execution_.figures)[figure_].threads = static_cast<unsigned>(parts_.size());
    parts_.clear();
  }

  void add_figures(const Part& part) {
    for (std::size_t i = 0; i < part.figures.size(); ++i) {
      StageFigures& sum = (*execution_.figures)[figure_ - 1 - stages_.size() + i];
      sum.rows_out += part.figures[i].rows_out;
      sum.time = std::max(sum.time, part.figures[i].time);
      sum.threads = static_cast<unsigned>(parts_.size());
    }
  }

  const Stages stages_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::atomic<bool> stop_{false};
};

// Groups a SortStage after them.
StagePtr sort_by(const Place& place, std::string_view field, std::int64_t direction) {
  const Value order = Object{{std::string(field), direction}};
  return std::make_shared<SortStage>(place.what, model::Sort::of(order, place.what), order);
}

}  // namespace

RowsPtr Group::open(Execution& execution, RowsPtr input) const {
  return std::make_unique<SerialGroupRows>(execution, spec_, std::move(input));
}

RowsPtr Group::open_parallel(Execution& execution, std::span<const StagePtr> stages,
                             std::vector<RowsPtr> inputs) const {
  return std::make_unique<ParallelGroupRows>(execution, spec_, stages, std::move(inputs));
}

bool Group::takes_any_order() const { return std::ranges::all_of(spec_.accumulators, &Accumulator::takes_any_order); }

void Group::trace_needs(Needs& needs) const {
  needs = Needs::nothing();
  spec_.key.trace_needs(needs);
  for (const Accumulator& accumulator : spec_.accumulators) accumulator.trace_needs(needs);
}

std::vector<Accumulator> parse_accumulators(const Value& fields, const Place& place) {
  std::vector<Accumulator> out;
  for (const auto& [name, spec] : place.object(fields, R"({"count": {"$sum": 1}})"))
    if (name != "_id") out.push_back(Accumulator::parse(name, spec, place));
  return out;
}

Stages parse_group(const Value& spec, const Place& place) {
  place.object(spec, R"({"_id": "$author", "count": {"$sum": 1}})");
  const Value* id = spec.find("_id");
  if (!id) place.refuse(R"(it lacks "_id", what to group by; {"_id": null} makes one group of all)");
  return {std::make_shared<Group>(GroupSpec{place.what, GroupKey::parse(*id, place), parse_accumulators(spec, place)})};
}

// Of no rows there is no count, as in MongoDB.
Stages parse_count(const Value& spec, const Place& place) {
  if (!spec.is_string()) place.refuse("it needs the name of the field to put the count in");
  place.check_field_name(spec.string());
  GroupSpec group{place.what, GroupKey::parse(Value(), place), {Accumulator::counting(spec.string())}};
  group.gives_id = false;
  return {std::make_shared<Group>(std::move(group))};
}

Stages parse_sort_by_count(const Value& spec, const Place& place) {
  const bool is_path = spec.is_string() && spec.string().starts_with('$');
  const bool is_call = spec.is_object() && spec.object().size() == 1 && spec.object()[0].name.starts_with('$');
  if (!is_path && !is_call) place.refuse(R"(it needs an expression, such as "$author" or {"$toLower": "$author"})");
  return {
      std::make_shared<Group>(GroupSpec{place.what, GroupKey::parse(spec, place), {Accumulator::counting("count")}}),
      sort_by(place, "count", -1)};
}

namespace {

Array constant_array(const Value& value, const Place& place) {
  const Expression expression = place.expression(value, "boundaries");
  const Value* constant = expression.constant();
  if (!constant || !constant->is_array() || constant->array().size() < 2)
    place.refuse("\"boundaries\" needs an array of two or more constants");
  const Array& array = constant->array();
  for (std::size_t i = 1; i < array.size(); ++i) {
    if (array[i].type() != array[0].type()) place.refuse("\"boundaries\" needs constants of one type");
    if (model::compare(array[i - 1], array[i]) >= 0) place.refuse("\"boundaries\" needs constants in ascending order");
  }
  return array;
}

// {"$let": …, "$switch": a branch for each pair of boundaries}: $bucket as an expression to group by.
Value bucket_expression(const Value& by, const Array& boundaries, const Value* otherwise) {
  const auto literal = [](const Value& value) { return Object{{"$literal", value}}; };
  Array branches;
  for (std::size_t i = 0; i + 1 < boundaries.size(); ++i)
    branches.push_back(
        Object{{"case", Object{{"$and", Array{Object{{"$gte", Array{"$$by", literal(boundaries[i])}}},
                                              Object{{"$lt", Array{"$$by", literal(boundaries[i + 1])}}}}}}},
               {"then", literal(boundaries[i])}});
  Object arguments = {{"branches", std::move(branches)}};
  if (otherwise) arguments.push_back({"default", literal(*otherwise)});
  return Object{{"$let", Object{{"vars", Object{{"by", by}}}, {"in", Object{{"$switch", std::move(arguments)}}}}}};
}

}  // namespace

Stages parse_bucket(const Value& spec, const Place& place) {
  const auto parts = place.members(spec, "groupBy boundaries default? output?");
  place.path_or_object(*parts[0], "groupBy");
  place.expression(*parts[0], "groupBy");  // its errors, in its own words
  const Array boundaries = constant_array(*parts[1], place);
  std::optional<Value> otherwise;
  if (parts[2]) {
    const Expression expression = place.expression(*parts[2], "default");
    if (!expression.constant()) place.refuse("\"default\" needs a constant");
    otherwise = *expression.constant();
    const bool inside = otherwise->type() == boundaries[0].type() && model::compare(*otherwise, boundaries[0]) >= 0 &&
                        model::compare(*otherwise, boundaries.back()) < 0;
    if (inside) place.refuse("\"default\" must lie outside the boundaries");
  }
  const Value by = bucket_expression(*parts[0], boundaries, otherwise ? &*otherwise : nullptr);
  GroupSpec group{place.what, GroupKey::parse(by, place), {}};
  if (parts[3])
    group.accumulators = parse_accumulators(*parts[3], place);
  else
    group.accumulators.push_back(Accumulator::counting("count"));
  return {std::make_shared<Group>(std::move(group)), sort_by(place, "_id", 1)};
}

}  // namespace stele::pipeline
