// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/json.h"
#include "engine/model/value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace stele::pipeline {

/// A run's bounds.
struct Settings {
  json::Limits limits = {};                           // of documents, and of the pipeline's text
  std::size_t memory_bytes = std::size_t{100} << 20;  // of all stages that gather rows, together; beyond it they spill
  std::uint64_t spill_bytes_max = std::uint64_t{64} << 30;  // of one stage
  std::string spill_directory = {};                         // there already; empty: nothing may be spilled
  unsigned threads = 2;                                     // for one pipeline
  model::Date now = {};                                     // what $$NOW gives
};

}  // namespace stele::pipeline
