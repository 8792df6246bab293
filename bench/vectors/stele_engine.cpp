// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/hnsw/open.h"
#include "bench/vectors/engine.h"
#include "engine/storage/row_scan.h"
#include "engine/storage/vector_index.h"

namespace stele::bench {

namespace {

using namespace storage;

/// The index below transactions: what a search costs beside hnswlib's.
class SteleEngine final : public Engine {
 public:
  explicit SteleEngine(Shape shape) : shape_(shape) {}

  std::string name() const override { return "stele"; }

  void build(const VectorData& data, unsigned threads) override {
    data_ = &data;
    vectors_ = std::make_unique<ExactVectors>(data.dimensions());
    for (std::size_t i = 0; i < data.count(); ++i) put(data.base(i));
    const VectorShape shape{.dimensions = static_cast<std::uint32_t>(data.dimensions()),
                            .metric = Metric::cosine,
                            .m = shape_.m,
                            .ef_construction = shape_.ef_construction};
    std::vector<storage::Row> sample;
    for (storage::Row row = 0; row < versions_.count(); row += 1 + versions_.count() / 4096) sample.push_back(row);
    index_ = hnsw::make_hnsw(shape, {*vectors_, versions_}, sample);
    index_->build(versions_.count(), threads);
  }

  void allow(const std::vector<bool>& allowed) override {
    allowed_ = RowSet();
    for (storage::Row row = 0; row < allowed.size(); ++row)
      if (allowed[row]) allowed_.add(row);
  }

  void search(const float* query, std::size_t k, std::size_t ef, bool filtered,
              std::vector<std::uint32_t>& out) override {
    const auto found = index_->search(
        {.vector = {query, data_->dimensions()}, .k = k, .ef = ef, .allowed = filtered ? &allowed_ : nullptr});
    out.clear();
    for (const VectorHit& hit : found.hits) out.push_back(hit.row);
  }

  double bytes_per_vector() const override {
    const VectorFigures figures = index_->figures();
    return static_cast<double>(figures.memory_bytes) / static_cast<double>(figures.rows) + 16;  // begin and end
  }

  void replace(std::uint32_t at, std::uint32_t from) override {
    versions_.end(at, 2);
    put(data_->base(from));
    index_->add(versions_.count());
  }

 private:
  void put(const float* vector) {
    vectors_->put(versions_.count(), vector);
    versions_.add(1);
  }

  Shape shape_;
  const VectorData* data_ = nullptr;
  std::unique_ptr<ExactVectors> vectors_;
  RowVersions versions_;
  std::unique_ptr<VectorIndex> index_;
  RowSet allowed_;
};

class FloatScan final : public Engine {
 public:
  std::string name() const override { return "float32 scan"; }
  void build(const VectorData& data, unsigned) override { data_ = &data; }
  void allow(const std::vector<bool>& allowed) override {
    rows_.clear();
    for (std::uint32_t i = 0; i < allowed.size(); ++i)
      if (allowed[i]) rows_.push_back(i);
  }
  void search(const float* query, std::size_t k, std::size_t, bool, std::vector<std::uint32_t>& out) override {
    const distance::Codec exact(Metric::cosine, data_->dimensions(), Quantization::none);
    nearest_.reset(k);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (i + 4 < rows_.size()) prefetch(data_->base(rows_[i + 4]), data_->dimensions() * 4);
      const float distance = exact.exact(query, data_->base(rows_[i]));
      if (nearest_.takes(distance)) nearest_.insert(distance, rows_[i]);
    }
    out.clear();
    for (const auto& entry : nearest_) out.push_back(entry.row);
  }
  double bytes_per_vector() const override { return 0; }
  void replace(std::uint32_t, std::uint32_t) override {}

 private:
  const VectorData* data_ = nullptr;
  std::vector<std::uint32_t> rows_;
  Nearest nearest_;
};

}  // namespace

std::unique_ptr<Engine> make_stele(Shape shape) { return std::make_unique<SteleEngine>(shape); }
std::unique_ptr<Engine> make_float_scan() { return std::make_unique<FloatScan>(); }

}  // namespace stele::bench
