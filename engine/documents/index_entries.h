// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a document has in an index. Keyspace indexes:
//
//   (id index, element per field, _id element)  ->  flags(1) offset(2)               not unique
//   (id index, element per field)               ->  flags(1) 0(2) _id element        unique
//   (id 0, id index, id 1)                      ->  u64 documents that a build has read, key of the document it goes on from
//   (id 0, id index, id 2, id field)            ->  empty; there when some document has, or had, an array on the field's path
//
// Elements are those of engine/base/key_codec.h, of descending fields in their descending form. offset: where the _id
// element begins in the key, little-endian. flags: 1 = exact, every field can be read back from the key
// as they stand in the document.
//
// A field's values are what a filter's path reaches (engine/model/path.h): of an array its elements, one entry each; an
// empty array has the element "empty array"; missing has that of null, and so has what arrays on the way do not lead to.
// A numeric step names the array's element, unless an object in the array has a member of that name: then both.
// Only one array a document may be unrolled for an index: two beside each other would need an entry for each pair.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

struct IndexEntry {
  std::string key;
  std::string value;
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

/// What is to be known of an entry of an index.
struct EntryParts {
  std::string_view fields;  // the fields' elements
  std::string_view id;      // the _id's element
  bool exact = false;
};

/// The document's entries, in order of keys; none when the index is partial or sparse and leaves it out.
/// `id_element` is the end of its key. `invalid` for two arrays beside each other, `too_large` for a key beyond the limit.
/// `through_array` gets the bits of the fields (their places in the index) on whose way an array was: conditions on them may
/// be met by different elements, and the order of the entries is not that of the documents.
std::vector<IndexEntry> index_entries(const catalog::Index& index, const model::Value& document, std::string_view id_element,
                                      std::uint32_t* through_array = nullptr);

std::string index_prefix(std::uint64_t index);
/// Of what is kept beside the entries.
std::string index_notes_prefix(std::uint64_t index);
std::string build_position_key(std::uint64_t index);
std::string multikey_key(std::uint64_t index, std::size_t field);

/// `corrupt` when it is no entry of that index.
EntryParts parse_entry(const catalog::Index& index, std::string_view key, std::string_view value);

/// The moment from which the document counts as gone, ms since 1970: its earliest date at the index's field.
std::optional<std::int64_t> expires_at_ms(const catalog::Index& index, const model::Value& document);

}  // namespace stele::documents
