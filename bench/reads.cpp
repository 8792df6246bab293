// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/reads.h"

#include "bench/peers.h"
#include "bench/schema.h"

#include <stele/stele.h>

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace stele::bench {

namespace {

constexpr int read_documents = 100'000;
using Clock = std::chrono::steady_clock;
double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void fill_stele(const std::string& directory) {
  Database db = Database::open(directory);
  for (const char* statement : schema) db.sql(statement);
  db.sql(fill_accounts);
  Random random(99);
  for (int id = 1; id <= read_documents;) {
    db.write([&](Transaction& tx) {
      auto docs = tx.collection("docs");
      for (int i = 0; i < 1000 && id <= read_documents; ++i, ++id) docs.put(make_document(id, random));
    });
  }
  db.close();
}

void fill_rocksdb(const std::string& directory) {
  const auto db = open_rocksdb(directory);
  Random random(99);
  for (int id = 1; id <= read_documents; ++id)
    check(db->Put(rocksdb::WriteOptions(), rocksdb_key(id), make_document(id, random)));
  check(db->Flush(rocksdb::FlushOptions()));
}

void fill_sqlite(const std::string& path) {
  Sqlite sqlite(path);
  for (const char* statement : schema) sqlite.execute(statement);
  sqlite.execute(fill_accounts);
}

void expect(bool right) {
  if (!right) throw std::runtime_error("a read came back empty");
}

}  // namespace

struct Reads::Open {
  explicit Open(const std::string& directory)
      : stele(Database::open(directory + "/stele")),
        rocksdb(open_rocksdb(directory + "/kv")),
        sqlite(directory + "/rows.db"),
        select(sqlite.prepare(select_account)) {}
  Database stele;
  std::unique_ptr<rocksdb::DB> rocksdb;
  Sqlite sqlite;
  sqlite3_stmt* select;
};

Reads::Reads(const std::string& directory) {
  if (!std::filesystem::exists(directory)) {
    std::filesystem::create_directories(directory);
    fill_stele(directory + "/stele");
    fill_rocksdb(directory + "/kv");
    fill_sqlite(directory + "/rows.db");
  }
  open_ = std::make_unique<Open>(directory);
  // Everything is in the caches before anything is measured.
  auto docs = open_->stele.collection("docs");
  std::string value;
  for (int id = 1; id <= read_documents; ++id) {
    expect(docs.get(id).has_value());
    check(open_->rocksdb->Get(rocksdb::ReadOptions(), rocksdb_key(id), &value));
  }
}
Reads::~Reads() = default;

Figures Reads::stele_get(double seconds) {
  auto docs = open_->stele.collection("docs");
  return run_for(seconds, 1, [&](Random& random) {
    expect(docs.get(random.below(read_documents) + 1)->size() == document_bytes);
    return 0;
  });
}

Figures Reads::stele_get_in_snapshot(double seconds) {
  return open_->stele.read([&](const Snapshot& at) {
    const auto docs = at.collection("docs");
    return run_for(seconds, 1, [&](Random& random) {
      expect(docs.get(random.below(read_documents) + 1)->size() == document_bytes);
      return 0;
    });
  });
}

Figures Reads::rocksdb_get(double seconds) {
  rocksdb::PinnableSlice value;
  return run_for(seconds, 1, [&](Random& random) {
    value.Reset();
    check(open_->rocksdb->Get(rocksdb::ReadOptions(), open_->rocksdb->DefaultColumnFamily(),
                              rocksdb_key(random.below(read_documents) + 1), &value));
    expect(value.size() == document_bytes);
    return 0;
  });
}

Figures Reads::stele_select(double seconds) {
  return run_for(seconds, 1, [&](Random& random) {
    expect(open_->stele.sql(select_account, random.below(account_count) + 1).one<std::int64_t>() == 1000);
    return 0;
  });
}

Figures Reads::stele_select_in_snapshot(double seconds) {
  return open_->stele.read([&](const Snapshot& at) {
    return run_for(seconds, 1, [&](Random& random) {
      expect(at.sql(select_account, random.below(account_count) + 1).one<std::int64_t>() == 1000);
      return 0;
    });
  });
}

Figures Reads::sqlite_select(double seconds) {
  return run_for(seconds, 1, [&](Random& random) {
    expect(open_->sqlite.run(open_->select, random.below(account_count) + 1));
    expect(sqlite3_column_int64(open_->select, 0) == 1000);
    sqlite3_reset(open_->select);
    return 0;
  });
}

Figures Reads::sqlite_select_in_transaction(double seconds) {
  open_->sqlite.execute("BEGIN");
  const Figures figures = sqlite_select(seconds);
  open_->sqlite.execute("COMMIT");
  return figures;
}

Figures Reads::snapshot(double seconds, int writers) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&, t] {
      Random random(static_cast<std::uint64_t>(t) + 50);
      while (!stop) {
        open_->stele.write([&](Transaction& tx) {
          tx.sql(update_account, random.below(account_count) + 1, 0);
          tx.collection("docs").put(make_document(random.below(read_documents) + 1, random));
        });
      }
    });
  }
  const Figures figures = run_for(seconds, 1, [&](Random&) {
    const Snapshot at = open_->stele.snapshot();
    return 0;
  });
  stop = true;
  for (auto& thread : threads) thread.join();
  return figures;
}

