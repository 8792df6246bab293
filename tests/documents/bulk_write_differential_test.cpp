// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A bulk write against the same operations one by one: counts, refusals and what is there afterwards must agree.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <random>

namespace stele {
namespace {

using Kind = BulkOperation::Kind;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  std::string id() { return std::to_string(below(12)); }

  std::string filter() {
    switch (below(4)) {
      case 0: return R"({"_id":)" + id() + "}";
      case 1: return R"({"a":{"$gt":)" + std::to_string(below(6)) + "}}";
      case 2: return R"({"_id":)" + id() + R"(,"a":)" + std::to_string(below(6)) + "}";
      default: return "{}";
    }
  }
  std::string update() {
    const std::string n = std::to_string(below(6));
    switch (below(6)) {
      case 0: return R"({"$inc":{"a":)" + n + "}}";
      case 1: return R"({"$set":{"u":)" + n + "}}";             // a unique index may refuse it
      case 2: return R"({"$push":{"a":1}})";                    // refused where a is a number
      case 3: return R"({"$set":{"a":)" + n + R"(,"a.b":1}})";  // always refused
      case 4: return R"([{"$set":{"a":{"$add":["$a",1]}}}])";
      default: return R"({"$unset":{"u":1},"$setOnInsert":{"fresh":true}})";
    }
  }
  std::string document() {
    return R"({"_id":)" + id() + R"(,"a":)" + (below(8) ? std::to_string(below(6)) : R"("text")") +
           (below(2) ? R"(,"u":)" + std::to_string(below(20)) : "") + "}";
  }
  std::string sort() { return below(2) ? "" : R"({"a":-1,"_id":1})"; }

  BulkOperation operation() {
    const bool upsert = below(4) == 0;
    switch (below(6)) {
      case 0: return BulkOperation::insert_one(document());
      case 1: return BulkOperation::update_one(filter(), update(), {.upsert = upsert, .sort = sort()});
      case 2: return BulkOperation::update_many(filter(), update(), {.upsert = upsert});
      case 3: return BulkOperation::replace_one(filter(), document(), {.upsert = upsert, .sort = sort()});
      case 4: return BulkOperation::delete_one(filter());
      default: return BulkOperation::delete_many(filter());
    }
  }

 private:
  std::mt19937_64 engine_;
};

void add(BulkResult& result, std::size_t index, const UpdateResult& done) {
  result.matched += done.matched;
  result.modified += done.modified;
  if (done.upserted_id) result.upserted_ids.emplace(index, *done.upserted_id);
}

void run_one(Collection& c, std::size_t i, const BulkOperation& op, BulkResult& result) {
  switch (op.kind) {
    case Kind::insert_one:
      result.inserted_ids.emplace(i, c.insert(op.document));
      ++result.inserted;
      break;
    case Kind::update_one: return add(result, i, c.update_one(op.filter, op.document, op.options));
    case Kind::update_many: return add(result, i, c.update_many(op.filter, op.document, op.options));
    case Kind::replace_one:
      return add(result, i, c.replace_one(op.filter, op.document, {op.options.upsert, op.options.sort}));
    case Kind::delete_one: result.deleted += c.remove_one(op.filter); break;
    case Kind::delete_many: result.deleted += c.remove_many(op.filter); break;
  }
}

BulkResult one_by_one(Collection c, const std::vector<BulkOperation>& operations, OnRefusal on_refusal) {
  BulkResult result;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    try {
      run_one(c, i, operations[i], result);
    } catch (const Error& error) {
      result.refusals.push_back({i, error});
      if (on_refusal == OnRefusal::stop) break;
    }
  }
  return result;
}

/// Ids that the database makes up differ: only where they stand counts.
std::string shown(const BulkResult& result) {
  std::string out = std::to_string(result.inserted) + " " + std::to_string(result.matched) + " " +
                    std::to_string(result.modified) + " " + std::to_string(result.deleted);
  for (const auto& [index, id] : result.upserted_ids)
    out += " upserted " + std::to_string(index) + (id.json().size() < 4 ? "=" + id.json() : "");
  for (const auto& refusal : result.refusals)
    out += " refused " + std::to_string(refusal.index) + "=" + std::string(name(refusal.error.code()));
  return out;
}

std::string contents(Collection c) {
  std::string out;
  for (const std::string& document :
       c.find("{}", {.projection = R"({"_id":{"$cond":[{"$isNumber":"$_id"},"$_id","made"]},"a":1,"u":1,"fresh":1})",
                    .sort = R"({"a":1,"u":1,"fresh":1,"_id":1})"})
           .all())
    out += document;
  return out;
}

TEST(BulkWriteDifferential, does_what_its_operations_do_one_by_one) {
  const std::uint64_t first = testing::test_seed();
  Database db = Database::in_memory();
  for (std::uint64_t seed = first; seed < first + 150; ++seed) {
    Random random(seed);
    const OnRefusal on_refusal = random.below(2) ? OnRefusal::stop : OnRefusal::go_on;
    std::vector<std::string> documents;
    std::vector<BulkOperation> operations;
    for (int i = 0; i < 8; ++i)
      documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"a":)" + std::to_string(random.below(6)) + "}");
    for (int i = 0; i < 12; ++i) operations.push_back(random.operation());
    for (const char* name : {"bulk", "single"}) {
      db.collection(name).drop();
      db.collection(name).create_index(R"({"u":1})", {.unique = true, .sparse = true});
      db.collection(name).insert_many(documents);
    }
    const std::string before = contents(db.collection("bulk"));
    bool refused = false;
    try {
      db.collection("bulk").bulk_write(operations);
    } catch (const Error& error) {
      refused = true;
      EXPECT_TRUE(error.detail().contains("index")) << error.message();
      EXPECT_EQ(contents(db.collection("bulk")), before) << "STELE_TEST_SEED=" << seed;
    }
    const BulkResult single = one_by_one(db.collection("single"), operations, on_refusal);
    EXPECT_EQ(refused, !single.refusals.empty()) << "STELE_TEST_SEED=" << seed;
    if (refused) {
      const BulkResult bulk = db.collection("bulk").bulk_write(operations, on_refusal);
      EXPECT_EQ(shown(bulk), shown(single)) << "STELE_TEST_SEED=" << seed;
    }
    ASSERT_EQ(contents(db.collection("bulk")), contents(db.collection("single"))) << "STELE_TEST_SEED=" << seed;
  }
}

}  // namespace
}  // namespace stele
