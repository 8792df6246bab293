// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/aggregations.h"

#include "bench/aggregation_data.h"
#include "bench/generator.h"
#include "bench/peers.h"
#include "bench/postgres.h"

#include <stele/stele.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>

namespace stele::bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t event_batch = 1000;

/// The value behind `"name":` in a result that is known to have it.
std::string_view member(std::string_view json, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\":";
  const std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) throw std::runtime_error("no " + quoted + " in " + std::string(json));
  std::string_view value = json.substr(at + quoted.size());
  if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
  return value.substr(0, value.find_first_of(",}"));
}

/// A number with three places, however a subject writes it; anything else as it is.
std::string comparable(const std::string& value) {
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0') return value;
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", number);
  return text;
}

std::string comparable_row(const std::string& json, std::span<const char* const> columns) {
  std::string row;
  for (const char* column : columns) row += comparable(std::string(member(json, column))) + "|";
  return row;
}

/// Of a row with | between its columns.
std::string comparable_row(const std::string& text, std::size_t columns) {
  std::string row;
  for (std::size_t i = 0, at = 0; i < columns; ++i) {
    const std::size_t end = std::min(text.find('|', at), text.size());
    row += comparable(text.substr(at, end - at)) + "|";
    at = std::min(end + 1, text.size());
  }
  return row;
}

}  // namespace

struct Aggregations::Subjects {
  std::optional<Database> stele;
  std::unique_ptr<Sqlite> sqlite;
  std::unique_ptr<Postgres> postgres;
};

Aggregations::Aggregations(std::string directory, std::uint32_t documents, std::uint32_t events)
    : directory_(std::move(directory)), documents_(documents), events_(events), subjects_(new Subjects) {
  check_generator();
  std::filesystem::create_directories(directory_);
}

Aggregations::~Aggregations() = default;

std::uint32_t Aggregations::group_count() const { return std::max(documents_ / 10, 1u); }

Figures Aggregations::figures(const AggregationQuery& query, double seconds) const {
  const std::uint32_t count = std::string_view(query.source).find("stream") == std::string::npos ? documents_ : events_;
  return {count / seconds, seconds * 1e6, seconds * 1e6, 0};
}

void Aggregations::expect_same(const AggregationQuery& query, const std::vector<std::string>& rows) {
  std::vector<std::string> now = rows;
  if (!query.ordered) std::sort(now.begin(), now.end());
  if (now.empty()) throw std::runtime_error(std::string(query.name) + ": no rows");
  const auto [known, first] = known_.try_emplace(query.name, now);
  if (first || known->second == now) return;
  const auto [before, after] = std::mismatch(known->second.begin(), known->second.end(), now.begin(), now.end());
  throw std::runtime_error(std::string(query.name) + ": " + (after == now.end() ? "no more rows" : *after) + " where " +
                           (before == known->second.end() ? "no more were" : *before + " was"));
}

void Aggregations::load_stele() {
  if (subjects_->stele) return;
  Database& db = subjects_->stele.emplace(Database::open(directory_ + "/stele"));
  const auto load = [&](const char* name, std::uint32_t count, const auto& document) {
    db.collection(name).bulk_load([&, i = 0u, text = std::string()]() mutable -> std::optional<std::string_view> {
      if (i == count) return std::nullopt;
      return text = document(i++);
    });
  };
  load("docs", documents_, [&](std::uint32_t i) { return generated_document(i, documents_); });
  db.collection("docs").create_index(R"({"score": 1})");
  load("groups", group_count(), generated_group);
  db.collection("groups").create_index(R"({"grp": 1})");
  const EventGenerator generator;
  std::vector<NewEvent> events;
  for (std::uint32_t i = 0; i < events_; ++i) {
    GeneratedEvent event = generator.event(i);
    events.push_back({.key = std::move(event.key),
                      .data = std::move(event.data),
                      .time = Timestamp(std::chrono::microseconds(event.time_us))});
    if (events.size() < event_batch && i + 1 < events_) continue;
    db.stream("events", {.durability = Durability::relaxed}).append(events);
    events.clear();
  }
}

