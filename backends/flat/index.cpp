// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/flat/open.h"
#include "engine/storage/row_scan.h"

#include <atomic>
#include <vector>

namespace stele::flat {

using namespace storage;

namespace {

class FlatIndex final : public VectorIndex {
 public:
  FlatIndex(distance::Codec codec, VectorRows over)
      : over_(over), codec_(std::move(codec)), records_(codec_.record_bytes()) {}

  void add(Row until) override {
    if (codec_.quantization() == Quantization::none) return rows_.store(until, std::memory_order_release);
    records_.reserve(until);
    for (Row row = rows(); row < until; ++row) {
      codec_.encode(over_.vectors.at(row), records_.row(row));
      rows_.store(row + 1, std::memory_order_release);
    }
  }
  void build(Row until, unsigned) override { add(until); }  // as fast as memory is
  Row repair() override { return 0; }
  Row rows() const override { return rows_.load(std::memory_order_acquire); }

  VectorHits search(const VectorQuery& query) const override {
    const bool by_float = query.exact || codec_.quantization() == Quantization::none;
    return by_float ? scan_exactly(query, codec_, over_, rows())
                    : scan_records(query, codec_, over_, rows(), {.segments = &records_});
  }

  bool save(const std::string&, std::string_view) const override { return false; }

  VectorFigures figures() const override {
    const bool none = codec_.quantization() == Quantization::none;
    return {rows(), none ? 0 : rows() * codec_.record_bytes(), codec_.quantization()};
  }
  std::optional<std::string> check() const override { return std::nullopt; }

 private:
  const VectorRows over_;
  const distance::Codec codec_;
  Segments records_;
  std::atomic<Row> rows_{0};
};

}  // namespace

std::unique_ptr<VectorIndex> make_flat(const VectorShape& shape, VectorRows over, std::span<const Row> sample) {
  check(shape);
  return std::make_unique<FlatIndex>(trained_codec(shape, over.vectors, sample), over);
}

}  // namespace stele::flat
