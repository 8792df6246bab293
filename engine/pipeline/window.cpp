// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $setWindowFields. Rows are sorted by partition and order; a partition is held in memory while its rows get their
// fields.
#include "engine/pipeline/window.h"

#include "engine/model/key.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"
#include "engine/pipeline/sorter.h"

namespace stele::pipeline {
namespace {

class WindowRows final : public Rows {
 public:
  WindowRows(Execution& execution, RowsPtr input, const WindowSpec& spec)
      : execution_(execution),
        input_(std::move(input)),
        spec_(spec),
        evaluate_(execution),
        sorter_(execution, execution.stage_bytes / 2, spec.what),
        figure_(execution.next_figure) {}

  bool next(Value& row) override {
    if (input_) gather();
    if (position_ == partition_.rows.size() && !next_partition()) return false;
    std::vector<std::optional<Value>> values;
    for (OutputValues& output : outputs_) values.push_back(output.at(position_));
    row = partition_.rows[position_++];  // as it came, it may be in a later row's window
    spec_.fields.put_in(row, std::move(values));
    check_row_size(execution_.settings, row, spec_.what);
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
      if (partition && partition->is_array()) refuse_array(row);
      model::append_sort_element(key, partition ? *partition : null);
      const std::size_t partition_bytes = key.size();
      if (!spec_.sort.empty()) evaluate_.append_key(key, spec_.sort, row, spec_.what);
      append_varint(content, partition_bytes);
      append_row(content, row);
      sorter_.add(key, content);
    }
    input_.reset();
    sorter_.finish();
    execution_.note_spilled(figure_, sorter_.spilled_bytes());
    advance();
  }

  void refuse_array(const Value& row) {
    evaluate_.with(row, [&](const model::Variables&) {
      fail(ErrorCode::invalid, text(spec_.what, ": \"partitionBy\" gives an array for a document; use $unwind before"),
           {{"reason", "WrongType"}});
    });
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
    outputs_.clear();
    partition_ = {};
    position_ = window_bytes_ = 0;
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
    for (const WindowOutput& output : spec_.outputs)
      outputs_.emplace_back(execution_, evaluate_, spec_, output, partition_, window_bytes_);
    return true;
  }

  Execution& execution_;
  RowsPtr input_;
  const WindowSpec& spec_;
  Evaluator evaluate_;
  Sorter sorter_;
  const std::size_t figure_;
  bool there_ = false;  // the next row and its keys
  Value row_;
  std::string partition_key_, sort_key_;
  Partition partition_;
  std::vector<OutputValues> outputs_;
  std::size_t window_bytes_ = 0;
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
    for (const WindowOutput& output : spec_.outputs) {
      if (output.accumulator) output.accumulator->trace_needs(needs);
      if (output.shifted) needs.add(*output.shifted);
    }
  }
  std::size_t gathers() const override { return 2; }

 private:
  WindowSpec spec_;
};

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
  std::vector<std::string> paths;
  for (const auto& [path, output] : parts[0]->object()) {
    out.outputs.push_back(parse_window_output(path, output, place, out.sort));
    paths.push_back(path);
  }
  out.fields = model::FieldTree::of_paths(paths, text(place.what, ", \"output\""));
  return {std::make_shared<SetWindowFields>(std::move(out))};
}

}  // namespace stele::pipeline
