// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/stage.h"

namespace stele::pipeline {

struct UnwindSpec {
  model::Path path;
  std::optional<model::Path> index;  // where the element's position goes
  bool preserve = false;             // rows without elements stay
};

/// $unwind: a row for each element of an array.
class Unwind final : public Stage {
 public:
  Unwind(const std::string& what, UnwindSpec spec) : Stage(what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs& needs) const override { needs.add(spec_.path.text()); }
  bool keeps(const model::Path& path) const override;
  bool gives_row_by_row() const override { return true; }
  bool row_wise() const override { return true; }

  const UnwindSpec& spec() const { return spec_; }

 private:
  UnwindSpec spec_;
};

}  // namespace stele::pipeline
