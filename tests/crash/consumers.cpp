// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/consumers.h"

#include "tests/crash/workload.h"

#include "engine/base/error.h"
#include "tests/crash/threads.h"

#include <stele/check.h>
#include <stele/stele.h>

#include <chrono>
#include <functional>
#include <sstream>
#include <thread>

namespace stele::crash {

namespace {

using namespace std::chrono_literals;
constexpr auto session = 150ms;

void create_once(const std::function<void()>& create) {
  try {
    create();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::exists) throw;
  }
}

Database open_consumers(const std::string& directory) {
  Options options;
  options.memory_bytes = 32u << 20;
  Database db = Database::open(directory, options);
  // A second effect of one event breaks the primary key, and so the run.
  db.sql("CREATE TABLE IF NOT EXISTS effect(grp TEXT, event INTEGER, PRIMARY KEY(grp, event)) STRICT");
  create_once([&] { db.stream("in").create({}); });
  create_once([&] {
    db.stream("in").create_window("w", {.width = 1s, .by_key = true, .aggregates = R"({"n":"count","v":{"sum":"v"}})"});
  });
  create_once([&] { db.stream("in").group("shared").create({.partitions = 4}); });
  create_once([&] { db.cache("bounded").create({.keys_max = 20}); });
  return db;
}

class Consumer {
 public:
  Consumer(Database& db, std::uint64_t seed) : db_(db), random_(seed) {}

  void produce(Acknowledgements& acknowledgements) {
    const auto count = static_cast<std::int64_t>(1 + below(5));
    std::int64_t produced = 0;
    db_.write(options(), [&](Transaction& tx) {
      std::vector<NewEvent> events;
      for (std::int64_t i = 0; i < count; ++i) events.push_back({text("k", below(7)), text("{\"v\":", i + 1, "}"), {}});
      tx.stream("in").append(events);
      produced = tx.cache("counters").incr("produced", count);
      if (below(3) == 0) tx.sql("INSERT OR IGNORE INTO effect VALUES('none', 0)");
    });
    if (synced_) acknowledgements.add('p', static_cast<std::uint64_t>(produced), 0);
    db_.cache("bounded").set(text(produced % 60), "v");
  }

  /// One of several members. The effect is a row, a document and a counter.
  void share(const std::string& member) {
    if (below(30) == 0) db_.stream("in").group("shared").leave(member);
    if (below(10) == 0 || !joined_) db_.stream("in").group("shared").join(member, session);
    joined_ = true;
    try {
      db_.write(options(), [&](Transaction& tx) {
        Group group = tx.stream("in").group("shared");
        const Poll polled = group.poll({.limit = 1 + below(6), .member = member});
        for (const Event& event : polled.events) {
          effect(tx, "shared", *event.offset);
          tx.collection("shared").insert(text("{\"_id\":", *event.offset, "}"));
        }
        tx.cache("counters").incr("shared", static_cast<std::int64_t>(polled.events.size()));
        group.commit(polled);
      });
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found && error.code() != ErrorCode::conflict) throw;
      joined_ = false;  // its session ran out
    }
  }

  /// Alone, and without SQL: RocksDB's log decides.
  bool process_alone() {
    bool any = false;
    db_.write(options(), [&](Transaction& tx) {
      Group group = tx.stream("in").group("alone");
      const Poll polled = group.poll({.limit = 1 + below(6)});
      for (const Event& event : polled.events) tx.collection("alone").insert(text("{\"_id\":", *event.offset, "}"));
      any = !polled.events.empty();
      if (any) group.commit(polled);
    });
    return any;
  }

