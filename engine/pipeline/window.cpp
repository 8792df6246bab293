// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $setWindowFields. Rows are sorted by partition and order; a partition is held in memory while its rows get their
// fields.
#include "engine/model/compare.h"
#include "engine/model/key.h"
#include "engine/pipeline/accumulators.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"
#include "engine/pipeline/sorter.h"

#include <algorithm>
#include <deque>

namespace stele::pipeline {
namespace {

/// Which rows around a row count: positions, or distances of the sort field's value. Empty: without bound.
struct Window {
  bool by_value = false;
  std::optional<double> lower, upper;
};

struct Output {
  enum class Kind : std::uint8_t { accumulate, rank, dense_rank, document_number, shift };
  Kind kind = Kind::accumulate;
  model::Path path;
  std::optional<Accumulator> accumulator;
  Window window;
  std::optional<Expression> shifted, shift_default;
  std::int64_t shift_by = 0;
};

struct WindowSpec {
  std::string what;
  std::optional<Expression> partition_by;
  model::Sort sort;
  std::vector<Output> outputs;
};

/// The rows of one partition, in order, and the bytes of their sort keys.
struct Partition {
  std::vector<Value> rows;
  std::vector<std::string> keys;
};

/// One output over one partition, row by row.
class Outputs {
 public:
  Outputs(Execution& execution, Evaluator& evaluate, const WindowSpec& spec, const Partition& partition)
      : execution_(execution), evaluate_(evaluate), spec_(spec), partition_(partition) {}

  std::vector<Value> of(const Output& output) {
    std::vector<Value> values(size());
    switch (output.kind) {
      case Output::Kind::accumulate: accumulate(output, values); break;
      case Output::Kind::shift: shift(output, values); break;
      default: rank(output.kind, values); break;
    }
    return values;
  }

 private:
  std::size_t size() const { return partition_.rows.size(); }

  void rank(Output::Kind kind, std::vector<Value>& values) const {
    std::int64_t rank = 0, dense = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto number = static_cast<std::int64_t>(i + 1);
      if (i == 0 || partition_.keys[i] != partition_.keys[i - 1]) {
        rank = number;
        ++dense;
      }
      values[i] = kind == Output::Kind::rank ? rank : kind == Output::Kind::dense_rank ? dense : number;
    }
  }

  void shift(const Output& output, std::vector<Value>& values) {
    for (std::size_t i = 0; i < size(); ++i) {
      execution_.tick();
      const std::int64_t from = static_cast<std::int64_t>(i) + output.shift_by;
      const bool there = from >= 0 && from < static_cast<std::int64_t>(size());
      Value own;
      const Value* value = nullptr;
      if (there)
        value = evaluate_(*output.shifted, partition_.rows[static_cast<std::size_t>(from)], own);
      else if (output.shift_default)
        value = output.shift_default->constant();
      if (value) values[i] = *value;
    }
  }

  // The window [from, to) moves forward only; what leaves is taken out again, or all is gathered anew.
  void accumulate(const Output& output, std::vector<Value>& values) {
    const Accumulator& accumulator = *output.accumulator;
    Gathered gathered = accumulator.begin();
    std::size_t from = 0, to = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      execution_.tick();
      const auto [begin, end] = bounds(output.window, i);
      if (begin > from && !(accumulator.is_removable() && begin <= to)) {
        gathered = accumulator.begin();
        from = to = begin;
      }
      for (; from < begin; ++from) accumulator.remove(gathered, evaluate_, partition_.rows[from]);
      for (; to < end; ++to) {
        execution_.tick();
        accumulator.add(gathered, evaluate_, partition_.rows[to]);
      }
      Gathered copy = gathered;
      values[i] = accumulator.result(std::move(copy));
      bytes_ += values[i].is_number() ? 0 : bytes_in_memory(values[i]);
      if (bytes_ > execution_.stage_bytes)
        fail(ErrorCode::too_large,
             text(spec_.what, ": the windows of a partition hold more than ", execution_.stage_bytes,
                  " bytes; make the windows or the partitions smaller"),
             {{"reason", "Memory"}, {"limit", std::to_string(execution_.stage_bytes)}});
    }
  }

