// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The same random documents in two collections, one with random indexes and one without; random filters, sorts and
// writes have the same answers in both, inside and outside a transaction, before and after reopening.
// STELE_TEST_SEED=N replays a seed.
#include <gtest/gtest.h>
#include <stele/check.h>
#include <stele/stele.h>

#include "tests/documents/random_documents.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

namespace stele {
namespace {

using testing::RandomDocuments;
using Texts = std::vector<std::string>;

Texts sorted(Texts documents) {
  std::ranges::sort(documents);
  return documents;
}

/// What was found, or that the sort meets two arrays in a document, which is refused.
Texts answer(const CollectionReader& collection, const std::string& filter, const FindOptions& options) {
  try {
    return collection.find(filter, options).all();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid) << error.what();
    return {"refused"};
  }
}

void compare(const CollectionReader& plain, const CollectionReader& indexed, RandomDocuments& random) {
  const std::string filter = random.filter();
  FindOptions options;
  if (random.one_in(3)) options.sort = random.keys(1 + random.below(2));
  const auto shown = [&] { return filter + ' ' + options.sort + '\n' + indexed.explain(filter, options); };
  const Texts all = sorted(answer(plain, filter, options));
  ASSERT_EQ(sorted(answer(indexed, filter, options)), all) << shown();
  ASSERT_EQ(indexed.count(filter), plain.count(filter)) << shown();

  options.limit = 1 + random.below(5);
  if (options.sort.empty()) {  // which ones is open
    const Texts some = sorted(answer(indexed, filter, options));
    ASSERT_EQ(some.size(), std::min<std::size_t>(all.size(), *options.limit)) << shown();
    ASSERT_TRUE(std::ranges::includes(all, some)) << shown();
    return;
  }
  // Which of equal ones a limit takes is open; how they compare is not: with _id behind there are no equal ones.
  options.sort.insert(options.sort.size() - 1, options.sort.find("_id") == std::string::npos ? ",\"_id\":1" : "");
  options.skip = random.below(3);
  ASSERT_EQ(answer(indexed, filter, options), answer(plain, filter, options)) << shown();
}

/// A store with the two collections.
class Run {
 public:
  explicit Run(std::uint64_t seed) : random_(seed), expires_(random_.one_in(3)) { open(); }

  void operator()() {
    if (expires_)  // in both: what has expired must be invisible alike, removed or not
      for (const char* name : {"indexed", "plain"})
        db_->collection(name).create_index(R"({"c": 1})", {.name = "ttl", .expire_after_seconds = 0});
    make_index();
    for (int id = 0; id < 60; ++id) insert(random_.document(id));
    make_index();
    std::thread builder([&, keys = random_.keys(2)] { make_index(keys, {.name = "beside"}); });
    for (int round = 0; round < 60 && !::testing::Test::HasFatalFailure(); ++round) {
      compare(db_->collection("plain"), db_->collection("indexed"), random_);
      change();
      if (round == 20) builder.join();
      if (round == 25) make_index();
      if (round % 20 == 19 && round > 20) open();
    }
    if (builder.joinable()) builder.join();
    db_.reset();
    for (const Finding& finding : check(directory_ / "db", {.deep = true})) ADD_FAILURE() << finding.part << ": " << finding.message;
  }

 private:
  void open() {
    db_.reset();
    db_.emplace(Database::open(directory_ / "db"));
  }

  static void expect_refusal(const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::invalid || error.code() == ErrorCode::exists) << error.what();
  }

  void make_index() {
    IndexOptions options;
    options.name = "i" + std::to_string(++made_);
    switch (random_.below(5)) {
      case 0: options.sparse = true; break;
      case 1: options.partial_filter = random_.filter(0); break;
      case 2: options.unique = random_.one_in(2); break;
      default: break;
    }
    make_index(random_.keys(1 + random_.below(3)), options);
  }

  /// It may meet what it cannot index.
  void make_index(const std::string& keys, const IndexOptions& options) {
    try {
      db_->collection("indexed").create_index(keys, options);
    } catch (const Error& error) {
      expect_refusal(error);
      db_->collection("indexed").drop_index(options.name);
    }
  }

  void insert(const std::string& document) {
    try {
      db_->write([&](Transaction& tx) {
        tx.collection("indexed").insert(document);
        tx.collection("plain").insert(document);
      });
    } catch (const Error& error) {
      expect_refusal(error);
    }
  }

  void change() {
    const std::string filter = random_.filter(0);
    const std::string update = random_.pick({R"({"$set":{")", R"({"$set":{")", R"({"$unset":{")"}) + random_.pick({"a", "b", "c"}) + "\":" + random_.value() + "}}";
    const int id = static_cast<int>(random_.below(80));
    const std::string document = random_.document(id);
    const std::size_t what = random_.below(4);
    const bool commits = !random_.one_in(3);
    try {
      Transaction tx = db_->begin();
      for (const char* name : {"indexed", "plain"}) {
        Collection collection = tx.collection(name);
        if (what == 0) collection.update_many(filter, update);
        if (what == 1) collection.put(document);
        if (what == 2) collection.remove_many(filter);
        if (what == 3) collection.remove(id);
      }
      compare(tx.collection("plain"), tx.collection("indexed"), random_);
      if (commits) tx.commit();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::conflict) expect_refusal(error);  // the build beside it
    }
  }

  RandomDocuments random_;
  const bool expires_;
  int made_ = 0;
  testing::TemporaryDirectory directory_;
  std::optional<Database> db_;
};

void run(std::uint64_t seed) {
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Run one(seed);
  one();
}

TEST(IndexDifferential, indexes_never_change_an_answer) {
  const char* rounds = std::getenv("STELE_TEST_ROUNDS");
  const std::uint64_t first = testing::test_seed();
  for (std::uint64_t seed = first; seed < first + (rounds ? std::stoull(rounds) : testing::cases(10)) && !::testing::Test::HasFailure(); ++seed) run(seed);
}

}  // namespace
}  // namespace stele
