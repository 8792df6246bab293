// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/events.h"

#include "bench/generator.h"
#include "bench/peers.h"

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>
#include <stele/stele.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace stele::bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t batch = 1000;
constexpr std::int64_t first_ms = 1'700'000'000'000;

struct Generated {
  std::string key;
  std::int64_t ms;
  std::string data;
};

std::string event_key(std::uint32_t key) {
  std::string digits = std::to_string(key);
  return "k" + std::string(4 - digits.size(), '0') + digits;
}

Generated generate(std::uint32_t number) {
  static const std::vector<std::string> payloads = [] {
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < 4096; ++i) {
      Sequence letters(41, i);
      std::string& payload = all.emplace_back();
      while (payload.size() < 200) payload += static_cast<char>('a' + letters.below(26));
    }
    return all;
  }();
  Sequence random(40, number);
  const std::uint32_t key = random.below(1000);
  const std::uint32_t value = random.below(10'000);
  const std::uint32_t payload = random.below(4096);
  return {event_key(key), first_ms + std::int64_t{number} * 10,
          "{\"val\":" + std::to_string(value) + ",\"payload\":\"" + payloads[payload] + "\"}"};
}

Timestamp time_of(std::int64_t ms) { return Timestamp(std::chrono::milliseconds(ms)); }

class SteleEvents final : public EventStore {
 public:
  SteleEvents(const std::string& directory, bool window)
      : db_(Database::open(directory)), stream_(db_.stream("events")) {
    if (window)
      stream_.create_window("minutes", {.width = std::chrono::minutes(1),
                                        .by_key = true,
                                        .aggregates = R"({"n":"count","sum":{"sum":"val"},"max":{"max":"val"}})"});
  }

  void append(std::uint32_t first) override {
    std::vector<NewEvent> events;
    events.reserve(batch);
    for (std::uint32_t i = 0; i < batch; ++i) {
      Generated made = generate(first + i);
      events.push_back({std::move(made.key), std::move(made.data), time_of(made.ms)});
    }
    stream_.append(events);
  }

  void append_one(std::uint32_t number) override {
    Generated made = generate(number);
    stream_.append({std::move(made.key), std::move(made.data), time_of(made.ms)});
  }

  std::int64_t window() override {
    std::int64_t sum = 0;
    for (const WindowRow& row : stream_.window("minutes", {})) {
      static constexpr std::string_view name = "\"sum\":";
      const std::size_t at = row.values.find(name) + name.size();
      std::int64_t of_row = 0;
      std::from_chars(row.values.data() + at, row.values.data() + row.values.size(), of_row);
      sum += of_row;
    }
    return sum;
  }

  std::uint64_t range(std::uint32_t key, std::int64_t from, std::int64_t to) override {
    Events events = stream_.find({.from_time = time_of(from), .to_time = time_of(to), .key = event_key(key)});
    std::uint64_t bytes = 0;
    while (const Event* event = events.next()) bytes += event->data.size();
    return bytes;
  }

 private:
  Database db_;
  Stream stream_;
};

