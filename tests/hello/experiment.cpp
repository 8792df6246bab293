// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// From usage to a training signal: two variants of a code completion are tried on users. What a user is given (a row),
// what happened (events) and what is known of the user (a document) are written in one transaction; a window counts as
// the events come, and its hours are joined to the rows that say what each variant is.
#include <stele/stele.h>

#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

namespace {

constexpr auto begin = stele::Timestamp(1'767'600'000s);  // 2026-01-05 08:00

void declare(stele::Database& db) {
  db.sql("CREATE TABLE variant(id TEXT PRIMARY KEY, experiment TEXT NOT NULL, model TEXT NOT NULL) STRICT");
  db.sql("CREATE TABLE assignment(user TEXT PRIMARY KEY, variant TEXT NOT NULL REFERENCES variant(id)) STRICT");
  db.sql("INSERT INTO variant VALUES('short', 'length', 'model-7b'), ('long', 'length', 'model-70b')");
  db.stream("completions").create({.retention = {.age = 24h * 90}});
  db.stream("completions")
      .create_window(
          "hourly",
          {.width = 1h, .by_key = true, .aggregates = R"({"shown": {"sum": "shown"}, "accepted": {"sum": "accepted"},
                                                  "users": {"distinct": "user"}, "ms": {"quantiles": "ms"}})"});
}

/// A user asks for a completion: assigned to a variant the first time, shown it, and takes it or not.
void complete(stele::Database& db, int number) {
  const std::string user = "user" + std::to_string(number % 40);
  const auto at = begin + number * 18s;
  const bool liked = number % 7 < 3;
  db.write([&](stele::Transaction& tx) {
    tx.sql("INSERT INTO assignment VALUES(?, ?) ON CONFLICT DO NOTHING", user, number % 2 == 0 ? "short" : "long");
    const auto variant = tx.sql("SELECT variant FROM assignment WHERE user = ?", user).one<std::string>();
    const bool accepted = liked || (variant == "long" && number % 5 == 0);
    auto stream = tx.stream("completions");
    stream.append({.key = variant, .data = R"({"shown": 1, "user": ")" + user + "\"}", .time = at});
    stream.append({.key = variant,
                   .data = R"({"accepted": )" + std::string(accepted ? "1" : "0") + ", \"ms\": " +
                           std::to_string(variant == "long" ? 400 + number % 100 : 80 + number % 20) + "}",
                   .time = at + 1s});
    tx.collection("features")
        .update_one(R"({"_id": ")" + user + "\"}",
                    accepted ? R"({"$inc": {"seen": 1, "taken": 1}})" : R"({"$inc": {"seen": 1}})", {.upsert = true});
  });
}

void report(const stele::Snapshot& at) {
  for (const stele::WindowRow& hour : at.stream("completions").window("hourly", {})) {
    auto of = at.sql(R"(SELECT v.experiment, v.model, count(*),
                                     printf('%.3f', 1.0 * json_extract(?2, '$.accepted') / json_extract(?2, '$.shown')),
                                     json_extract(?2, '$.users'), json_extract(?2, '$.ms.p50')
                              FROM variant v JOIN assignment a ON a.variant = v.id WHERE v.id = ?1 GROUP BY v.id)",
                     hour.key, hour.values);
    for (const auto& row : of)
      std::cout << "hour " << std::chrono::duration_cast<std::chrono::hours>(hour.start - begin).count() << "  "
                << row.get<std::string>(0) << "/" << std::left << std::setw(6) << hour.key << std::setw(10)
                << row.get<std::string>(1) << " accepted " << row.get<std::string>(3) << " by "
                << row.get<std::int64_t>(4) << " of " << row.get<std::int64_t>(2) << " users, p50 "
                << std::lround(row.get<double>(5)) << " ms\n";
  }
  std::cout << "features " << at.collection("features").get("user3").value_or("none") << "\n";
}

}  // namespace

int main() {
  auto db = stele::Database::open("experiment");
  declare(db);
  for (int number = 0; number < 600; ++number) complete(db, number);
  db.read(report);
}
