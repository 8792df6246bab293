// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/row_versions.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace stele::storage {

/// A set of rows: those that a filter lets through. A Roaring bitmap. Const calls from any thread.
class RowSet {
 public:
  RowSet();
  explicit RowSet(std::span<const Row> rows);  // in any order
  RowSet(const RowSet&);
  RowSet(RowSet&&) noexcept;
  RowSet& operator=(RowSet) noexcept;
  ~RowSet();

  void add(Row row);
  void add(std::span<const Row> rows);
  void intersect(const RowSet& other);
  void subtract(const RowSet& other);

  bool contains(Row row) const;
  std::uint64_t count() const;
  std::uint64_t bytes() const;

  /// Ascending.
  std::vector<Row> rows() const;
  /// Bit r of word r / 64 for each row below `limit`.
  std::vector<std::uint64_t> bits(Row limit) const;

 private:
  struct Bitmap;
  std::unique_ptr<Bitmap> bitmap_;
};

}  // namespace stele::storage
