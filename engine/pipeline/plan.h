// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/order.h"
#include "engine/pipeline/stage.h"

namespace stele::pipeline {

/// Puts stages where they cost least: $match as early as its paths are there, matches that meet together, $limit and
/// $skip before stages that change each row, a $lookup and the $unwind of what it found in one, and a $sort told how
/// many of its rows are wanted.
Stages rearranged(Stages stages);

/// What a pipeline asks of its source, and the stages that are left.
struct Plan {
  Request request;
  Value filter = Object();                // the request's, as text
  std::shared_ptr<const SortStage> sort;  // the request's: done here when the source does not
  Needs needs = Needs::all();
  Stages stages;
  std::optional<std::size_t> group;  // the stage up to which parts of the source can be worked on in threads

  /// Of a pipeline whose results are wanted whole.
  static Plan of(Stages stages);
  std::size_t gathers() const;
  /// With its source and sort, in the order they work.
  std::vector<const Stage*> listed_stages() const;
};

/// What is needed of the rows that come into the stages.
Needs needs_of(std::span<const StagePtr> stages);

/// What became of a request, for explain.
struct OpenedFigures {
  Value how;
  bool sorted = false;
  std::size_t parts = 1;
};

/// The documents of an opened source.
RowsPtr scan(Execution& execution, std::unique_ptr<Cursor> cursor, const Needs& needs);

/// Opens source and stages.
RowsPtr open_plan(Execution& execution, const SourceName& source, const Plan& plan, OpenedFigures* figures = nullptr);

}  // namespace stele::pipeline
