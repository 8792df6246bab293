// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A list is kept in six ways:
//   row       text in one row, appended to by UPDATE           table   a row for each element
//   document  an array, appended to by $push                   found   a document for each element, read by find
//   stream    an event for each element               cache   text under one key, read and set
#include "tests/isolation/workload.h"

#include <stele/stele.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace stele::isolation {

namespace {

constexpr int keys_at_once = 2;       // a tier; few, so that transactions meet
constexpr int tier_count = std::size(tiers);
constexpr int appends_to_a_key = 60;  // then others are used: lists stay short

std::vector<Element> numbers(std::string_view text) {
  std::vector<Element> found;
  for (const char* at = text.data(); at != text.data() + text.size();) {
    Element element = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), element);
    if (error == std::errc()) found.push_back(element);
    at = error == std::errc() ? end : at + 1;
  }
  return found;
}

std::string document_name(const Key& key) { return std::to_string(key.number); }
std::string found_name(const Key& key) { return "found_" + std::to_string(key.number / keys_at_once); }
std::string cache_name(const Key& key) { return std::to_string(key.number); }
std::string stream_name(const Key& key) { return "stream_" + std::to_string(key.number); }

std::vector<Element> read_list(const Snapshot& at, const Key& key) {
  switch (key.tier) {
    case Tier::row: {
      const auto text = at.sql("SELECT v FROM lists WHERE k = ?", key.number).maybe_one<std::string>();
      return text ? numbers(*text) : std::vector<Element>();
    }
    case Tier::table: return at.sql("SELECT e FROM items WHERE k = ? ORDER BY id", key.number).all<std::int64_t>();
    case Tier::document: {
      const auto json = at.collection("lists").get(key.number);
      return json ? numbers(std::string_view(*json).substr(json->find('['))) : std::vector<Element>();
    }
    case Tier::found: {
      std::vector<Element> list;
      FindOptions by_position;
      by_position.sort = R"({"at": 1})";
      auto documents = at.collection(found_name(key)).find("{\"k\": " + document_name(key) + "}", by_position);
      while (const auto json = documents.next()) {
        const auto element = json->find("\"e\":");
        list.push_back(numbers(json->substr(element)).front());
      }
      return list;
    }
    case Tier::stream: {
      std::vector<Element> list;
      for (const stele::Event& event : at.stream(stream_name(key)).read()) list.push_back(numbers(event.data).front());
      return list;
    }
    case Tier::cache: return numbers(at.cache("lists").get(cache_name(key)).value_or(""));
  }
  return {};
}

void append_to(Transaction& tx, const Key& key, Element element) {
  const std::string text = std::to_string(element);
  switch (key.tier) {
    case Tier::row:
      tx.sql("INSERT INTO lists VALUES(?, ?) ON CONFLICT(k) DO UPDATE SET v = v || excluded.v", key.number, "," + text);
      return;
    case Tier::table: tx.sql("INSERT INTO items(k, e) VALUES(?, ?)", key.number, element); return;
    case Tier::document: {
      UpdateOptions upsert;
      upsert.upsert = true;
      tx.collection("lists").update_one("{\"_id\": " + document_name(key) + "}",
                                        "{\"$push\": {\"list\": " + text + "}}", upsert);
      return;
    }
    case Tier::found: {
      // Its place is the number of those before it: a read of a predicate that the insert depends on.
      auto documents = tx.collection(found_name(key));
      const std::string place = std::to_string(documents.count("{\"k\": " + document_name(key) + "}"));
      documents.insert("{\"_id\": \"" + document_name(key) + ":" + place + "\", \"k\": " + document_name(key) +
                       ", \"at\": " + place + ", \"e\": " + text + "}");
      return;
    }
    case Tier::stream: tx.stream(stream_name(key)).append({"", text, {}}); return;
    case Tier::cache:
      tx.cache("lists").set(cache_name(key), tx.cache("lists").get(cache_name(key)).value_or("") + "," + text);
      return;
  }
}

class Runner {
 public:
  Runner(const Workload& workload, const std::string& directory) : workload_(workload), db_(Database::open(directory)) {
    db_.sql("CREATE TABLE lists(k INTEGER PRIMARY KEY, v TEXT)");
    db_.sql("CREATE TABLE items(id INTEGER PRIMARY KEY AUTOINCREMENT, k INTEGER, e INTEGER)");
    db_.sql("CREATE INDEX items_k ON items(k)");
  }

