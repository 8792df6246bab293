// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $sort, $limit, $skip and $sample.
#include "engine/pipeline/order.h"

#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"
#include "engine/pipeline/sorter.h"

#include <algorithm>
#include <random>

namespace stele::pipeline {
namespace {

class SortRows final : public Rows {
 public:
  SortRows(Execution& execution, RowsPtr input, const SortStage& stage, SortStage::Content content)
      : execution_(execution),
        input_(std::move(input)),
        stage_(stage),
        content_(content),
        evaluate_(execution),
        sorter_(execution, execution.stage_bytes, stage.what()),
        figure_(execution.next_figure) {}

  bool next(Value& row) override {
    if (input_) gather();
    if (content_ == SortStage::Content::rows) return sorter_.next_row(row);
    std::string_view text;
    if (!next_text(text)) return false;
    row = parser_.parse(text);
    return true;
  }

  bool gives_texts() const override { return content_ == SortStage::Content::documents; }
  bool next_text(std::string_view& text) override {
    if (input_) gather();
    std::string_view key;
    return sorter_.next(key, text);
  }

 private:
  void gather() {
    Value row;
    std::string key, content;
    while (input_->next(row)) {
      key.clear();
      content.clear();
      evaluate_.append_key(key, stage_.sort(), row, stage_.what());
      if (content_ == SortStage::Content::rows) append_row(content, row);
      sorter_.add(key, content_ == SortStage::Content::rows ? std::string_view(content) : input_->document());
    }
    input_.reset();
    sorter_.finish();
    execution_.note_spilled(figure_, sorter_.spilled_bytes());
  }

  Execution& execution_;
  RowsPtr input_;  // until it is read
  const SortStage& stage_;
  const SortStage::Content content_;
  Evaluator evaluate_;
  Sorter sorter_;
  model::Parser parser_;
  std::size_t figure_;
};

/// The first few rows in an order, the rest forgotten as they come. When the few do not fit the memory they are sorted
/// like all rows.
class TopRows final : public Rows {
 public:
  TopRows(Execution& execution, RowsPtr input, const SortStage& stage, std::uint64_t most, SortStage::Content content)
      : execution_(execution),
        input_(std::move(input)),
        stage_(stage),
        content_(content),
        evaluate_(execution),
        most_(most) {}

  bool next(Value& row) override {
    if (input_) gather();
    std::string_view key, content;
    if (sorter_) {
      if (!sorter_->next(key, content)) return false;
    } else {
      if (position_ == kept_.size()) return false;
      execution_.tick();
      content = kept_[position_++].content;
    }
    ByteReader bytes(content);
    if (content_ == SortStage::Content::rows)
      read_row(bytes, row);
    else
      row = parser_.parse(content);
    return true;
  }

 private:
  struct Entry {
    std::string key, content;
    std::uint64_t number;
    bool operator<(const Entry& other) const {
      const int c = key.compare(other.key);
      return c != 0 ? c < 0 : number < other.number;
    }
    std::size_t bytes() const { return sizeof *this + key.size() + content.size(); }
  };

  void gather() {
    Value row;
    Entry entry;
    for (entry.number = 0; input_->next(row); ++entry.number) {
      execution_.tick();
      entry.key.clear();
      evaluate_.append_key(entry.key, stage_.sort(), row, stage_.what());
      if (!sorter_ && kept_.size() == most_ && !(entry < kept_.front())) continue;
      entry.content.clear();
      if (content_ == SortStage::Content::rows)
        append_row(entry.content, row);
      else
        entry.content = input_->document();
      if (sorter_)
        sorter_->add(entry.key, entry.content);
      else
        keep(entry);
    }
    input_.reset();
    if (sorter_)
      sorter_->finish();
    else
      std::ranges::sort_heap(kept_, std::less<>());
  }

  void keep(const Entry& entry) {
    if (kept_.size() == most_) {
      std::ranges::pop_heap(kept_, std::less<>());
      bytes_ -= kept_.back().bytes();
      kept_.pop_back();
    }
    bytes_ += entry.bytes();
    kept_.push_back(entry);
    std::ranges::push_heap(kept_, std::less<>());
    if (bytes_ <= execution_.stage_bytes) return;
    sorter_.emplace(execution_, execution_.stage_bytes, stage_.what());
    std::ranges::sort_heap(kept_, std::less<>());
    for (const Entry& one : kept_) sorter_->add(one.key, one.content);
    kept_ = {};
  }

  Execution& execution_;
  RowsPtr input_;
  const SortStage& stage_;
  const SortStage::Content content_;
  Evaluator evaluate_;
  model::Parser parser_;
  const std::uint64_t most_;
  std::vector<Entry> kept_;  // a heap with the last in front, then sorted
  std::size_t bytes_ = 0;
  std::optional<Sorter> sorter_;
  std::size_t position_ = 0;
};

class LimitRows final : public Rows {
 public:
  LimitRows(RowsPtr input, std::uint64_t most) : input_(std::move(input)), left_(most) {}
  bool next(Value& row) override {
    if (left_ == 0 || !input_->next(row)) return false;
    --left_;
    return true;
  }

