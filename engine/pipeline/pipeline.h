// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// MongoDB's aggregation. A Pipeline is parsed once and run over Sources; results are streamed.
//
//   parse.h        from text to stages; the table of their names
//   plan.h         what the source does, the order of stages, what is read of each document, which part runs in threads
//   stage.h        how stages work upon each other; one file for each family of them
//   sorter.h spool.h group_table.h      rows that are gathered, and spilled beyond their memory
#pragma once

#include "engine/base/interrupt.h"
#include "engine/pipeline/plan.h"
#include "engine/pipeline/settings.h"
#include "engine/pipeline/sources.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::pipeline {

/// Immutable; any thread.
class Pipeline {
 public:
  /// `invalid`, `unsupported` and `too_large` name the stage, the member and the operator.
  static Pipeline parse(std::string_view json, const json::Limits& limits = {});

  /// It ends with $out or $merge.
  bool writes() const { return writes_; }
  /// Some source of it may be SQL.
  bool may_read_sql() const { return may_read_sql_; }
  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  bool writes_ = false;
  bool may_read_sql_ = false;
};

/// A pipeline at work. One thread at a time; sources, pipeline, settings and interrupt must outlive it.
class Results {
 public:
  Results(Sources& sources, const SourceName& source, const Pipeline& pipeline, const Settings& settings,
          const Interrupt* interrupt = nullptr);
  ~Results();
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  /// Opens the source, which the first next() does otherwise.
  void open();
  /// The next document's text, until the next call. A pipeline that writes does so in the first call, and has none.
  std::optional<std::string_view> next();

  struct Impl;  // also explain's

 private:
  std::unique_ptr<Impl> impl_;
};

/// Runs the pipeline to its end; a JSON object: what the source did, and of each stage its rows, time and spilled
/// bytes. A pipeline that writes is refused.
std::string explain(Sources& sources, const SourceName& source, const Pipeline& pipeline, const Settings& settings,
                    const Interrupt* interrupt = nullptr);

}  // namespace stele::pipeline
