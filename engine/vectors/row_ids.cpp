// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/row_ids.h"

#include "engine/base/checksum.h"

#include <cstring>

namespace stele::vectors {

std::string_view RowIds::id_of(Row row) const {
  const char* const at = bytes_.row(place(row).id);
  std::uint16_t size;
  std::memcpy(&size, at, sizeof size);
  return {at + sizeof size, size};
}

/// Where the document's newest row stands in the table, or would stand.
std::size_t RowIds::slot_of(std::string_view id_element) const {
  const std::size_t mask = newest_.size() - 1;
  std::size_t slot = checksum(id_element) & mask;
  while (newest_[slot] != none && id_of(newest_[slot]) != id_element) slot = (slot + 1) & mask;
  return slot;
}

void RowIds::grow() {
  std::vector<Row> old(newest_.empty() ? 1024 : newest_.size() * 2, none);
  old.swap(newest_);
  for (const Row row : old)
    if (row != none) newest_[slot_of(id_of(row))] = row;
}

void RowIds::add(Row row, std::string_view id_element) {
  const auto size = static_cast<std::uint16_t>(id_element.size());  // keys have up to 8 KB
  const auto granules = static_cast<std::uint32_t>((sizeof size + size + granule - 1) / granule);
  places_.reserve(std::uint64_t{row} + 1);
  // Segments do not adjoin: an id that would begin in one and end in the next begins there.
  const std::uint64_t room = bytes_.capacity();
  if (granules_ + std::uint64_t{granules} > room) {
    granules_ = static_cast<std::uint32_t>(room);
    bytes_.reserve(room + granules);
  }
  char* const at = bytes_.row(granules_);
  std::memcpy(at, &size, sizeof size);
  std::memcpy(at + sizeof size, id_element.data(), size);
  place(row) = {granules_, none};
  granules_ += granules;

  const std::lock_guard guard(mutex_);
  if (newest_.size() * 2 < (documents_ + 1) * 3) grow();
  Row& slot = newest_[slot_of(id_element)];
  if (slot == none) ++documents_;
  place(row).previous = slot;
  slot = row;
}

std::optional<Row> RowIds::newest(std::string_view id_element) const {
  const std::lock_guard guard(mutex_);
  if (newest_.empty()) return std::nullopt;
  const Row row = newest_[slot_of(id_element)];
  return row == none ? std::nullopt : std::optional(row);
}

std::optional<Row> RowIds::visible(std::string_view id_element, const storage::RowVersions& versions,
                                   storage::Sequence at) const {
  for (std::optional<Row> row = newest(id_element); row && *row != none; row = place(*row).previous)
    if (versions.visible(*row, at)) return row;
  return std::nullopt;
}

std::uint64_t RowIds::memory_bytes() const {
  const std::lock_guard guard(mutex_);
  return newest_.size() * sizeof(Row) + std::uint64_t{granules_} * granule;
}

}  // namespace stele::vectors