  std::pair<std::size_t, std::size_t> bounds(const Window& window, std::size_t i) const {
    const auto [begin, end] = window.by_value ? range_bounds(window, i) : document_bounds(window, i);
    return {begin, std::max(begin, end)};
  }

  std::pair<std::size_t, std::size_t> document_bounds(const Window& window, std::size_t i) const {
    const double last = static_cast<double>(size()), at = static_cast<double>(i);
    const double begin = window.lower ? std::clamp(at + *window.lower, 0.0, last) : 0;
    const double end = window.upper ? std::clamp(at + *window.upper + 1, 0.0, last) : last;
    return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
  }

  double sort_value(std::size_t i) const {
    const Value* found = nullptr;
    model::reach_whole(partition_.rows[i], spec_.sort.fields()[0].path, [&](const Value* value, bool) {
      found = value;
      return true;
    });
    const bool is_date = found && found->type() == model::Type::date;
    if (found && (found->is_number() || is_date))
      return is_date ? static_cast<double>(found->date().milliseconds) : found->number();
    fail(ErrorCode::invalid,
         text(spec_.what, ": a window by \"range\" needs numbers or dates at \"", spec_.sort.fields()[0].path.text(),
              "\", not ", found ? text("a value of type ", model::name(found->type())) : "a missing value"),
         {{"reason", "WrongType"}});
  }

  std::pair<std::size_t, std::size_t> range_bounds(const Window& window, std::size_t i) const {
    if (numbers_.empty())
      for (std::size_t k = 0; k < size(); ++k) numbers_.push_back(sort_value(k));
    const auto at = [this](double value, bool behind) {
      const auto found = behind ? std::ranges::upper_bound(numbers_, value) : std::ranges::lower_bound(numbers_, value);
      return static_cast<std::size_t>(found - numbers_.begin());
    };
    return {window.lower ? at(numbers_[i] + *window.lower, false) : 0,
            window.upper ? at(numbers_[i] + *window.upper, true) : size()};
  }

  Execution& execution_;
  Evaluator& evaluate_;
  const WindowSpec& spec_;
  const Partition& partition_;
  mutable std::vector<double> numbers_;  // the sort field's values, for windows by range
  std::size_t bytes_ = 0;
};

class WindowRows final : public Rows {
 public:
  WindowRows(Execution& execution, RowsPtr input, const WindowSpec& spec)
      : execution_(execution),
        input_(std::move(input)),
        spec_(spec),
        evaluate_(execution),
        sorter_(execution, execution.stage_bytes / 2, spec.what) {}

  bool next(Value& row) override {
    if (input_) gather();
    if (position_ == partition_.rows.size() && !next_partition()) return false;
    row = std::move(partition_.rows[position_++]);
    return true;
  }

 private:
  // Key of a pair: the size of the partition's part, the partition, the order. Content: the row.
  void gather() {
    Value row, own;
    std::string key, content;
    static const Value null;
    while (input_->next(row)) {
      key.clear();
      content.clear();
      const Value* partition = spec_.partition_by ? evaluate_(*spec_.partition_by, row, own) : nullptr;
      if (partition && partition->is_array())
        fail(ErrorCode::invalid,
             text(spec_.what, ": \"partitionBy\" gives an array for a document; use $unwind before"),
             {{"reason", "WrongType"}});
      model::append_sort_element(key, partition ? *partition : null);
      const std::size_t partition_bytes = key.size();
      evaluate_.with(row, [&](const model::Variables&) {
        if (!spec_.sort.empty()) spec_.sort.append_key(key, row);
      });
      append_varint(content, partition_bytes);
      append_row(content, row);
      sorter_.add(key, content);
    }
    input_.reset();
    sorter_.finish();
    advance();
  }

  void advance() {
    std::string_view key, content;
    there_ = sorter_.next(key, content);
    if (!there_) return;
    ByteReader bytes(content);
    std::uint64_t partition_bytes = 0;
    bytes.varint(partition_bytes);
    read_row(bytes, row_);
    partition_key_ = key.substr(0, partition_bytes);
    sort_key_ = key.substr(partition_bytes);
  }

