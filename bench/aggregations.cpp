// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/aggregations.h"

#include "bench/generator.h"
#include "bench/peers.h"

#include <stele/stele.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <vector>

namespace stele::bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t event_batch = 1000, event_stream = 40, payload_stream = 41, payloads = 4096;

Figures figures_of(std::uint32_t count, Clock::time_point begin) {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return {count / seconds, seconds * 1e6, seconds * 1e6, 0};
}

/// Of a thousand keys, one each 10 ms, with 200 letters.
struct GeneratedEvent {
  std::string key;
  std::int64_t time_us;
  std::string data;
};

GeneratedEvent generated_event(std::uint32_t number, const std::vector<std::string>& texts) {
  Sequence random(event_stream, number);
  const std::uint32_t key = random.below(1000);
  const std::uint32_t value = random.below(10'000);
  const std::uint32_t text = random.below(payloads);
  return {"k" + std::to_string(key), (first_moment_ms + std::int64_t{number} * 10) * 1000,
          R"({"val":)" + std::to_string(value) + R"(,"payload":")" + texts[text] + "\"}"};
}

std::vector<std::string> generated_texts() {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < payloads; ++i) {
    Sequence random(payload_stream, i);
    std::string& text = texts.emplace_back();
    while (text.size() < 200) text += static_cast<char>('a' + random.below(26));
  }
  return texts;
}

/// Groups as both subjects give them: names, counts and averages, in order.
struct Checked {
  std::vector<std::string> lines;
  void add(const std::string& key, std::int64_t count, double number) {
    lines.push_back(key + " " + std::to_string(count) + " " + std::to_string(std::llround(number * 1000)));
  }
  std::string result() {
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) all += line + "\n";
    return std::to_string(lines.size()) + " groups, " + std::to_string(std::hash<std::string>()(all));
  }
};

/// The value behind `"name":` in a result that is known to have it.
std::string_view member(std::string_view json, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\":";
  const std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) throw std::runtime_error("no " + quoted + " in " + std::string(json));
  std::string_view value = json.substr(at + quoted.size());
  if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
  return value.substr(0, value.find_first_of(",}"));
}

}  // namespace

struct Aggregations::Stele {
  explicit Stele(const std::string& directory) : db(Database::open(directory)) {}
  Database db;
};

struct Aggregations::Peer {
  explicit Peer(const std::string& path) : db(path) { db.execute("PRAGMA cache_size=-262144"); }  // as much as all of Stele
  Sqlite db;
};

Aggregations::Aggregations(std::string directory, std::uint32_t documents, std::uint32_t events)
    : directory_(std::move(directory)), documents_(documents), events_(events) {
  check_generator();
  std::filesystem::create_directories(directory_);
}

Aggregations::~Aggregations() = default;

void Aggregations::expect_same(const std::string& what, const std::string& result) {
  std::string& known = what == "documents" ? documents_result_ : events_result_;
  if (known.empty()) known = result;
  if (known != result) throw std::runtime_error(what + ": " + result + " after " + known);
}

Aggregations::Stele& Aggregations::stele() {
  if (stele_) return *stele_;
  stele_ = std::make_unique<Stele>(directory_ + "/stele");
  Database& db = stele_->db;
  db.collection("docs").bulk_load([&, i = 0u, text = std::string()]() mutable -> std::optional<std::string_view> {
    if (i == documents_) return std::nullopt;
    return text = generated_document(i++, documents_);
  });
  const std::vector<std::string> texts = generated_texts();
  std::vector<NewEvent> events;
  for (std::uint32_t i = 0; i < events_; ++i) {
    GeneratedEvent event = generated_event(i, texts);
    events.push_back({.key = std::move(event.key), .data = std::move(event.data),
                      .time = Timestamp(std::chrono::microseconds(event.time_us))});
    if (events.size() < event_batch && i + 1 < events_) continue;
    db.stream("events", {.durability = Durability::relaxed}).append(events);
    events.clear();
  }
  return *stele_;
}

Aggregations::Peer& Aggregations::sqlite() {
  if (sqlite_) return *sqlite_;
  sqlite_ = std::make_unique<Peer>(directory_ + "/peer.db");
  Sqlite& db = sqlite_->db;
  db.execute("CREATE TABLE docs(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
  db.execute("CREATE TABLE events(id INTEGER PRIMARY KEY, key TEXT NOT NULL, time INT NOT NULL, data TEXT NOT NULL)");
  db.execute("BEGIN");
  auto* insert = db.prepare("INSERT INTO docs SELECT ?2, ?3 WHERE ?1 >= 0");
  for (std::uint32_t i = 0; i < documents_; ++i)
    db.run(insert, i, generated_id(i), generated_document(i, documents_));
  const std::vector<std::string> texts = generated_texts();
  auto* append = db.prepare("INSERT INTO events VALUES(?1, ?2, ?3, ?4)");
  for (std::uint32_t i = 0; i < events_; ++i) {
    const GeneratedEvent event = generated_event(i, texts);
    db.run(append, i, event.key, event.time_us, event.data);
  }
  db.execute("COMMIT");
  return *sqlite_;
}

Figures Aggregations::stele_documents() {
  Collection docs = stele().db.collection("docs");
  const auto begin = Clock::now();
  const auto groups = docs.aggregate(R"([{"$group": {"_id": {"plan": "$user.plan", "status": "$status"},
                                                     "count": {"$sum": 1}, "score": {"$avg": "$score"}}}])").all();
  const Figures figures = figures_of(documents_, begin);
  Checked checked;
  for (const std::string& group : groups)
    checked.add(std::string(member(group, "plan")) + std::string(member(group, "status")),
                std::atoll(member(group, "count").data()), std::atof(member(group, "score").data()));
  expect_same("documents", checked.result());
  return figures;
}

