// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A pipeline over a few documents, as texts.
#pragma once

#include "tests/support/memory_sources.h"
#include "tests/support/expect_error.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace stele::pipeline {

using testing::test_seed;

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    settings.spill_directory = directory.path();
    settings.now = model::Date{1767225600000};  // 2026-01-01
  }

  /// The results over collection "c".
  Texts run(std::string_view pipeline) { return run_source(Value("c"), pipeline); }

  Texts run_source(const Value& source, std::string_view pipeline) {
    const Pipeline parsed = Pipeline::parse(pipeline);
    Results results(sources, SourceName::parse(source, "test"), parsed, settings, interrupt);
    Texts out;
    while (const auto text = results.next()) out.emplace_back(*text);
    return out;
  }

  Texts run(const Texts& documents, std::string_view pipeline) {
    sources.set("c", documents);
    return run(pipeline);
  }

  Value explained(std::string_view pipeline) {
    const Pipeline parsed = Pipeline::parse(pipeline);
    return model::parse(explain(sources, SourceName::parse(Value("c"), "test"), parsed, settings, interrupt));
  }

  /// The pipeline is refused, when parsed or when run.
  template <class... Part>
  Error refused(ErrorCode code, std::string_view pipeline, const Part&... parts) {
    SCOPED_TRACE(pipeline);
    return testing::expect_error(
        code, [&] { run(pipeline); }, parts...);
  }

  testing::TemporaryDirectory directory;
  MemorySources sources;
  Settings settings;
  const Interrupt* interrupt = nullptr;
};

}  // namespace stele::pipeline
