// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A pipeline's stages. A Stage is what was parsed: immutable, shared by threads. Rows is a stage at work: it pulls
// from the one before it and is pulled by the next.
#pragma once

#include "engine/base/error.h"
#include "engine/base/interrupt.h"
#include "engine/model/document_error.h"
#include "engine/model/expression.h"
#include "engine/model/path.h"
#include "engine/model/sort.h"
#include "engine/model/value.h"
#include "engine/pipeline/needs.h"
#include "engine/pipeline/settings.h"
#include "engine/pipeline/sources.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

using model::Array;
using model::Expression;
using model::Object;
using model::Value;

/// What explain tells of a stage at work.
struct StageFigures {
  std::uint64_t rows_out = 0;
  std::chrono::nanoseconds time{0};  // with the stages before it
  std::uint64_t spilled_bytes = 0;
  unsigned threads = 1;
  Value how = {};  // it read a source of its own: an object, or null
  std::vector<std::shared_ptr<std::vector<StageFigures>>> inner = {};  // of the pipelines inside it, all runs together
};

/// What stages at work share. One thread: each worker has its own.
class Execution {
 public:
  Execution(Sources& s, const Settings& o, const Interrupt* i) : sources(s), settings(o), interrupt(i) {}

  Sources& sources;
  const Settings& settings;
  const Interrupt* interrupt;                    // or null
  const std::atomic<bool>* stop = nullptr;       // set when another worker failed
  model::Variables variables;                    // without root
  std::size_t stage_bytes = 0;                   // what a stage that gathers rows may hold before it spills
  std::vector<StageFigures>* figures = nullptr;  // of explain, or null
  std::size_t next_figure = 0;                   // whose rows are opened next
  void note_spilled(std::size_t figure, std::uint64_t bytes) const {
    if (figures) (*figures)[figure].spilled_bytes = bytes;
  }

  /// To be called in every loop over rows; `work` is in bytes, or as many steps. Throws `interrupted`.
  void tick(std::size_t work = 256) {
    work_ += work;
    if (work_ >= (std::size_t{1} << 16)) check();
  }
  void check();

 private:
  std::size_t work_ = 0;
};

class Rows {
 public:
  virtual ~Rows() = default;
  /// Puts the next row into `row`, whatever was there; false at the end, and from then on.
  virtual bool next(Value& row) = 0;
  /// The stored document that the last row is read from, until the next row; empty: there is none.
  virtual std::string_view document() const { return {}; }
  /// Rows whose documents wait as texts: the next one without reading the row of it.
  virtual bool gives_texts() const { return false; }
  virtual bool next_text(std::string_view&) { return false; }
};
using RowsPtr = std::unique_ptr<Rows>;

class Stage {
 public:
  explicit Stage(std::string what) : what_(std::move(what)) {}
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// "aggregate, stage 2, $group"
  const std::string& what() const { return what_; }
  /// "$group"
  std::string_view name() const { return std::string_view(what_).substr(what_.rfind('$')); }

  virtual RowsPtr open(Execution& execution, RowsPtr input) const = 0;

  /// From what is needed of its output to what it needs of its input.
  virtual void trace_needs(Needs& needs) const = 0;
  /// What is at the path is the same in each row of output as in the row of input it comes from.
  virtual bool keeps(const model::Path&) const { return false; }
  /// As many rows as come in, in their order, one by one.
  virtual bool one_to_one() const { return false; }
  /// Each row comes from one row of input: without input there are none, and no row tells of the others.
  virtual bool gives_row_by_row() const { return one_to_one(); }
  /// Rows are worked on one by one and without Sources: parts of the input may be worked on by threads of their own.
  virtual bool row_wise() const { return false; }
  /// It and the next stage as one; null: they stay two.
  virtual std::shared_ptr<const Stage> fused_with(const Stage&) const { return nullptr; }
  /// How often it gathers rows, with the pipelines inside it: each time Execution::stage_bytes are used.
  virtual std::size_t gathers() const { return 0; }
  /// For explain: the pipelines inside it; null stands for a source.
  virtual std::vector<std::vector<const Stage*>> inner_stages() const { return {}; }
  /// For explain: what is not in the pipeline's text. An object.
  virtual Value notes() const { return Object(); }

 private:
  std::string what_;
};
using StagePtr = std::shared_ptr<const Stage>;
using Stages = std::vector<StagePtr>;

/// Evaluates a stage's expressions; a failure tells the document's _id.
class Evaluator {
 public:
  explicit Evaluator(const Execution& execution) : variables_(execution.variables) {}

  /// Null: missing. The value lives in `document`, in `own`, in the expression or here.
  const Value* operator()(const Expression& expression, const Value& document, Value& own);
  /// The document's key in the order of a sort of `what`.
  void append_key(std::string& key, const model::Sort& sort, const Value& document, std::string_view what);
  /// Runs `body` with the variables of this document.
  template <class Body>
  auto with(const Value& document, Body&& body) {
    variables_.root = &document;
    try {
      return body(const_cast<const model::Variables&>(variables_));
    } catch (const Error& error) {
      model::rethrow_at(error, document);
    }
  }

 private:
  model::Variables variables_;
};

/// Opens the stages one upon the other.
RowsPtr open_stages(Execution& execution, std::span<const StagePtr> stages, RowsPtr input);

/// Counts and times the rows when explain wants to know: the next of Execution::figures is theirs.
RowsPtr measured(Execution& execution, RowsPtr rows);
inline std::vector<const Stage*> listed(std::span<const StagePtr> stages) {
  std::vector<const Stage*> out;
  for (const StagePtr& stage : stages) out.push_back(stage.get());
  return out;
}

/// Sets what is at the path; what is on the way and no object becomes one.
void put_at(Value& row, const model::Path& path, Value value);
/// Takes away what put_at() may have set.
void erase_at(Value& row, const model::Path& path);

/// Rows that are there already.
class GivenRows final : public Rows {
 public:
  explicit GivenRows(Array rows) : rows_(std::move(rows)) {}
  bool next(Value& row) override {
    if (at_ == rows_.size()) return false;
    row = std::move(rows_[at_++]);
    return true;
  }

 private:
  Array rows_;
  std::size_t at_ = 0;
};

/// `too_large` when a row is larger, as JSON, than a document may be.
void check_row_size(const Settings& settings, const Value& row, std::string_view what);
void check_row_size(const Settings& settings, std::size_t bytes, std::string_view what);

}  // namespace stele::pipeline
