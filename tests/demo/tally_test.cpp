// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The demonstration proves something only if its counting would see a loss: here things are taken away.
#include "tools/demo/tally.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace stele::demo {
namespace {

constexpr std::int64_t stanza_count = 25;
constexpr std::int64_t batch_stanzas = 10;  // so three batches

class TallyTest : public ::testing::Test {
 protected:
  TallyTest() {
    input_.file = ::testing::TempDir() + "stele-tally-XXXXXX";
    close(mkstemp(input_.file.data()));
    std::ofstream out(input_.file);
    for (std::int64_t i = 0; i < stanza_count; ++i)
      out << "Package: p" << i << "\nVersion: 1\nArchitecture: all\nMaintainer: M" << i % 4
          << " <m>\nDepends: p1 | p2, p3 (>= 1)\nProvides: q\n\n";
    out.close();
    run_import("");
  }
  ~TallyTest() override { unlink(input_.file.c_str()); }

  void run_import(const std::string& prefix) {
    acknowledged_.clear();
    Import importer(db_, prefix, input_, batch_stanzas);
    importer.run([&](const BatchReport& report) { acknowledged_.push_back(report); });
  }
  Missing missing() { return missing_of(acknowledged_, tally(db_, names_)); }

  InputOptions input_;
  Names names_{""};
  Database db_ = Database::in_memory();
  std::vector<BatchReport> acknowledged_;
};

TEST_F(TallyTest, FindsEverythingOfAWholeImport) {
  const Tally found = tally(db_, names_);
  EXPECT_EQ(found.disagreements(), std::vector<std::string>{});
  EXPECT_EQ(found.documents, stanza_count);
  EXPECT_EQ(found.rows, stanza_count * (1 + 3 + 1) + 4);
  EXPECT_EQ(found.events, 3);
  EXPECT_EQ(missing().rows + missing().documents + missing().events, 0);
}

TEST_F(TallyTest, SeesALostDocument) {
  ASSERT_TRUE(db_.collection("stanzas").remove("p7_1_all"));
  EXPECT_EQ(tally(db_, names_).disagreements(),
            (std::vector<std::string>{"1 half batches", "1 rows without document"}));
  EXPECT_EQ(missing().documents, 1);
  EXPECT_EQ(missing().rows, 0);
}

TEST_F(TallyTest, SeesLostRows) {
  db_.sql("DELETE FROM packages WHERE name = 'p7'");  // with its four rows of dependencies and provides
  EXPECT_EQ(tally(db_, names_).disagreements(),
            (std::vector<std::string>{"1 half batches", "1 documents without row"}));
  EXPECT_EQ(missing().rows, 5);
  EXPECT_EQ(missing().documents, 0);
}

TEST_F(TallyTest, SeesABatchThatWasAcknowledgedAndIsNotThere) {
  BatchReport next = acknowledged_.back();
  ++next.batch;
  acknowledged_.push_back(next);
  EXPECT_EQ(missing().events, 1);
  EXPECT_EQ(missing().documents, next.packages);
}

TEST_F(TallyTest, ComparesTwoImportsInRowsAndDocuments) {
  run_import("second_");
  const Names second("second_");
  EXPECT_EQ(count_differences(db_, names_, second), 0);
  db_.sql("UPDATE second_packages SET section = 'x' WHERE name = 'p3'");
  EXPECT_EQ(count_differences(db_, names_, second), 2);  // once from either side
  db_.collection("second_stanzas").update_one(R"({"_id":"p4_1_all"})", R"({"$set":{"version":"2"}})");
  EXPECT_EQ(count_differences(db_, names_, second), 3);
}

TEST_F(TallyTest, AnImportGoesOnBehindItsLastBatch) {
  input_.limit = 10;
  run_import("second_");
  ASSERT_EQ(acknowledged_.size(), 1u);
  input_.limit = 0;
  run_import("second_");
  ASSERT_EQ(acknowledged_.size(), 2u);
  EXPECT_EQ(acknowledged_[0].batch, 2);
  EXPECT_EQ(tally(db_, Names("second_")).disagreements(), std::vector<std::string>{});
  EXPECT_EQ(count_differences(db_, names_, Names("second_")), 0);
}

TEST_F(TallyTest, AStanzaThatComesTwiceIsCountedAndChangesNothing) {
  std::ofstream(input_.file, std::ios::app) << "Package: p1\nVersion: 1\nArchitecture: all\n\nVersion: 1\n\n";
  run_import("");
  ASSERT_EQ(acknowledged_.size(), 1u);
  EXPECT_EQ(acknowledged_[0].repeated, 1);
  EXPECT_EQ(acknowledged_[0].refused, 1);
  EXPECT_EQ(tally(db_, names_).documents, stanza_count);
}

}  // namespace
}  // namespace stele::demo
