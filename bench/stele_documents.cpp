// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/document_store.h"
#include "bench/generator.h"

#include <stele/stele.h>

#include <algorithm>

namespace stele::bench {

namespace {

class SteleDocuments : public DocumentStore {
 public:
  explicit SteleDocuments(const std::string& directory)
      : db_(Database::open(directory + "/stele", {.transaction_bytes_max = std::size_t{1} << 30})),  // a tenth of all
        docs_(db_.collection("docs")) {
    docs_.create_index(R"({"grp": 1})");
    docs_.create_index(R"({"score": 1})");
  }

  void load(std::span<const std::string> documents) override {
    for (; !documents.empty(); documents = documents.subspan(std::min(load_batch, documents.size())))
      docs_.insert_many(documents.first(std::min(load_batch, documents.size())));
  }

  void get(std::uint32_t number, Tally& tally) override { tally.add(docs_.get(generated_id(number)).value()); }

  void with_group(std::uint32_t group, Tally& tally) override {
    deliver(docs_.find(R"({"grp": )" + std::to_string(group) + "}"), tally);
  }

  void lowest_scores(std::uint32_t from, Tally& tally) override {
    const std::string filter =
        R"({"score": {"$gte": )" + std::to_string(from) + R"(, "$lt": )" + std::to_string(from + 20'000) + "}}";
    deliver(docs_.find(filter, {.sort = R"({"score": 1})", .limit = 20}), tally);
  }

  std::uint64_t count_zip(const std::string& zip) override {
    return docs_.count(R"({"user.address.zip": ")" + zip + "\"}");
  }

  std::uint64_t archive_pro() override {
    return docs_.update_many(R"({"user.plan": "pro"})", R"({"$set": {"status": "archived"}, "$inc": {"rev": 1}})")
        .modified;
  }

 protected:
  Collection& docs() { return docs_; }

 private:
  static void deliver(stele::Documents found, Tally& tally) {
    while (const auto json = found.next()) tally.add(*json);
  }

  Database db_;
  Collection docs_;
};

class SteleBulk final : public SteleDocuments {
 public:
  using SteleDocuments::SteleDocuments;
  void load(std::span<const std::string> documents) override {
    auto next = documents.begin();
    docs().bulk_load([&]() -> std::optional<std::string_view> {
      if (next == documents.end()) return std::nullopt;
      return *next++;
    });
  }
};

}  // namespace

std::unique_ptr<DocumentStore> make_stele_bulk_documents(const std::string& directory) {
  return std::make_unique<SteleBulk>(directory);
}
std::unique_ptr<DocumentStore> make_stele_documents(const std::string& directory) {
  return std::make_unique<SteleDocuments>(directory);
}

}  // namespace stele::bench