  Run run() {
    std::vector<std::thread> threads;
    for (int t = 0; t < workload_.threads; ++t) {
      threads.emplace_back([this, t] {
        try {
          work(t);
        } catch (...) {
          std::lock_guard guard(mutex_);
          if (!failure_) failure_ = std::current_exception();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    read_everything();
    run_.commits = run_.history.size() - run_.conflicts;
    db_.close();
    return std::move(run_);
  }

 private:
  using Generator = std::mt19937_64;

  static int below(Generator& random, int bound) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(bound));
  }

  Key pick_key(Generator& random, int tier_kind) {
    // A quarter in any tiers, the others in one or two.
    const Tier tier =
        tiers[tier_kind >= 0 ? (tier_kind + below(random, 2) * 2) % tier_count : below(random, tier_count)];
    const auto window = static_cast<int>(appends_ / (std::size(tiers) * keys_at_once * appends_to_a_key));
    return {tier, window * keys_at_once + below(random, keys_at_once)};
  }

  struct Step {
    int pause_us = 0;  // before it
    bool append = false;
    bool undone = false;  // behind a savepoint that is rolled back to
    Key key;
  };

  /// A transaction takes its time, so that others come in between also where the disk is fast.
  static void pause(const Step& step) {
    if (step.pause_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(step.pause_us));
  }

  void work(int thread) {
    Generator random(workload_.seed * 1000 + static_cast<std::uint64_t>(thread));
    while (started_.fetch_add(1) < workload_.transactions) {
      const bool only_reads = below(random, 5) == 0;
      const int tier_kind = below(random, 4) == 0 ? -1 : below(random, tier_count);
      std::vector<Step> steps(static_cast<std::size_t>(1 + below(random, 4)));
      for (Step& step : steps)
        step = {below(random, 2) == 0 ? below(random, 300) : 0, !only_reads && below(random, 2) == 0,
                below(random, 12) == 0, pick_key(random, tier_kind)};
      WriteOptions options;
      options.isolation = workload_.level == Level::serializable ? Isolation::serializable : Isolation::snapshot;
      options.writes_sql = below(random, 6) == 0;
      if (below(random, 3) == 0) options.durability = Durability::relaxed;
      if (only_reads && below(random, 2) == 0) {
        read_only(steps);
      } else {
        read_and_write(steps, options, below(random, 4) != 0);
      }
    }
  }

  void read_only(const std::vector<Step>& steps) {
    Attempt attempt;
    attempt.begin = clock_++;
    db_.read([&](const Snapshot& at) {
      for (const Step& step : steps) {
        pause(step);
        attempt.operations.push_back(read(at, step.key));
      }
    });
    attempt.end = clock_++;
    record(std::move(attempt));
  }

  /// By hand most of the time: db.write learns that such a body conflicts, takes the writer lock at begin from then on,
  /// and the transactions would hardly meet any more.
  void commit_in_the_end(bool by_hand, const WriteOptions& options, const std::function<void(Transaction&)>& body) {
    if (!by_hand) return db_.write(options, body);
    for (;;) {
      try {
        Transaction tx = db_.begin(options);
        body(tx);
        tx.commit();
        return;
      } catch (const Error& error) {
        if (!error.retryable()) throw;
      }
    }
  }

  void read_and_write(const std::vector<Step>& steps, const WriteOptions& options, bool by_hand) {
    Attempt attempt;
    bool first = true;
    attempt.begin = clock_++;
    commit_in_the_end(by_hand, options, [&](Transaction& tx) {
      if (!first) {
        attempt.outcome = Outcome::aborted;
        attempt.end = clock_++;
        record(std::move(attempt));
        attempt = {};
        attempt.begin = clock_++;
      }
      first = false;
      for (const Step& step : steps) {
        pause(step);
        if (!step.append) {
          attempt.operations.push_back(read(tx, step.key));
          continue;
        }
        if (step.undone) tx.savepoint("undone");
        const Element element = ++elements_;
        append_to(tx, step.key, element);
        if (step.undone) {
          tx.rollback_to("undone");
          tx.release("undone");
        } else {
          attempt.operations.push_back({Operation::Kind::append, step.key, element, {}});
          ++appends_;
        }
      }
    });
    attempt.end = clock_++;
    record(std::move(attempt));
  }

  static Operation read(const Snapshot& at, const Key& key) {
    return {Operation::Kind::read, key, 0, read_list(at, key)};
  }

  void record(Attempt attempt) {
    std::lock_guard guard(mutex_);
    if (attempt.outcome == Outcome::aborted) ++run_.conflicts;
    run_.history.push_back(std::move(attempt));
  }

  void read_everything() {
    std::set<Key> keys;
    for (const auto& attempt : run_.history)
      for (const Operation& operation : attempt.operations) keys.insert(operation.key);
    Attempt attempt;
    attempt.begin = clock_++;
    db_.read([&](const Snapshot& at) {
      for (const Key& key : keys) attempt.operations.push_back(read(at, key));
    });
    attempt.end = clock_++;
    record(std::move(attempt));
  }

  Workload workload_;
  Database db_;
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> clock_{1};
  std::atomic<Element> elements_{0};
  std::atomic<std::uint64_t> appends_{0};
  std::mutex mutex_;
  std::exception_ptr failure_;
  Run run_;
};

}  // namespace

Run run(const Workload& workload, const std::string& directory) { return Runner(workload, directory).run(); }

}  // namespace stele::isolation