Figures Aggregations::sqlite_documents() {
  Sqlite& db = sqlite().db;
  auto* statement = db.prepare(
      "SELECT json_extract(body, '$.user.plan') || json_extract(body, '$.status') AS k, count(*), "
      "avg(json_extract(body, '$.score')) FROM docs GROUP BY json_extract(body, '$.user.plan'), json_extract(body, '$.status')");
  Checked checked;
  const auto begin = Clock::now();
  while (sqlite3_step(statement) == SQLITE_ROW)
    checked.add(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)), sqlite3_column_int64(statement, 1),
                sqlite3_column_double(statement, 2));
  const Figures figures = figures_of(documents_, begin);
  expect_same("documents", checked.result());
  return figures;
}

Figures Aggregations::postgres_documents() {
  const auto run = [](const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  };
  if (!postgres_loaded_) {
    const std::string file = directory_ + "/docs.copy";
    if (std::FILE* out = std::fopen(file.c_str(), "w")) {
      for (std::uint32_t i = 0; i < documents_; ++i)
        std::fprintf(out, "%s\t%s\n", generated_id(i).c_str(), generated_document(i, documents_).c_str());
      std::fclose(out);
    }
    run("psql -q -c 'DROP TABLE IF EXISTS docs' -c 'CREATE TABLE docs(id text PRIMARY KEY, body jsonb NOT NULL)' -c \"\\copy docs FROM '" +
        file + "'\" -c 'VACUUM ANALYZE docs'");
    postgres_loaded_ = true;
  }
  const std::string answer = directory_ + "/answer";
  run("psql -qAt -c '\\timing on' -c \"SELECT body->'user'->>'plan', body->>'status', count(*), avg((body->>'score')::int) "
      "FROM docs GROUP BY 1, 2\" > " + answer);
  double milliseconds = 0;
  std::size_t groups = 0;
  if (std::FILE* in = std::fopen(answer.c_str(), "r")) {
    char line[400];
    while (std::fgets(line, sizeof line, in))
      if (std::sscanf(line, "Time: %lf", &milliseconds) != 1) ++groups;
    std::fclose(in);
  }
  if (groups != 15 || milliseconds <= 0) throw std::runtime_error("psql gave no result with its time");
  return {documents_ / milliseconds * 1e3, milliseconds * 1e3, milliseconds * 1e3, 0};
}

Figures Aggregations::stele_events() {
  Database& db = stele().db;
  const auto begin = Clock::now();
  const auto groups = db.aggregate(R"({"stream": "events"})", R"([{"$group": {
      "_id": {"key": "$key", "minute": {"$dateTrunc": {"date": "$time", "unit": "minute"}}},
      "count": {"$sum": 1}, "sum": {"$sum": "$data.val"}, "max": {"$max": "$data.val"}}}])").all();
  const Figures figures = figures_of(events_, begin);
  Checked checked;
  for (const std::string& group : groups)
    checked.add(std::string(member(group, "key")) + ":" + std::string(member(group, "max")),
                std::atoll(member(group, "count").data()), std::atof(member(group, "sum").data()));
  expect_same("events", checked.result());
  return figures;
}

Figures Aggregations::sqlite_events() {
  Sqlite& db = sqlite().db;
  auto* statement = db.prepare(
      "SELECT key || ':' || max(json_extract(data, '$.val')), count(*), sum(json_extract(data, '$.val')) "
      "FROM events GROUP BY key, time / 60000000");
  Checked checked;
  const auto begin = Clock::now();
  while (sqlite3_step(statement) == SQLITE_ROW)
    checked.add(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)), sqlite3_column_int64(statement, 1),
                sqlite3_column_double(statement, 2));
  const Figures figures = figures_of(events_, begin);
  expect_same("events", checked.result());
  return figures;
}

Figures Aggregations::stele_sort(std::size_t memory_bytes) {
  const std::uint32_t count = documents_ * 5;
  Collection many = stele().db.collection("many");
  if (!sort_loaded_)
    many.bulk_load([&, i = 0u, text = std::string()]() mutable -> std::optional<std::string_view> {
      if (i == count) return std::nullopt;
      return text = generated_document(i++, count);
    });
  sort_loaded_ = true;
  const auto begin = Clock::now();
  Documents sorted = many.aggregate(R"([{"$sort": {"score": 1, "_id": 1}}])", {.memory_bytes = memory_bytes});
  std::uint32_t seen = 0;
  double last = -1;
  while (const auto document = sorted.next()) {
    const double score = std::atof(member(*document, "score").data());
    if (score < last) throw std::runtime_error("not sorted: " + std::string(*document));
    last = score;
    ++seen;
  }
  if (seen != count) throw std::runtime_error("the sort gave " + std::to_string(seen) + " documents");
  return figures_of(count, begin);
}

}  // namespace stele::bench