void Aggregations::load_sqlite() {
  if (subjects_->sqlite) return;
  subjects_->sqlite = std::make_unique<Sqlite>(directory_ + "/peer.db");
  Sqlite& db = *subjects_->sqlite;
  db.execute("PRAGMA cache_size=-262144");  // as much as all of Stele
  db.execute(sqlite_tables);
  db.execute("BEGIN");
  auto* document = db.prepare("INSERT INTO docs SELECT ?2, ?3 WHERE ?1 >= 0");
  for (std::uint32_t i = 0; i < documents_; ++i)
    db.run(document, i, generated_id(i), generated_document(i, documents_));
  auto* group = db.prepare("INSERT INTO groups SELECT 'g' || ?1, ?2");
  for (std::uint32_t i = 0; i < group_count(); ++i) db.run(group, i, generated_group(i));
  auto* append = db.prepare("INSERT INTO events VALUES(?1, ?2, ?3, ?4)");
  const EventGenerator generator;
  for (std::uint32_t i = 0; i < events_; ++i) {
    const GeneratedEvent event = generator.event(i);
    db.run(append, i, event.key, event.time_us, event.data);
  }
  db.execute(sqlite_indexes);
  db.execute("COMMIT");
}

void Aggregations::load_postgres() {
  if (subjects_->postgres) return;
  subjects_->postgres = Postgres::start();
  Postgres& db = *subjects_->postgres;
  db.execute(postgres_tables);
  db.copy("docs", documents_,
          [&](std::uint32_t i) { return generated_id(i) + "\t" + generated_document(i, documents_); });
  db.copy("groups", group_count(), [](std::uint32_t i) { return "g" + std::to_string(i) + "\t" + generated_group(i); });
  const EventGenerator generator;
  db.copy("events", events_, [&](std::uint32_t i) {
    const GeneratedEvent event = generator.event(i);
    return std::to_string(i) + "\t" + event.key + "\t" + std::to_string(event.time_us) + "\t" + event.data;
  });
  db.execute(postgres_indexes);
}

Figures Aggregations::stele(const AggregationQuery& query) {
  load_stele();
  const auto begin = Clock::now();
  const auto results = subjects_->stele->aggregate(query.source, query.pipeline).all();
  const double seconds = seconds_since(begin);
  std::vector<std::string> rows;
  for (const std::string& json : results) rows.push_back(comparable_row(json, query.columns));
  expect_same(query, rows);
  return figures(query, seconds);
}

Figures Aggregations::sqlite(const AggregationQuery& query) {
  load_sqlite();
  auto* statement = subjects_->sqlite->prepare(query.sqlite);
  std::vector<std::string> rows;
  const auto begin = Clock::now();
  while (subjects_->sqlite->run(statement)) {
    std::string& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i)
      row.append(reinterpret_cast<const char*>(sqlite3_column_text(statement, i))) += '|';
  }
  const double seconds = seconds_since(begin);
  for (std::string& row : rows) row = comparable_row(row, query.columns.size());
  expect_same(query, rows);
  return figures(query, seconds);
}

Figures Aggregations::postgres(const AggregationQuery& query) {
  load_postgres();
  Postgres::Answer answer = subjects_->postgres->query(query.postgres);
  for (std::string& row : answer.rows) row = comparable_row(row, query.columns.size());
  expect_same(query, answer.rows);
  return figures(query, answer.seconds);
}

Figures Aggregations::stele_sort(std::size_t memory_bytes) {
  load_stele();
  const std::uint32_t count = documents_ * 5;
  Collection many = subjects_->stele->collection("many");
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
  const double seconds = seconds_since(begin);
  return {count / seconds, seconds * 1e6, seconds * 1e6, 0};
}

}  // namespace stele::bench
