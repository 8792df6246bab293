// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A database, and pipelines over it, as texts.
#pragma once

#include <gtest/gtest.h>
#include <stele/stele.h>

#include "engine/model/value.h"
#include "tests/support/expect_error.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace stele {

using Texts = std::vector<std::string>;

using testing::test_seed;

class AggregateTest : public ::testing::Test {
 protected:
  void insert(const std::string& collection, const Texts& documents) {
    db.collection(collection).insert_many(documents);
  }

  /// `count` documents {"_id", "k": _id % 1000, "n": _id, "pad"}, about 500 bytes each.
  void insert_many(const std::string& collection, int count) {
    const std::string pad(440, 'p');
    db.collection(collection).bulk_load([&, i = 0, text = std::string()]() mutable -> std::optional<std::string_view> {
      if (i == count) return std::nullopt;
      const std::string id = std::to_string(i);
      text = R"({"_id":)" + id + R"(,"k":)" + std::to_string(i++ % 1000) + R"(,"n":)" + id + R"(,"pad":")" + pad + "\"}";
      return text;
    });
  }

  void append(const std::string& stream, int count) {
    for (int i = 0; i < count;) {
      std::vector<NewEvent> events;
      for (const int end = std::min(count, i + 5000); i < end; ++i)
        events.push_back({.key = "k" + std::to_string(i % 100),
                          .data = R"({"v":)" + std::to_string(i) + "}",
                          .time = Timestamp(std::chrono::seconds(1'700'000'000 + i))});
      db.stream(stream).append(events);
    }
  }

  Texts run(const std::string& collection, std::string_view pipeline, const AggregateOptions& options = {}) {
    return db.collection(collection).aggregate(pipeline, options).all();
  }
  Texts run_source(std::string_view source, std::string_view pipeline) { return db.aggregate(source, pipeline).all(); }
  std::string one(const std::string& collection, std::string_view pipeline, const AggregateOptions& options = {}) {
    const Texts all = run(collection, pipeline, options);
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " documents";
  }
  /// What explain says at a path of members.
  std::string explained(const std::string& collection, std::string_view pipeline,
                        std::initializer_list<std::string_view> path) {
    const model::Value told = model::parse(db.collection(collection).explain_aggregate(pipeline));
    const model::Value* at = &told;
    for (const std::string_view name : path) {
      at = at->is_array() ? &at->array().at(static_cast<std::size_t>(std::atoi(std::string(name).c_str())))
                          : at->find(name);
      if (!at) return "nothing at " + std::string(name) + " of " + model::to_json(told);
    }
    return model::to_json(*at);
  }

  std::size_t spill_files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory / "db/spill")) count += entry.exists();
    return count;
  }

  testing::TemporaryDirectory directory;
  Database db = Database::open(directory / "db");
};

}  // namespace stele
