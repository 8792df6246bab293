// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"
#include "engine/documents/index_entries.h"
#include "engine/transaction/store.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>
#include <stele/check.h>
#include <stele/stele.h>

#include <functional>

namespace stele::documents {
namespace {

/// Writes to the tiers behind the collection's back.
void tamper(const std::string& directory, const std::function<void(transaction::Transaction&, const catalog::Definition&)>& body) {
  const auto store = transaction::Store::open(directory, {}, {});
  catalog::Catalog catalog;
  std::atomic<int> lock_first{0};
  store->write({}, lock_first, [&](const auto& tx) {
    tx->statement([&] { body(*tx, *catalog.find(*tx, catalog::Kind::collection, "articles")); });
  });
  store->close();
}

std::string findings(const std::string& directory) {
  std::string all;
  for (const Finding& finding : check(directory, {.deep = true})) all += finding.part + ": " + finding.message + "\n";
  return all;
}

TEST(CheckIndexes, an_entry_without_document_and_a_document_without_entry_are_found) {
  const testing::TemporaryDirectory scratch;
  const std::string directory = scratch / "db";
  {
    Database db = Database::open(directory);
    for (int i = 0; i < 10; ++i) db.collection("articles").insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(i) + "}");
    db.collection("articles").create_index(R"({"n": 1})");
    db.collection("articles").create_index(R"({"n": -1})", {.unique = true});
    db.close();
  }
  EXPECT_EQ(findings(directory), "");
  tamper(directory, [](transaction::Transaction& tx, const catalog::Definition& collection) {
    tx.writes().erase(storage::Keyspace::documents, document_key(collection.id, model::Value(3)));
    const std::string id = document_key(collection.id, model::Value(5)).substr(index_prefix(collection.id).size());
    for (const IndexEntry& entry : index_entries(collection.indexes[1], model::parse(R"({"_id":5,"n":5})"), id))
      tx.writes().erase(storage::Keyspace::indexes, entry.key);
  });
  const std::string found = findings(directory);
  EXPECT_NE(found.find("index \"n_1\" of collection \"articles\": the entry (3, 3) names document (3), which is not there"), std::string::npos) << found;
  EXPECT_NE(found.find("index \"n_-1\" of collection \"articles\": the entry"), std::string::npos) << found;
  EXPECT_NE(found.find("of document (5) is missing"), std::string::npos) << found;
}

}  // namespace
}  // namespace stele::documents