  /// Claimed and acked in transactions of their own; between them, a kill makes the claim pending.
  bool work(std::chrono::milliseconds idle) {
    const std::vector<Claimed> jobs =
        db_.stream("in").group("jobs").claim({.consumer = "worker", .count = 1 + below(4), .min_idle = idle}).events;
    for (const Claimed& job : jobs) {
      const std::uint64_t offset = *job.event.offset;
      if (idle.count() > 0 && below(8) == 0) {
        db_.stream("in").group("jobs").nack(std::span(&offset, 1));
        continue;
      }
      db_.write(options(), [&](Transaction& tx) {
        if (tx.stream("in").group("jobs").ack(std::span(&offset, 1)) == 1) effect(tx, "jobs", offset);
      });
    }
    return !jobs.empty();
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  WriteOptions options() {
    synced_ = below(4) != 0;
    return {.durability = synced_ ? Durability::sync : Durability::relaxed};
  }

  static void effect(Transaction& tx, std::string_view group, std::uint64_t offset) {
    tx.sql("INSERT INTO effect VALUES(?, ?)", group, static_cast<std::int64_t>(offset));
  }

  Database& db_;
  std::mt19937_64 random_;
  bool synced_ = true;
  bool joined_ = false;
};

void expect_equal(const std::string& what, std::int64_t found, std::int64_t expected) {
  if (found != expected) violated(text(what, ": ", found, " instead of ", expected));
}

std::int64_t counter(Database& db, const char* name) {
  return std::stoll(db.cache("counters").get(name).value_or("0"));
}

std::int64_t effects(Database& db, const std::string& group) {
  return db.sql("SELECT count(*) FROM effect WHERE grp = ?", group).one<std::int64_t>();
}

void check_acknowledged(const std::string& path, std::int64_t end) {
  std::istringstream lines(read_file_if_there(path).value_or(""));
  char kind;
  std::int64_t produced, unused;
  while (lines >> kind >> produced >> unused)
    if (produced > end) violated(text("acknowledged event ", produced - 1, " is lost: the stream ends at ", end));
}

/// What is left is processed, so that in the end each event has had its effect once.
void process_the_rest(Database& db) {
  Consumer last(db, 1);
  while (last.process_alone()) {
  }
  while (last.work(0ms)) {
  }
  for (int i = 0; db.stream("in").group("shared").lag().lag > 0; ++i) {
    if (i > 20'000) violated("the members of a group make no progress");
    if (i == 0) std::this_thread::sleep_for(session + 10ms);  // members that were killed
    last.share("last");
  }
}

}  // namespace

void run_consumers(const Workload& workload) {
  Database db = open_consumers(workload.directory);
  Acknowledgements acknowledgements(workload.acknowledgements);
  const std::function<void(Consumer&)> loops[] = {
      [&](Consumer& c) { c.produce(acknowledgements); },
      [](Consumer& c) { c.share("one"); },
      [](Consumer& c) { c.share("two"); },
      [](Consumer& c) { c.process_alone(); },
      [](Consumer& c) { c.work(20ms); },
  };
  Threads threads(workload.seconds);
  threads.run(std::size(loops), [&](std::size_t i) {
    Consumer consumer(db, workload.seed * 1009 + workload.session * 101 + i);
    while (threads.more()) loops[i](consumer);
  });
  db.close();
}

void verify_consumers(const std::string& directory, const std::string& acknowledgements) {
  Database db = open_consumers(directory);
  const auto produced = static_cast<std::int64_t>(db.stream("in").end_offset());
  check_acknowledged(acknowledgements, produced);
  expect_equal("the counter of events, kept in the transactions that append them", counter(db, "produced"), produced);
  const std::int64_t shared = effects(db, "shared");
  expect_equal("the counter of shared effects", counter(db, "shared"), shared);
  expect_equal("documents of shared effects", static_cast<std::int64_t>(db.collection("shared").count()), shared);

  process_the_rest(db);
  expect_equal("effects of the shared group", effects(db, "shared"), produced);
  expect_equal("effects of jobs", effects(db, "jobs"), produced);
  expect_equal("effects of the group alone", static_cast<std::int64_t>(db.collection("alone").count()), produced);
  if (db.cache("bounded").scan("", 1000).keys.size() > 21) violated("a bounded cache has grown");
  db.close();
  for (const Finding& finding : check(directory, {.deep = true}))
    if (finding.severity == Finding::Severity::damage) violated(text(finding.part, ": ", finding.message));
  std::printf("verified events=%lld shared=%lld\n", static_cast<long long>(produced), static_cast<long long>(shared));
}

}  // namespace stele::crash