  bool next_partition() {
    if (!there_) return false;
    const std::string key = partition_key_;
    partition_ = {};
    position_ = 0;
    std::size_t bytes = 0;
    for (; there_ && partition_key_ == key; advance()) {
      bytes += bytes_in_memory(row_) + sort_key_.size() + sizeof(std::string);
      if (bytes > execution_.stage_bytes)
        fail(ErrorCode::too_large,
             text(spec_.what, ": a partition holds more than ", execution_.stage_bytes,
                  " bytes; partition by more, $project before, or allow more memory"),
             {{"reason", "Memory"}, {"limit", std::to_string(execution_.stage_bytes)}});
      partition_.rows.push_back(std::move(row_));
      partition_.keys.push_back(std::move(sort_key_));
    }
    set_outputs();
    return true;
  }

  // All from the rows as they came, before any is set.
  void set_outputs() {
    std::vector<std::vector<Value>> columns;
    Outputs outputs(execution_, evaluate_, spec_, partition_);
    for (const Output& output : spec_.outputs) columns.push_back(outputs.of(output));
    for (std::size_t i = 0; i < partition_.rows.size(); ++i)
      for (std::size_t k = 0; k < columns.size(); ++k)
        put_at(partition_.rows[i], spec_.outputs[k].path, std::move(columns[k][i]));
  }

  Execution& execution_;
  RowsPtr input_;
  const WindowSpec& spec_;
  Evaluator evaluate_;
  Sorter sorter_;
  bool there_ = false;  // the next row and its keys
  Value row_;
  std::string partition_key_, sort_key_;
  Partition partition_;
  std::size_t position_ = 0;
};

class SetWindowFields final : public Stage {
 public:
  explicit SetWindowFields(WindowSpec spec) : Stage(spec.what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<WindowRows>(execution, std::move(input), spec_);
  }
  void trace_needs(Needs& needs) const override {
    if (spec_.partition_by) needs.add(*spec_.partition_by);
    for (const model::SortField& field : spec_.sort.fields()) needs.add(field.path.text());
    for (const Output& output : spec_.outputs) {
      if (output.accumulator) output.accumulator->trace_needs(needs);
      if (output.shifted) needs.add(*output.shifted);
    }
  }
  std::size_t gathers() const override { return 2; }

 private:
  WindowSpec spec_;
};

// Parsing

std::optional<double> parse_bound(const Value& bound, const Place& place, bool by_value) {
  if (bound.is_string() && bound.string() == "unbounded") return std::nullopt;
  if (bound.is_string() && bound.string() == "current") return 0;
  if (!bound.is_number()) place.refuse("a bound of \"window\" is \"unbounded\", \"current\" or a number");
  if (!by_value) return static_cast<double>(place.integer(bound, "window", INT64_MIN));
  return bound.number();
}