void append_number(std::string& out, std::int64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

class RocksEvents final : public EventStore {
 public:
  explicit RocksEvents(const std::string& directory) : db_(open_rocksdb(directory + "/rocks")) {}

  void append(std::uint32_t first) override {
    rocksdb::WriteBatch writes;
    for (std::uint32_t i = first; i < first + batch; ++i) {
      const Generated made = generate(i);
      std::string key = "e" + made.key;
      append_number(key, made.ms);
      append_number(key, i);
      std::string time = "t";
      append_number(time, made.ms);
      append_number(time, i);
      writes.Put(key, made.data);
      writes.Put(time, made.key);
    }
    rocksdb::WriteOptions durable;
    durable.sync = true;
    check(db_->Write(durable, &writes));
  }

  std::uint64_t range(std::uint32_t key, std::int64_t from, std::int64_t to) override {
    std::string low = "e" + event_key(key);
    std::string high = low;
    append_number(low, from);
    append_number(high, to);
    const rocksdb::Slice end(high);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    std::uint64_t bytes = 0;
    std::string data;  // a copy, as the others give one
    for (it->Seek(low); it->Valid(); it->Next()) {
      data.assign(it->value().data(), it->value().size());
      bytes += data.size();
    }
    check(it->status());
    return bytes;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
};

class SqliteEvents final : public EventStore {
 public:
  enum class Rows { events, kept_up };  // kept_up: triggers keep a row for each key and minute
  SqliteEvents(const std::string& directory, Rows rows) : sqlite_(directory + "/events.db") {
    sqlite_.execute("PRAGMA cache_size=-262144");
    sqlite_.execute(
        "CREATE TABLE events(id INTEGER PRIMARY KEY, key TEXT NOT NULL, ts INTEGER NOT NULL, data TEXT NOT NULL)");
    sqlite_.execute("CREATE INDEX by_key ON events(key, ts)");
    sqlite_.execute("CREATE INDEX by_time ON events(ts)");
    if (rows == Rows::kept_up) {
      sqlite_.execute(
          "CREATE TABLE minutes(key TEXT, minute INTEGER, n INTEGER, s INTEGER, m INTEGER, PRIMARY KEY(minute, key)) "
          "WITHOUT ROWID");
      sqlite_.execute(
          "CREATE TRIGGER keep AFTER INSERT ON events BEGIN "
          "INSERT INTO minutes VALUES(new.key, new.ts / 60000, 1, new.data ->> '$.val', new.data ->> '$.val') "
          "ON CONFLICT DO UPDATE SET n = n + 1, s = s + excluded.s, m = max(m, excluded.m); END");
    }
    begin_ = sqlite_.prepare("BEGIN IMMEDIATE");
    commit_ = sqlite_.prepare("COMMIT");
    insert_ = sqlite_.prepare("INSERT INTO events(ts, key, data) VALUES(?1, ?2, ?3)");
    range_ = sqlite_.prepare("SELECT data FROM events WHERE ts >= ?1 AND ts < ?2 AND key = ?3 ORDER BY ts");
    window_ = sqlite_.prepare(rows == Rows::kept_up
                                  ? "SELECT key, minute, n, s, m FROM minutes"
                                  : "SELECT key, ts / 60000, count(*), sum(data ->> '$.val'), max(data ->> '$.val') "
                                    "FROM events GROUP BY 1, 2");
  }

  void append(std::uint32_t first) override {
    sqlite_.run(begin_);
    for (std::uint32_t i = first; i < first + batch; ++i) {
      const Generated made = generate(i);
      sqlite_.run(insert_, made.ms, made.key, made.data);
    }
    sqlite_.run(commit_);
  }

  void append_one(std::uint32_t number) override {
    const Generated made = generate(number);
    std::lock_guard guard(mutex_);  // better than SQLite's own waiting
    sqlite_.run(insert_, made.ms, made.key, made.data);
  }

  std::int64_t window() override {
    std::int64_t sum = 0;
    std::string key;
    for (bool row = sqlite_.run(window_); row; row = sqlite3_step(window_) == SQLITE_ROW) {
      key.assign(reinterpret_cast<const char*>(sqlite3_column_text(window_, 0)),
                 static_cast<std::size_t>(sqlite3_column_bytes(window_, 0)));
      sum += sqlite3_column_int64(window_, 3);
    }
    sqlite3_reset(window_);
    return sum;
  }

  std::uint64_t range(std::uint32_t key, std::int64_t from, std::int64_t to) override {
    const std::string text = event_key(key);
    std::uint64_t bytes = 0;
    std::string data;
    for (bool row = sqlite_.run(range_, from, to, text); row; row = sqlite3_step(range_) == SQLITE_ROW) {
      data.assign(reinterpret_cast<const char*>(sqlite3_column_text(range_, 0)),
                  static_cast<std::size_t>(sqlite3_column_bytes(range_, 0)));
      bytes += data.size();
    }
    sqlite3_reset(range_);
    return bytes;
  }

 private:
  Sqlite sqlite_;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* range_ = nullptr;
  sqlite3_stmt* window_ = nullptr;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<EventStore> make_stele_events(const std::string& directory) {
  return std::make_unique<SteleEvents>(directory + "/db", false);
}
std::unique_ptr<EventStore> make_stele_window_events(const std::string& directory) {
  return std::make_unique<SteleEvents>(directory + "/db", true);
}
std::unique_ptr<EventStore> make_rocksdb_events(const std::string& directory) {
  return std::make_unique<RocksEvents>(directory);
}
std::unique_ptr<EventStore> make_sqlite_events(const std::string& directory) {
  return std::make_unique<SqliteEvents>(directory, SqliteEvents::Rows::events);
}
std::unique_ptr<EventStore> make_sqlite_kept_up_events(const std::string& directory) {
  return std::make_unique<SqliteEvents>(directory, SqliteEvents::Rows::kept_up);
}

Figures EventRuns::append(const std::string& subject, const Make& make) {
  stores_.erase(subject);
  const std::string directory = directory_ + "/" + subject;
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  auto store = make(directory);
  generate(0);
  const auto begin = Clock::now();
  for (std::uint32_t first = 0; first < count_; first += batch) store->append(first);
  const double seconds = seconds_since(begin);
  stores_[subject] = std::move(store);
  Figures figures;
  figures.rate = count_ / seconds;
  return figures;
}

EventStore& EventRuns::of(const std::string& subject, const Make& make) {
  if (!stores_.contains(subject)) append(subject, make);
  return *stores_[subject];
}

Figures EventRuns::range(const std::string& subject, const Make& make) {
  EventStore& store = of(subject, make);
  const auto range = [&](Random& random) {
    const auto key = static_cast<std::uint32_t>(random.below(1000));
    const std::int64_t from = first_ms + std::int64_t{random.below(static_cast<int>(count_))} * 10;
    return store.range(key, from, from + 600'000);
  };
  Random fixed(1);
  std::uint64_t bytes = 0;
  for (int i = 0; i < 1000; ++i) bytes += range(fixed);
  if (bytes_ == 0) bytes_ = bytes;
  if (bytes != bytes_) throw std::runtime_error(subject + ": its ranges have other events than those before");
  return run_for(seconds_, 1, [&](Random& random) {
    range(random);
    return 0;
  });
}

Figures EventRuns::window(const std::string& subject, const Make& make) {
  EventStore& store = of(subject + " for windows", make);
  const std::int64_t sum = store.window();
  if (sum_ == 0) sum_ = sum;
  if (sum != sum_) throw std::runtime_error(subject + ": its window comes to another sum than those before");
  return run_for(seconds_, 1, [&](Random&) {
    store.window();
    return 0;
  });
}

Figures EventRuns::append_one(const Make& make) {
  const std::string directory = directory_ + "/single";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const auto store = make(directory);
  std::atomic<std::uint32_t> number{0};
  return run_for(seconds_, threads_single, [&](Random&) {
    store->append_one(number++);
    return 0;
  });
}

Figures EventRuns::tail(bool tailed) {
  const std::string directory = directory_ + "/tail";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  Database db = Database::open(directory + "/db");
  std::atomic<std::int64_t> arrived{0};
  std::jthread tailer([&](std::stop_token stop) {
    if (!tailed) return;
    Tail tail = db.stream("s").tail(0);
    while (!stop.stop_requested())
      for (const Event& event : tail.wait(std::chrono::milliseconds(20))) {
        (void)event;
        arrived.store(Clock::now().time_since_epoch().count());
      }
  });
  std::vector<double> us;
  for (int i = 0; i < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    arrived.store(0);
    const auto begin = Clock::now();
    db.stream("s").append({.data = "1"});
    auto end = Clock::now().time_since_epoch().count();
    while (tailed && (end = arrived.load()) == 0) std::this_thread::yield();
    us.push_back(static_cast<double>(end - begin.time_since_epoch().count()) / 1000);
  }
  tailer.request_stop();
  tailer.join();
  std::ranges::sort(us);
  return {1e6 / us[us.size() / 2], us[us.size() / 2], us[us.size() * 99 / 100], 0};
}

}  // namespace stele::bench
