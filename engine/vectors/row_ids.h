// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/row_versions.h"
#include "engine/storage/segments.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace stele::vectors {

using storage::Row;

/// Whose vector each row is: the document's _id element; and the rows that a document has had, newest first. One thread
/// at a time adds; the rest is for any thread that has heard of the row.
class RowIds {
 public:
  RowIds() : places_(sizeof(Place)), bytes_(granule) {}

  /// The next row. Throws `full`.
  void add(Row row, std::string_view id_element);

  /// The document's newest row.
  std::optional<Row> newest(std::string_view id_element) const;
  /// Of its rows the one that is seen then.
  std::optional<Row> visible(std::string_view id_element, const storage::RowVersions& versions,
                             storage::Sequence at) const;

  std::string_view id_of(Row row) const;  // lives as long as this
  /// For who wants many: asks for the memory that id_of() reads, first of all of them for the place, then for the id.
  void expect_place(Row row) const { __builtin_prefetch(&place(row)); }
  void expect_id(Row row) const { __builtin_prefetch(bytes_.row(place(row).id)); }
  std::uint64_t memory_bytes() const;

 private:
  struct Place {
    std::uint32_t id;  // granule at which it begins: u16 size, then the bytes
    Row previous;      // of the same document
  };
  static constexpr std::size_t granule = 8;
  static constexpr Row none = UINT32_MAX;

  Place& place(Row row) const { return *reinterpret_cast<Place*>(places_.row(row)); }
  std::size_t slot_of(std::string_view id_element) const;
  void grow();

  storage::Segments places_;
  storage::Segments bytes_;
  std::uint32_t granules_ = 0;

  mutable std::mutex mutex_;
  std::vector<Row> newest_;  // a hash table of each document's newest row, open addressing; guarded by mutex_
  std::size_t documents_ = 0;
};

}  // namespace stele::vectors