double unit_milliseconds(const Value& unit, const Place& place) {
  constexpr std::pair<std::string_view, double> units[] = {{"week", 604'800'000}, {"day", 86'400'000},
                                                           {"hour", 3'600'000},   {"minute", 60'000},
                                                           {"second", 1000},      {"millisecond", 1}};
  for (const auto& [name, milliseconds] : units)
    if (unit.is_string() && unit.string() == name) return milliseconds;
  if (unit.is_string() && (unit.string() == "month" || unit.string() == "quarter" || unit.string() == "year"))
    fail(ErrorCode::unsupported, text(place.what, ": the unit \"", unit.string(), "\" is not offered; use days"),
         {{"reason", "Operator"}});
  place.refuse("\"unit\" is one of: week day hour minute second millisecond");
}

Window parse_window(const Value& spec, const Place& place, const model::Sort& sort) {
  const auto parts = place.members(spec, "documents? range? unit?");
  Window window;
  if (!parts[0] == !parts[1]) place.refuse("\"window\" needs \"documents\" or \"range\"");
  window.by_value = parts[1] != nullptr;
  if (window.by_value && (sort.fields().size() != 1 || sort.fields()[0].descending))
    place.refuse("a window by \"range\" needs \"sortBy\" with one field, ascending");
  if (!window.by_value && sort.empty()) place.refuse("a window of \"documents\" needs \"sortBy\"");
  if (parts[2] && !window.by_value) place.refuse("\"unit\" is for windows by \"range\"");
  const Value& bounds = window.by_value ? *parts[1] : *parts[0];
  if (!bounds.is_array() || bounds.array().size() != 2) place.refuse("\"window\" needs two bounds: [lower, upper]");
  window.lower = parse_bound(bounds.array()[0], place, window.by_value);
  window.upper = parse_bound(bounds.array()[1], place, window.by_value);
  if (window.lower && window.upper && *window.lower > *window.upper)
    place.refuse("the lower bound of \"window\" is above the upper");
  const double unit = parts[2] ? unit_milliseconds(*parts[2], place) : 1;
  if (window.lower) *window.lower *= unit;
  if (window.upper) *window.upper *= unit;
  return window;
}

void parse_shift(const Value& arguments, const Place& place, Output& output) {
  const auto parts = place.members(arguments, "output by default?");
  output.kind = Output::Kind::shift;
  output.shifted = place.expression(*parts[0], "output");
  output.shift_by = place.integer(*parts[1], "by", INT32_MIN);
  if (parts[2]) output.shift_default = place.expression(*parts[2], "default");
  if (output.shift_default && !output.shift_default->constant()) place.refuse("\"default\" needs a constant");
}

Output parse_output(const std::string& path, const Value& spec, const Place& outer, const model::Sort& sort) {
  const Place place = outer.at(text('"', path, '"'));
  Output output;
  output.path = outer.path(path, "output");
  if (!spec.is_object() || spec.object().empty()) place.refuse(R"(it needs an object, such as {"$sum": "$price"})");
  const auto& [name, arguments] = spec.object()[0];
  const Value* window = spec.find("window");
  if (spec.object().size() != (window ? 2u : 1u)) place.refuse("it takes one operator and \"window\"");
  constexpr std::pair<std::string_view, Output::Kind> ranks[] = {{"$rank", Output::Kind::rank},
                                                                 {"$denseRank", Output::Kind::dense_rank},
                                                                 {"$documentNumber", Output::Kind::document_number}};
  const auto* rank = std::ranges::find(ranks, name, &std::pair<std::string_view, Output::Kind>::first);
  if (rank != std::end(ranks) || name == "$shift") {
    if (window) place.refuse(text(name, " takes no \"window\""));
    if (sort.empty()) place.refuse(text(name, " needs \"sortBy\""));
    if (name == "$shift") {
      parse_shift(arguments, place.at(name), output);
      return output;
    }
    if (!arguments.is_object() || !arguments.object().empty()) place.refuse(text(name, " takes {}"));
    if (sort.fields().size() != 1 && rank->second != Output::Kind::document_number)
      place.refuse(text(name, " needs \"sortBy\" with one field"));
    output.kind = rank->second;
    return output;
  }
  constexpr std::string_view not_offered[] = {"$expMovingAvg",   "$derivative", "$integral", "$covariancePop",
                                              "$covarianceSamp", "$linearFill", "$locf",     "$minMaxScaler"};
  if (std::ranges::find(not_offered, name) != std::end(not_offered))
    fail(ErrorCode::unsupported, text(place.what, ": the window operator ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", name}, {"path", path}});
  output.accumulator = Accumulator::parse(output.path.steps().back().name, Object{{name, arguments}}, outer);
  if (window) output.window = parse_window(*window, place.at("window"), sort);
  return output;
}

}  // namespace

Stages parse_set_window_fields(const Value& spec, const Place& place) {
  const auto parts = place.members(spec, "output partitionBy? sortBy?");
  WindowSpec out;
  out.what = place.what;
  if (parts[1]) out.partition_by = place.expression(*parts[1], "partitionBy");
  if (parts[2]) {
    if (!parts[2]->is_object() || parts[2]->object().empty()) place.refuse("\"sortBy\" needs one or more fields");
    out.sort = model::Sort::of(*parts[2], text(place.what, ", \"sortBy\""));
  }
  if (!parts[0]->is_object()) place.refuse("\"output\" needs an object of fields");
  for (const auto& [path, output] : parts[0]->object()) {
    for (const Output& other : out.outputs)
      if (paths_overlap(other.path.text(), path))
        place.refuse(text("\"output\": \"", path, "\" and \"", other.path.text(), "\" are, or begin, the same path"));
    out.outputs.push_back(parse_output(path, output, place, out.sort));
  }
  return {std::make_shared<SetWindowFields>(std::move(out))};
}

}  // namespace stele::pipeline
