// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/isolation/workload.h"
#include "tests/support/seed.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

namespace stele::isolation {
namespace {

class Histories : public ::testing::TestWithParam<Level> {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / "stele_isolation_XXXXXX";
    ASSERT_NE(::mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  std::string path_;
};

TEST_P(Histories, show_no_anomaly) {
  Workload workload;
  workload.seed = testing::test_seed();
  workload.level = GetParam();
  RecordProperty("seed", std::to_string(workload.seed));
  const isolation::Run done = run(workload, path_ + "/store");
  const auto anomalies = check(done.history, workload.level);
  std::printf("seed %llu: %llu committed, %llu conflicts\n", static_cast<unsigned long long>(workload.seed),
              static_cast<unsigned long long>(done.commits), static_cast<unsigned long long>(done.conflicts));
  EXPECT_GE(done.commits, workload.transactions);
  EXPECT_GT(done.conflicts, 0u) << "the transactions never met: nothing was tested";
  for (const Anomaly& anomaly : anomalies)
    ADD_FAILURE() << "seed " << workload.seed << ": " << anomaly.kind << ": " << anomaly.text;
}

INSTANTIATE_TEST_SUITE_P(Levels, Histories, ::testing::Values(Level::serializable, Level::snapshot),
                         [](const auto& given) {
                           return std::string(given.param == Level::serializable ? "serializable" : "snapshot");
                         });

}  // namespace
}  // namespace stele::isolation
