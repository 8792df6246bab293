// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/vectors.h"

#include "engine/base/error.h"
#include "tests/crash/threads.h"

#include <stele/check.h>
#include <stele/stele.h>

#include <cstdio>
#include <map>
#include <sstream>

namespace stele::crash {

namespace {

constexpr std::uint32_t dimensions = 8;
constexpr std::uint64_t items = 3'000;            // enough for a graph, and for saving one
constexpr std::uint64_t items_of_others = 2'500;  // that only documents and vectors know

std::vector<float> vector_of(std::uint64_t item, std::uint64_t version) {
  std::mt19937_64 random(item * 1'000'003 + version);
  std::vector<float> out(dimensions);
  for (float& x : out) x = static_cast<float>(random() % 2'000) / 1'000 - 1;
  out[0] += 3;  // never zero
  return out;
}

std::string as_json(const std::vector<float>& vector) {
  std::string out = "[";
  for (const float x : vector) out += text(out.size() > 1 ? "," : "", static_cast<double>(x));
  return out + "]";
}

Database open_vectors(const std::string& directory) {
  Options options;
  options.memory_bytes = 32u << 20;
  Database db = Database::open(directory, options);
  db.sql("CREATE TABLE IF NOT EXISTS version(item INTEGER PRIMARY KEY, n INTEGER) STRICT");
  db.collection("items").create_vector_index(
      "v", {.dimensions = dimensions, .metric = Metric::l2, .m = 6, .ef_construction = 20});
  if (db.collection("items").count() == 0)
    db.write([](Transaction& tx) {
      for (std::uint64_t item = items - items_of_others; item < items; ++item) {
        tx.collection("items").insert(text("{\"_id\":", item, ",\"n\":0}"));
        tx.collection("items").set_vector("v", static_cast<std::int64_t>(item), vector_of(item, 0));
      }
    });
  return db;
}

/// One thread's work.
class Vectors {
 public:
  Vectors(Database& db, std::uint64_t seed) : db_(db), random_(seed) {}

  void change(Acknowledgements& acknowledgements) {
    const bool synced = below(4) != 0, inside = below(2) == 0, across = below(3) != 0;
    const std::uint64_t item =
        across ? below(items - items_of_others) : items - items_of_others + below(items_of_others);
    std::uint64_t version = 0;
    const WriteOptions options{.durability = synced ? Durability::sync : Durability::relaxed};
    db_.write(options, [&](Transaction& tx) {
      Collection collection = tx.collection("items");
      const auto id = static_cast<std::int64_t>(item);
      version = below(1'000'000);
      const bool remove = version % 7 == 0;
      const std::int64_t n = remove ? -1 : static_cast<std::int64_t>(version);
      if (across) {
        tx.sql("INSERT OR REPLACE INTO version VALUES(?, ?)", id, n);
        tx.stream("changes").append({.key = std::to_string(item), .data = text("{\"n\":", n, "}")});
      }
      if (remove) {
        collection.remove(id);
      } else if (inside) {
        collection.put(text("{\"_id\":", item, ",\"n\":", version, ",\"v\":", as_json(vector_of(item, version)), "}"));
      } else {
        collection.put(text("{\"_id\":", item, ",\"n\":", version, "}"));
        collection.set_vector("v", id, vector_of(item, version));
      }
    });
    if (synced && across) acknowledgements.add('v', item, version);
  }

  void search() {
    const auto at = db_.snapshot();
    const auto found = at.collection("items").nearest("v", vector_of(below(items), 0), {.k = 5});
    if (found.hits.size() != 5) violated("a search among thousands finds too little");
    for (const auto& hit : found.hits)
      if (!at.collection("items").vector("v", hit.id)) violated(text("found ", hit.id.json(), ", which has no vector"));
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  Database& db_;
  std::mt19937_64 random_;
};

/// Row, event, document and vector of an item say the same.
void compare_tiers(const Snapshot& at) {
  std::map<std::string, std::int64_t> events;
  for (const Event& event : at.stream("changes").read({}, 10'000'000))
    events[event.key] = std::stoll(event.data.substr(5));
  for (const auto& row : at.sql("SELECT item, n FROM version")) {
    const auto item = row.get<std::int64_t>(0), n = row.get<std::int64_t>(1);
    if (events[std::to_string(item)] != n) violated(text("item ", item, ": row and event differ"));
    const auto document = at.collection("items").get(item);
    if (document.has_value() != (n >= 0))
      violated(text("item ", item, ": row ", n, ", document ", document.value_or("none")));
    if (document && document->find(text("\"n\":", n)) == std::string::npos)
      violated(text("item ", item, ": row ", n, ", document ", *document));
  }
}

void compare_vectors(const Snapshot& at) {
  Documents all = at.collection("items").find("{}");
  std::uint64_t vectors = 0;
  while (const auto document = all.next()) {
    const auto item = static_cast<std::uint64_t>(std::stoull(std::string(document->substr(7))));
    const auto n = static_cast<std::uint64_t>(std::stoull(std::string(document->substr(document->find("\"n\":") + 4))));
    const auto vector = at.collection("items").vector("v", static_cast<std::int64_t>(item));
    if (!vector) violated(text("item ", item, " has no vector"));
    const std::vector<float> expected = vector_of(item, n);
    for (std::size_t i = 0; i < dimensions; ++i)
      if (std::abs((*vector)[i] - expected[i]) > 1e-5)
        violated(text("item ", item, ": the vector is of another version than ", n));
    if (++vectors % 50 != 0) continue;
    for (const bool exact : {true, false}) {
      const auto found = at.collection("items").nearest("v", *vector, {.k = 1, .ef = 200, .exact = exact});
      if (found.hits.empty() || found.hits[0].distance > 1e-6f)
        violated(text("item ", item, " is not found by its vector"));
    }
  }
  const auto everything = at.collection("items").nearest("v", vector_of(1, 1), {.k = 10'000, .exact = true});
  if (everything.hits.size() != vectors)
    violated(text("an exact search finds ", everything.hits.size(), " of ", vectors));
}

}  // namespace

void run_vectors(const Workload& workload) {
  Database db = open_vectors(workload.directory);
  Acknowledgements acknowledgements(workload.acknowledgements);
  Threads threads(workload.seconds);
  threads.run(workload.threads, [&](std::size_t i) {
    Vectors work(db, workload.seed * 1009 + workload.session * 101 + i);
    while (threads.more()) i == 0 ? work.search() : work.change(acknowledgements);
  });
  db.close();
}

void verify_vectors(const std::string& directory, const std::string& acknowledgements) {
  std::istringstream lines(read_file_if_there(acknowledgements).value_or(""));
  char kind;
  std::uint64_t item, version, count = 0;
  while (lines >> kind >> item >> version) ++count;
  Database db = open_vectors(directory);
  for (const bool applied : {false, true}) {
    if (applied && !db.collection("items").wait_applied("v")) violated("the graph is never ready");
    db.read([&](const Snapshot& at) {
      compare_tiers(at);
      compare_vectors(at);
    });
  }
  const auto events = static_cast<std::uint64_t>(db.stream("changes").end_offset());
  if (events < count) violated(text(count, " changes were acknowledged, and the stream has ", events));
  db.close();
  for (const Finding& finding : check(directory, {.deep = true}))
    if (finding.severity == Finding::Severity::damage) violated(text(finding.part, ": ", finding.message));
  std::printf("verified changes=%llu acknowledged=%llu\n", static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(count));
}

}  // namespace stele::crash