int run_idle(const std::string& directory) {
  const auto start = Clock::now();
  Database db = Database::open(directory);
  const double open_us = us_since(start);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  std::ifstream status("/proc/self/status");
  std::string line;
  double total = 0;
  double own = 0;
  while (std::getline(status, line)) {
    if (line.starts_with("VmRSS:")) total = std::stod(line.substr(6)) / 1024;
    if (line.starts_with("RssAnon:")) own = std::stod(line.substr(8)) / 1024;
  }
  const auto closing = Clock::now();
  db.close();
  fmt::print("{:.1f} {:.1f} {:.2f} {:.2f}\n", total, own, open_us / 1000, us_since(closing) / 1000);
  return 0;
}

void report_idle(const std::string& directory, Table& table) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string empty = directory + "/empty";
  for (const auto& [what, path] :
       {std::pair{std::string("an empty store"), empty}, {"100,000 documents", directory + "/reads/stele"}}) {
    if (path != empty && !std::filesystem::exists(path)) continue;
    if (path == empty) Database::open(path).close();
    FILE* child = ::popen((self + " --idle='" + path + "'").c_str(), "r");
    double total = 0;
    double own = 0;
    double open_ms = 0;
    double close_ms = 0;
    if (!child || std::fscanf(child, "%lf %lf %lf %lf", &total, &own, &open_ms, &close_ms) != 4)
      throw std::runtime_error("the idle process failed");
    ::pclose(child);
    table.note(fmt::format(
        "idle, {}: {:.1f} MB resident, of it {:.1f} MB its own (goal: under 40); open {:.1f} ms, close {:.1f} ms", what,
        total, own, open_ms, close_ms));
  }
}

Figures mixed(const std::string& directory, double seconds, int threads, Table& table) {
  Options options;
  options.memory_bytes = 32u << 20;
  Database db = Database::open(directory, options);
  for (const char* statement : schema) db.sql(statement);
  db.sql(fill_accounts);
  const Figures figures = run_for(seconds, threads, [&](Random& random) {
    thread_local Payload payload;
    payload.fill(random);
    const int kind = random.below(10);
    int attempts = 0;
    db.write([&](Transaction& tx) {
      ++attempts;
      if (kind < 5 || kind >= 8) {
        tx.sql(update_account, payload.account, payload.order % 7);
        tx.sql(insert_order, payload.order, payload.account, payload.order % 100);
      }
      if (kind < 8) {
        auto docs = tx.collection("docs");
        for (const std::string& json : payload.json) docs.put(json);
      }
    });
    return attempts - 1;
  });
  std::size_t tables = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory + "/kv"))
    tables += file.path().extension() == ".sst";
  table.note(fmt::format(
      "mixed, {} threads: p99 = {:.1f} x p50 (goal: at most 3); {} table files, log of {:.0f} MB at the end, {} syncs, "
      "{} of them forced by the barrier",
      threads, figures.p99_us / figures.p50_us, tables, static_cast<double>(db.stats().wal_bytes) / 1e6,
      db.stats().syncs, db.stats().barrier_syncs));
  db.close();
  return figures;
}

}  // namespace stele::bench
