// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Stele beside its engines used directly, side by side in one run, all with equal durability. Every line of a group
// runs once a round, one after the other, so that what else the machine does hits all alike; the table at the end has
// medians over the rounds and the spread.
//
//   stele_bench [--dir=DIR] [--rounds=5] [--seconds=1] [--only=TEXT] [--documents=200000] [--events=200000]
//               [Google Benchmark's own flags]
//
// Redis (Debian's redis-server) and PostgreSQL (Debian's postgresql) take part when they are installed. Each is
// started for the run and reached by nobody else; PostgreSQL in a cluster of its own in /var/tmp, as the user postgres
// when this program is root's.
//
// DIR must be on a disk, not in memory: commits are measured with their fdatasync. All work is done in a directory of
// its own in DIR, removed at the end. Default: bench_data beside the program.
#include "bench/aggregations.h"
#include "bench/caches.h"
#include "bench/documents.h"
#include "bench/events.h"
#include "bench/postgres.h"
#include "bench/reads.h"
#include "bench/redis.h"
#include "bench/subject.h"
#include "bench/table.h"

#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace stele::bench {
namespace {

struct Settings {
  std::string directory;
  int rounds = 5;
  double seconds = 1;
  std::string only;
  std::uint32_t documents = 200'000;  // of the document workload; five times as many events to aggregate
  std::uint32_t events = 200'000;     // of the event workload
};

/// A new directory in `parent`, which is made when it is absent. Goes with the program; nothing else in `parent` is
/// touched.
class OwnDirectory {
 public:
  explicit OwnDirectory(const std::string& parent) : path_(parent + "/stele-bench-XXXXXX") {
    std::filesystem::create_directories(parent);
    if (!::mkdtemp(path_.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
  }
  OwnDirectory(const OwnDirectory&) = delete;
  OwnDirectory& operator=(const OwnDirectory&) = delete;
  ~OwnDirectory() {
    std::error_code left;
    std::filesystem::remove_all(path_, left);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Registers one benchmark a round; each runs `body` once and reports what it returns.
class Program {
 public:
  explicit Program(Settings settings) : settings_(std::move(settings)) {}

  void add(const Line& line, std::function<Figures()> body) { lines_.push_back({line, std::move(body)}); }

  /// A line that makes its subject anew, in an empty directory.
  void add(const Line& line, std::function<std::unique_ptr<Subject>(const std::string&)> make,
           std::function<int(Subject&, Random&)> operation) {
    add(line, [=, this] {
      const std::string directory = settings_.directory + "/run";
      std::filesystem::remove_all(directory);
      Figures figures;
      {
        const auto subject = make(directory);
        figures = run_for(settings_.seconds, line.threads, [&](Random& random) { return operation(*subject, random); });
      }
      std::filesystem::remove_all(directory);
      return figures;
    });
  }

  void register_all() {
    // A group's rounds before the next group: peers are measured within seconds of each other.
    for (std::size_t first = 0; first < lines_.size();) {
      std::size_t last = first;
      while (last < lines_.size() && lines_[last].line.group == lines_[first].line.group &&
             lines_[last].line.threads == lines_[first].line.threads)
        ++last;
      for (int round = 0; round < settings_.rounds; ++round)
        for (std::size_t i = first; i < last; ++i) register_one(lines_[i], round);
      first = last;
    }
  }

  const Settings& settings() const { return settings_; }
  Table& table() { return table_; }

 private:
  struct Entry {
    Line line;
    std::function<Figures()> body;
  };

  void register_one(const Entry& entry, int round) {
    const std::string name =
        fmt::format("{}/{}/threads:{}/round:{}", entry.line.group, entry.line.subject, entry.line.threads, round);
    if (name.find(settings_.only) == std::string::npos) return;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [this, entry](benchmark::State& state) {
                                   for (auto _ : state) {
                                     Figures figures;
                                     try {
                                       figures = entry.body();
                                     } catch (const std::exception& error) {
                                       state.SkipWithError(error.what());
                                       break;
                                     }
                                     state.SetIterationTime(1 / std::max(figures.rate, 1e-9));
                                     state.counters["per_second"] = figures.rate;
                                     state.counters["p50_us"] = figures.p50_us;
                                     state.counters["p99_us"] = figures.p99_us;
                                     state.counters["retries_%"] = figures.retries_percent;
                                     table_.add(entry.line, figures);
                                   }
                                 })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }

  Settings settings_;
  std::vector<Entry> lines_;
  Table table_;
};

int cross(Subject& subject, Random& random) {
  thread_local Payload payload;
  payload.fill(random);
  return subject.cross(payload);
}
int rows(Subject& subject, Random& random) {
  thread_local Payload payload;
  payload.fill(random, /*with_documents=*/false);
  return subject.rows(payload);
}
int write_documents(Subject& subject, Random& random) {
  thread_local Payload payload;
  payload.fill(random);
  return subject.documents(payload);
}

auto stele(Preload preload) {
  return [preload](const std::string& directory) { return make_stele(directory, preload); };
}
auto sqlite(Preload preload) {
  return [preload](const std::string& directory) { return make_sqlite(directory, preload); };
}

void add_commits(Program& program) {
  const auto goal = [](int threads, double one, double four, double sixteen) {
    return threads == 1 ? one : threads == 4 ? four : sixteen;
  };
  for (const int threads : {1, 4, 16}) {
    program.add({"cross", threads, "stele"}, stele(Preload::both), cross);
    program.add({"cross", threads, "all in SQLite", goal(threads, 0.8, 1.9, 2.6)}, sqlite(Preload::both), cross);
    program.add({"cross", threads, "two commits", goal(threads, 1.4, 0, 0)}, make_two_stores, cross);
  }
  for (const int threads : {1, 4, 16}) {
    program.add({"rows only", threads, "stele"}, stele(Preload::rows), rows);
    program.add({"rows only", threads, "SQLite FULL", goal(threads, 0, 0, 3.5)}, sqlite(Preload::rows), rows);
  }
  for (const int threads : {1, 4, 16}) {
    program.add({"documents only", threads, "stele"}, stele(Preload::documents), write_documents);
    program.add({"documents only", threads, "RocksDB sync", goal(threads, 0, 0, 1.0)}, make_rocksdb, write_documents);
  }
}

void add_updates(Program& program) {
  for (const int hot : {account_count, 100}) {
    const std::string group = fmt::format("SELECT, UPDATE, {} rows", hot);
    const auto update = [hot](Subject& subject, Random& random) { return subject.update_row(random.below(hot) + 1); };
    program.add({group, 16, "stele"}, stele(Preload::rows), update);
    program.add({group, 16, "SQLite FULL", hot == account_count ? 1.5 : 0}, sqlite(Preload::rows), update);
  }
  for (const int hot : {account_count, 100}) {
    const std::string group = fmt::format("get, replace, {} docs", hot);
    const auto update = [hot](Subject& subject, Random& random) {
      return subject.update_document(random.below(hot) + 1);
    };
    program.add({group, 16, "stele"}, stele(Preload::documents), update);
    program.add({group, 16, "SQLite FULL"}, sqlite(Preload::both), update);
  }
}

std::shared_ptr<std::unique_ptr<Reads>> add_reads(Program& program) {
  const std::string directory = program.settings().directory + "/reads";
  const double seconds = program.settings().seconds;
  const auto reads = std::make_shared<std::unique_ptr<Reads>>();
  const auto on = [=](auto method) {
    return [=] {
      if (!*reads) *reads = std::make_unique<Reads>(directory);
      return method(**reads);
    };
  };
  program.add({"get by _id", 1, "stele"}, on([=](Reads& r) { return r.stele_get(seconds); }));
  program.add({"get by _id", 1, "RocksDB Get", 0.7}, on([=](Reads& r) { return r.rocksdb_get(seconds); }));
  program.add({"get by _id in read()", 1, "stele"}, on([=](Reads& r) { return r.stele_get_in_snapshot(seconds); }));
  program.add({"get by _id in read()", 1, "RocksDB Get", 0.7}, on([=](Reads& r) { return r.rocksdb_get(seconds); }));
  program.add({"point SELECT", 1, "stele"}, on([=](Reads& r) { return r.stele_select(seconds); }));
  program.add({"point SELECT", 1, "SQLite", 0.8}, on([=](Reads& r) { return r.sqlite_select(seconds); }));
  program.add({"point SELECT in read()", 1, "stele"},
              on([=](Reads& r) { return r.stele_select_in_snapshot(seconds); }));
  program.add({"point SELECT in read()", 1, "SQLite in BEGIN", 0.8},
              on([=](Reads& r) { return r.sqlite_select_in_transaction(seconds); }));
  program.add({"snapshot", 1, "stele"}, on([=](Reads& r) { return r.snapshot(seconds, 0); }));
  program.add({"snapshot, 4 writers", 1, "stele"}, on([=](Reads& r) { return r.snapshot(seconds, 4); }));
  return reads;
}

std::shared_ptr<std::unique_ptr<Documents>> add_documents(Program& program) {
  const std::string directory = program.settings().directory + "/documents";
  const std::uint32_t count = program.settings().documents;
  const auto documents = std::make_shared<std::unique_ptr<Documents>>();
  const auto add = [=, &program](const std::string& group,
                                 Figures (Documents::*method)(const std::string&, const Documents::Make&),
                                 double over_sqlite, double over_rocksdb) {
    const auto line = [&](const char* subject, double goal, const Documents::Make& make) {
      program.add({"documents: " + group, 1, subject, goal}, [=] {
        if (!*documents) *documents = std::make_unique<Documents>(directory, count);
        return (**documents.*method)(subject, make);
      });
    };
    line("stele", 0, group == "bulk load" ? make_stele_bulk_documents : make_stele_documents);
    line("SQLite JSON1", over_sqlite, make_sqlite_documents);
    line("RocksDB", over_rocksdb, make_rocksdb_documents);
  };
  add("bulk load", &Documents::load, 2.0, 0);
  add("load", &Documents::load, 1.0, 0);
  add("get", &Documents::get, 0, 0.9);
  add("equality", &Documents::equality, 0, 1.5);
  add("range, sort, limit", &Documents::range, 0, 1.5);
  add("scan", &Documents::scan, 2.0, 0);
  add("update of 10 %", &Documents::update, 2.0, 0);
  return documents;
}

std::shared_ptr<std::unique_ptr<Aggregations>> add_aggregations(Program& program) {
  const std::string directory = program.settings().directory + "/aggregations";
  const std::uint32_t count = program.settings().documents;
  const auto aggregations = std::make_shared<std::unique_ptr<Aggregations>>();
  const auto add = [=, &program](const char* group, const char* subject, double goal, const auto& method) {
    program.add({std::string("aggregate: ") + group, 1, subject, goal}, [=] {
      if (!*aggregations) *aggregations = std::make_unique<Aggregations>(directory, count, count * 5);
      return method(**aggregations);
    });
  };
  const bool postgres = Postgres::installed();
  for (const AggregationQuery& query : aggregation_queries()) {
    add(query.name, "stele", 0, [&query](Aggregations& a) { return a.stele(query); });
    add(query.name, "SQLite JSON1", query.goal, [&query](Aggregations& a) { return a.sqlite(query); });
    if (postgres) add(query.name, "PostgreSQL JSONB", 0, [&query](Aggregations& a) { return a.postgres(query); });
  }
  add("sort, 16 MB", "stele", 0, [](Aggregations& a) { return a.stele_sort(std::size_t{16} << 20); });
  add("sort, 16 MB", "stele in memory", 0.33, [](Aggregations& a) { return a.stele_sort(std::size_t{4} << 30); });
  return aggregations;
}

std::shared_ptr<EventRuns> add_events(Program& program) {
  const Settings& settings = program.settings();
  const auto runs = std::make_shared<EventRuns>(settings.directory + "/events", settings.events, settings.seconds);
  const auto add = [&](const std::string& group, auto method, const char* subject, double goal,
                       const EventRuns::Make& make) {
    program.add({"events: " + group, 1, subject, goal}, [=] { return ((*runs).*method)(subject, make); });
  };
  add("append, 1,000 a commit", &EventRuns::append, "stele", 0, make_stele_events);
  add("append, 1,000 a commit", &EventRuns::append, "stele, one window", 0, make_stele_window_events);
  add("append, 1,000 a commit", &EventRuns::append, "RocksDB", 0.9, make_rocksdb_events);
  add("append, 1,000 a commit", &EventRuns::append, "SQLite FULL", 2.5, make_sqlite_events);
  add("a key's 600 s", &EventRuns::range, "stele", 0, make_stele_events);
  add("a key's 600 s", &EventRuns::range, "RocksDB", 1.0, make_rocksdb_events);
  add("a key's 600 s", &EventRuns::range, "SQLite FULL", 0, make_sqlite_events);
  add("all minutes of all keys", &EventRuns::window, "stele", 0, make_stele_window_events);
  add("all minutes of all keys", &EventRuns::window, "SQLite GROUP BY", 50.0, make_sqlite_events);
  add("all minutes of all keys", &EventRuns::window, "SQLite trigger", 1.5, make_sqlite_kept_up_events);
  const auto single = [&](const char* subject, double goal, const EventRuns::Make& make) {
    program.add({"events: append, one a commit", EventRuns::threads_single, subject, goal},
                [=] { return runs->append_one(make); });
  };
  single("stele, one window", 0, make_stele_window_events);
  single("stele", 0.7, make_stele_events);
  single("SQLite FULL", 4.0, make_sqlite_events);
  single("SQLite trigger", 0, make_sqlite_kept_up_events);
  program.add({"events: to a tail", 1, "stele"}, [=] { return runs->tail(true); });
  program.add({"events: to a tail", 1, "the append alone"}, [=] { return runs->tail(false); });
  return runs;
}

/// Beside Stele with 4 threads. Each line starts its own: no server stands by while others are measured.
void add_redis(Program& program, CacheVerb verb, const std::string& group, double goal) {
  for (const int at_once : {1, 100})
    program.add({group, 4, at_once == 1 ? "Redis, one at a time" : "Redis, 100 at once", at_once == 1 ? goal : 0},
                [=, &program] { return run_redis(*Redis::start(), program.settings().seconds, 4, at_once, verb); });
}

void add_caches(Program& program) {
  const std::string directory = program.settings().directory + "/caches";
  const double seconds = program.settings().seconds;
  const bool redis = Redis::start() != nullptr;
  for (const int threads : {1, 4}) {
    for (const auto& [verb, name] : {std::pair(CacheVerb::get, "get"), {CacheVerb::set, "set"}}) {
      const std::string memory = fmt::format("cache in memory: 100 x {}", name);
      program.add({memory, threads, "stele"},
                  [=, verb = verb] { return run_cache(directory, seconds, threads, true, verb); });
      program.add({memory, threads, "SQLite, 1 thread", 2.0},
                  [=, verb = verb] { return run_sqlite_cache(seconds, verb); });
      if (redis && threads == 4) add_redis(program, verb, memory, verb == CacheVerb::set ? 3.0 : 0);
      const std::string disk = fmt::format("cache on disk: 100 x {}", name);
      program.add({disk, threads, "stele"},
                  [=, verb = verb] { return run_cache(directory, seconds, threads, false, verb); });
      program.add({disk, threads, "RocksDB unsynced", verb == CacheVerb::get ? 0.8 : 0.7},
                  [=, verb = verb] { return run_rocksdb_cache(directory, seconds, threads, verb); });
    }
    program.add({"cache in memory: 100 x throttle", threads, "stele"},
                [=] { return run_cache(directory, seconds, threads, true, CacheVerb::throttle); });
    if (redis && threads == 4) add_redis(program, CacheVerb::throttle, "cache in memory: 100 x throttle", 3.0);
  }
}

bool in_memory(const std::string& directory) {
  struct statfs info;
  constexpr long tmpfs = 0x01021994;
  return ::statfs(directory.c_str(), &info) == 0 && info.f_type == tmpfs;
}

int run(int argc, char** argv) {
  Settings settings;
  settings.directory = std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/bench_data";
  std::vector<char*> rest;
  for (int i = 0; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&](std::string_view name) -> const char* {
      return argument.starts_with(name) ? argv[i] + name.size() : nullptr;
    };
    if (const char* directory = value("--dir=")) {
      settings.directory = directory;
    } else if (const char* rounds = value("--rounds=")) {
      settings.rounds = std::atoi(rounds);
    } else if (const char* seconds = value("--seconds=")) {
      settings.seconds = std::atof(seconds);
    } else if (const char* only = value("--only=")) {
      settings.only = only;
    } else if (const char* documents = value("--documents=")) {
      settings.documents = static_cast<std::uint32_t>(std::atoi(documents));
    } else if (const char* events = value("--events=")) {
      settings.events = static_cast<std::uint32_t>(std::max(1, std::atoi(events) / 1000)) * 1000;
    } else if (const char* idle = value("--idle=")) {
      return run_idle(idle);
    } else {
      rest.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data())) return 1;

  const OwnDirectory own(settings.directory);
  settings.directory = own.path();
  if (in_memory(settings.directory)) {
    fmt::print(stderr, "{} is in memory, where fdatasync does nothing; choose a directory on a disk with --dir=\n",
               settings.directory);
    return 1;
  }

  Program program(settings);
  add_commits(program);
  add_updates(program);
  for (const int threads : {1, 4, 16})
    program.add({"mixed, little memory", threads, "stele"}, [&program, threads] {
      const std::string directory = program.settings().directory + "/mixed";
      std::filesystem::remove_all(directory);
      const Figures figures = mixed(directory, program.settings().seconds * 4, threads, program.table());
      std::filesystem::remove_all(directory);
      return figures;
    });
  const auto reads = add_reads(program);
  const auto documents = add_documents(program);
  const auto aggregations = add_aggregations(program);
  const auto events = add_events(program);
  add_caches(program);
  program.register_all();

  const Figures before = probe_disk(settings.directory);
  benchmark::RunSpecifiedBenchmarks();
  reads->reset();
  documents->reset();
  aggregations->reset();
  events->close();
  const Figures after = probe_disk(settings.directory);
  program.table().note(
      fmt::format("fdatasync of 4 KB here: p50 {:.0f} us, p99 {:.0f} us before; p50 {:.0f} us, p99 {:.0f} us after",
                  before.p50_us, before.p99_us, after.p50_us, after.p99_us));
  if (settings.only.empty() || std::string("idle").find(settings.only) != std::string::npos)
    report_idle(settings.directory, program.table());
  program.table().print();
  return 0;
}

}  // namespace
}  // namespace stele::bench

int main(int argc, char** argv) {
  try {
    return stele::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "stele_bench: {}\n", error.what());
    return 1;
  }
}
