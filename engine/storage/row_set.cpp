// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/row_set.h"

#include <roaring/roaring.h>

#include <new>
#include <utility>

namespace stele::storage {

struct RowSet::Bitmap {
  roaring_bitmap_t* roaring;
  explicit Bitmap(roaring_bitmap_t* made) : roaring(made) {
    if (!made) throw std::bad_alloc();
  }
  Bitmap(const Bitmap&) = delete;
  ~Bitmap() { roaring_bitmap_free(roaring); }
};

RowSet::RowSet() : bitmap_(std::make_unique<Bitmap>(roaring_bitmap_create())) {}
RowSet::RowSet(std::span<const Row> rows) : RowSet() { add(rows); }
RowSet::RowSet(const RowSet& other) : bitmap_(std::make_unique<Bitmap>(roaring_bitmap_copy(other.bitmap_->roaring))) {}
RowSet::RowSet(RowSet&&) noexcept = default;
RowSet& RowSet::operator=(RowSet other) noexcept {
  bitmap_.swap(other.bitmap_);
  return *this;
}
RowSet::~RowSet() = default;

void RowSet::add(Row row) { roaring_bitmap_add(bitmap_->roaring, row); }
void RowSet::add(std::span<const Row> rows) { roaring_bitmap_add_many(bitmap_->roaring, rows.size(), rows.data()); }
void RowSet::intersect(const RowSet& other) { roaring_bitmap_and_inplace(bitmap_->roaring, other.bitmap_->roaring); }
void RowSet::subtract(const RowSet& other) { roaring_bitmap_andnot_inplace(bitmap_->roaring, other.bitmap_->roaring); }

bool RowSet::contains(Row row) const { return roaring_bitmap_contains(bitmap_->roaring, row); }
std::uint64_t RowSet::count() const { return roaring_bitmap_get_cardinality(bitmap_->roaring); }
std::uint64_t RowSet::bytes() const { return roaring_bitmap_size_in_bytes(bitmap_->roaring); }

std::vector<Row> RowSet::rows() const {
  std::vector<Row> rows(count());
  roaring_bitmap_to_uint32_array(bitmap_->roaring, rows.data());
  return rows;
}

std::vector<std::uint64_t> RowSet::bits(Row limit) const {
  std::vector<std::uint64_t> words((std::uint64_t{limit} + 63) / 64);
  struct Target {
    std::vector<std::uint64_t>& words;
    Row limit;
  } target{words, limit};
  roaring_iterate(
      bitmap_->roaring,
      [](std::uint32_t row, void* given) {
        auto& into = *static_cast<Target*>(given);
        if (row >= into.limit) return false;
        into.words[row / 64] |= std::uint64_t{1} << row % 64;
        return true;
      },
      &target);
  return words;
}

}  // namespace stele::storage
