// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Every input of the corpus, through the functions that the fuzzer runs: what it once found stays found.
#include "tests/fuzz/fuzz.h"

#include "engine/base/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace stele::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto targets : {text_targets(), query_targets(), pipeline_targets(), event_targets(), stored_targets()})
    for (const Target& target : targets) all.emplace_back(target.name);
  return all;
}

class Corpus : public ::testing::TestWithParam<std::string> {};

TEST_P(Corpus, holds_its_properties) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(STELE_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam()))
    files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) EXPECT_NO_THROW(run(GetParam(), read_file(file.string()))) << file;
  EXPECT_GE(files.size(), 3u);
}

/// Cut and flipped, the inputs still break nothing: a little fuzzing without a fuzzer.
TEST_P(Corpus, holds_its_properties_when_damaged) {
  for (const auto& entry : fs::directory_iterator(fs::path(STELE_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam())) {
    const std::string whole = read_file(entry.path().string());
    if (whole.size() > 400) continue;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_NO_THROW(run(GetParam(), whole.substr(0, i))) << entry.path() << ", cut at " << i;
      std::string flipped = whole;
      for (const int bit : {1, 16, 128}) {
        flipped[i] = static_cast<char>(whole[i] ^ bit);
        EXPECT_NO_THROW(run(GetParam(), flipped)) << entry.path() << ", byte " << i << " with bit " << bit;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Corpus, ::testing::ValuesIn(names()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace stele::fuzz
