// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $bucketAuto: buckets of about as many rows each.
#include "engine/model/compare.h"
#include "engine/model/key.h"
#include "engine/pipeline/group.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"

namespace stele::pipeline {
namespace {

struct BucketSpec {
  std::string what;
  std::optional<Expression> by;
  std::uint64_t buckets = 1;
  std::vector<Accumulator> accumulators;
};

class BucketRows final : public Rows {
 public:
  BucketRows(Execution& execution, RowsPtr input, const BucketSpec& spec)
      : execution_(execution),
        input_(std::move(input)),
        spec_(spec),
        evaluate_(execution),
        sorter_(execution, execution.stage_bytes, spec.what),
        figure_(execution.next_figure) {}

  bool next(Value& row) override {
    if (input_) gather();
    if (!there_) return false;
    row = bucket();
    ++number_;
    check_row_size(execution_.settings, row, spec_.what);
    return true;
  }

 private:
  // Content of a pair: the value to group by, then the row.
  void gather() {
    Value row, own;
    std::string key, content;
    static const Value null;
    while (input_->next(row)) {
      const Value* by = evaluate_(*spec_.by, row, own);
      key.clear();
      content.clear();
      model::append_sort_element(key, by ? *by : null);
      append_row(content, by ? *by : null);
      append_row(content, row);
      sorter_.add(key, content);
    }
    input_.reset();
    sorter_.finish();
    execution_.note_spilled(figure_, sorter_.spilled_bytes());
    advance();
  }

  void advance() {
    std::string_view key, content;
    there_ = sorter_.next(key, content);
    if (!there_) return;
    ByteReader bytes(content);
    read_row(bytes, by_);
    read_row(bytes, row_);
  }

  // Takes rows up to its share, and what is equal to the last; its end is the begin of the next.
  Value bucket() {
    const std::uint64_t share = std::max<std::uint64_t>((sorter_.count() + spec_.buckets / 2) / spec_.buckets, 1);
    const bool is_last = number_ + 1 == spec_.buckets;
    std::vector<Gathered> gathered;
    for (const Accumulator& accumulator : spec_.accumulators) gathered.push_back(accumulator.begin());
    const Value least = by_;
    Value most = by_;
    std::size_t bytes = 0;
    for (std::uint64_t taken = 0; there_ && (is_last || taken < share || model::equal(by_, most)); ++taken) {
      for (std::size_t i = 0; i < gathered.size(); ++i)
        bytes += spec_.accumulators[i].add(gathered[i], evaluate_, row_);
      if (bytes > execution_.stage_bytes)
        fail(ErrorCode::too_large,
             text(spec_.what, ": a bucket gathers more than ", execution_.stage_bytes,
                  " bytes; gather less ($firstN, $topN), make more buckets, or allow more memory"),
             {{"reason", "Memory"}, {"limit", std::to_string(execution_.stage_bytes)}});
      most = std::move(by_);
      advance();
    }
    Object out = {{"_id", Object{{"min", least}, {"max", there_ ? by_ : most}}}};
    for (std::size_t i = 0; i < gathered.size(); ++i)
      out.push_back({spec_.accumulators[i].field(), spec_.accumulators[i].result(std::move(gathered[i]))});
    return out;
  }

  Execution& execution_;
  RowsPtr input_;
  const BucketSpec& spec_;
  Evaluator evaluate_;
  Sorter sorter_;
  const std::size_t figure_;
  std::uint64_t number_ = 0;  // of the next bucket
  bool there_ = false;        // by_ and row_ are the next row
  Value by_, row_;
};

class BucketAuto final : public Stage {
 public:
  explicit BucketAuto(BucketSpec spec) : Stage(spec.what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<BucketRows>(execution, std::move(input), spec_);
  }
  void trace_needs(Needs& needs) const override {
    needs = Needs::nothing();
    needs.add(*spec_.by);
    for (const Accumulator& accumulator : spec_.accumulators) accumulator.trace_needs(needs);
  }
  std::size_t gathers() const override { return 1; }

 private:
  BucketSpec spec_;
};

}  // namespace

Stages parse_bucket_auto(const Value& spec, const Place& place) {
  const auto parts = place.members(spec, "groupBy buckets output? granularity?");
  if (parts[3])
    fail(ErrorCode::unsupported, text(place.what, ": \"granularity\" is not offered"), {{"reason", "Operator"}});
  BucketSpec out;
  out.what = place.what;
  out.by = place.path_or_object(*parts[0], "groupBy");
  out.buckets = static_cast<std::uint64_t>(place.integer(*parts[1], "buckets", 1));
  if (parts[2])
    out.accumulators = parse_accumulators(*parts[2], place);
  else
    out.accumulators.push_back(Accumulator::counting("count"));
  return {std::make_shared<BucketAuto>(std::move(out))};
}

}  // namespace stele::pipeline