 private:
  RowsPtr input_;
  std::uint64_t left_;
};

class SkipRows final : public Rows {
 public:
  SkipRows(Execution& execution, RowsPtr input, std::uint64_t count)
      : execution_(execution), input_(std::move(input)), left_(count) {}
  bool next(Value& row) override {
    for (; left_ > 0; --left_) {
      execution_.tick();
      if (!input_->next(row)) return false;
    }
    return input_->next(row);
  }

 private:
  Execution& execution_;
  RowsPtr input_;
  std::uint64_t left_;
};

/// Each row gets a random key: the least keys are the sample, in random order.
class SampleRows final : public Rows {
 public:
  SampleRows(Execution& execution, RowsPtr input, std::uint64_t size, const std::string& what)
      : execution_(execution), input_(std::move(input)), left_(size), sorter_(execution, execution.stage_bytes, what) {}

  bool next(Value& row) override {
    if (input_) gather();
    if (left_ == 0 || !sorter_.next_row(row)) return false;
    --left_;
    return true;
  }

 private:
  // Only a row whose key is among the least so far can be in the sample.
  void gather() {
    std::mt19937_64 random(std::random_device{}());
    std::vector<std::uint64_t> least;  // a heap of at most `heap_max`, the greatest first
    constexpr std::uint64_t heap_max = 100'000;
    Value row;
    std::string key, content;
    while (input_->next(row)) {
      execution_.tick();
      const std::uint64_t number = random();
      if (left_ <= heap_max) {
        if (least.size() == left_) {
          if (number >= least.front()) continue;
          std::ranges::pop_heap(least);
          least.pop_back();
        }
        least.push_back(number);
        std::ranges::push_heap(least);
      }
      key.clear();
      content.clear();
      append_big_endian(key, number);
      append_row(content, row);
      sorter_.add(key, content);
    }
    input_.reset();
    sorter_.finish();
  }

  Execution& execution_;
  RowsPtr input_;
  std::uint64_t left_;
  Sorter sorter_;
};

class Sample final : public Stage {
 public:
  Sample(const std::string& what, std::uint64_t size) : Stage(what), size_(size) {}
  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<SampleRows>(execution, std::move(input), size_, what());
  }
  void trace_needs(Needs&) const override {}
  std::size_t gathers() const override { return 1; }

 private:
  std::uint64_t size_;
};

}  // namespace

RowsPtr SortStage::open(Execution& execution, RowsPtr input, Content content) const {
  constexpr std::uint64_t heap_max = 100'000;  // of more, sorting all is faster
  if (limit_ && *limit_ <= heap_max) return std::make_unique<TopRows>(execution, std::move(input), *this, *limit_, content);
  return std::make_unique<SortRows>(execution, std::move(input), *this, content);
}

void SortStage::trace_needs(Needs& needs) const {
  for (const model::SortField& field : sort_.fields()) needs.add(field.path.text());
}

Value SortStage::notes() const {
  if (!limit_) return Object();
  return Object{{"limit", static_cast<std::int64_t>(std::min<std::uint64_t>(*limit_, INT64_MAX))}};
}

std::shared_ptr<const SortStage> SortStage::limited(std::uint64_t most) const {
  auto stage = std::make_shared<SortStage>(what(), sort_, text_);
  stage->limit_ = limit_ ? std::min(*limit_, most) : most;
  return stage;
}

RowsPtr Limit::open(Execution&, RowsPtr input) const { return std::make_unique<LimitRows>(std::move(input), most_); }

RowsPtr Skip::open(Execution& execution, RowsPtr input) const {
  return std::make_unique<SkipRows>(execution, std::move(input), count_);
}

Stages parse_sort(const Value& spec, const Place& place) {
  if (place.object(spec, R"({"published": -1})").empty()) place.refuse("it needs one or more fields");
  return {std::make_shared<SortStage>(place.what, model::Sort::of(spec, place.what), spec)};
}

Stages parse_limit(const Value& spec, const Place& place) {
  return {std::make_shared<Limit>(place.what, static_cast<std::uint64_t>(place.integer(spec, "", 1)))};
}

Stages parse_skip(const Value& spec, const Place& place) {
  return {std::make_shared<Skip>(place.what, static_cast<std::uint64_t>(place.integer(spec, "", 0)))};
}

Stages parse_sample(const Value& spec, const Place& place) {
  const Value& size = *place.members(spec, "size")[0];
  return {std::make_shared<Sample>(place.what, static_cast<std::uint64_t>(place.integer(size, "size", 1)))};
}

}  // namespace stele::pipeline
