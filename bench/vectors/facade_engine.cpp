// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/vectors/engine.h"

#include <stele/stele.h>

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace stele::bench {

namespace {

constexpr std::size_t vectors_a_transaction = 200;

/// Through the public face, on disk: documents {"_id": row, "bucket": b}, their vectors beside them, an index on
/// bucket. Its build ends when all is durable and in the graph.
class FacadeEngine final : public Engine {
 public:
  explicit FacadeEngine(Shape shape) : shape_(shape) {
    std::string name = (std::filesystem::temp_directory_path() / "stele-bench-XXXXXX").string();
    if (!mkdtemp(name.data())) throw Error(ErrorCode::io, "bench: no temporary directory");
    directory_ = name;
  }
  ~FacadeEngine() override {
    db_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string name() const override { return "stele, facade"; }

  void build(const VectorData& data, unsigned) override {
    data_ = &data;
    db_.emplace(Database::open(directory_ / "db"));
    collection().create_index(R"({"bucket": 1})");
    collection().create_vector_index("v", {.dimensions = static_cast<std::uint32_t>(data.dimensions()),
                                           .m = shape_.m,
                                           .ef_construction = shape_.ef_construction});
    const auto start = Clock::now();
    for (std::size_t first = 0; first < data.count(); first += vectors_a_transaction)
      db_->write([&](Transaction& tx) {
        Collection documents = tx.collection("c");
        for (std::size_t i = first; i < std::min(data.count(), first + vectors_a_transaction); ++i) {
          documents.insert(
              fmt::format(R"({{"_id":{},"bucket":{}}})", i, VectorData::bucket(static_cast<std::uint32_t>(i))));
          documents.set_vector("v", static_cast<std::int64_t>(i), {data.base(i), data.dimensions()});
        }
      });
    const double durable = seconds_since(start);
    collection().wait_applied("v");
    fmt::print("  (durable after {:.1f} s, in the graph after {:.1f} s, wall clock)\n", durable, seconds_since(start));
    db_->close();
    db_.reset();
    const auto reopened = Clock::now();
    db_.emplace(Database::open(directory_ / "db"));
    const auto found = collection().nearest("v", {data.query(0), data.dimensions()});
    const double first = seconds_since(reopened);
    collection().wait_applied("v");
    fmt::print("  (reopened: first answer, {}, after {:.2f} s, the graph after {:.2f} s)\n", found.strategy, first,
               seconds_since(reopened));
  }

  void allow(const std::vector<bool>& allowed) override {
    const auto count = std::ranges::count(allowed, true);
    const double share = static_cast<double>(count) / static_cast<double>(allowed.size());
    filter_ = share < 0.05 ? R"({"bucket": 7})"
                           : fmt::format(R"({{"bucket": {{"$lt": {}}}}})", static_cast<int>(share * 100 + 0.5));
  }

  void search(const float* query, std::size_t k, std::size_t ef, bool filtered,
              std::vector<std::uint32_t>& out) override {
    const auto found = collection().nearest("v", {query, data_->dimensions()},
                                            {.k = k, .filter = filtered ? filter_ : std::string(), .ef = ef});
    out.clear();
    for (const auto& hit : found.hits) out.push_back(static_cast<std::uint32_t>(std::stoul(hit.id.json())));
  }

  double bytes_per_vector() const override {
    const std::string figures = db_->snapshot().collection("c").vector_indexes().at(0);
    return std::stod(figures.substr(figures.find("\"bytes_per_vector\":") + 19));
  }

  void replace(std::uint32_t at, std::uint32_t from) override {
    db_->collection("c", {.durability = Durability::relaxed})
        .set_vector("v", static_cast<std::int64_t>(at), {data_->base(from), data_->dimensions()});
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  Collection collection() { return db_->collection("c"); }

  Shape shape_;
  const VectorData* data_ = nullptr;
  std::filesystem::path directory_;
  mutable std::optional<Database> db_;
  std::string filter_;
};

}  // namespace

std::unique_ptr<Engine> make_facade(Shape shape) { return std::make_unique<FacadeEngine>(shape); }

}  // namespace stele::bench
