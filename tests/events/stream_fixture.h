// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stele/check.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace stele::testing {

inline Timestamp at(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

/// Offsets as text, `-` for events not yet committed.
inline std::string offsets(const std::vector<Event>& events) {
  std::string out;
  for (const Event& event : events)
    out += (out.empty() ? "" : " ") + (event.offset ? std::to_string(*event.offset) : "-");
  return out;
}

/// A database with a stream "s".
class StreamTest : public ::testing::Test {
 protected:
  StreamTest() : db(Database::open(directory / "db", {.durability = Durability::relaxed})), s(db.stream("s")) {}

  void reopen() {
    db.close();
    db = Database::open(directory / "db", {.durability = Durability::relaxed});
    s = db.stream("s");
  }
  void append(const std::string& key, std::int64_t seconds, const std::string& data = "null") {
    s.append({.key = key, .data = data, .time = at(seconds)});
  }
  std::string found(const EventQuery& query) { return offsets(s.find(query).all()); }

  TemporaryDirectory directory;
  Database db;
  Stream s;
};

}  // namespace stele::testing
