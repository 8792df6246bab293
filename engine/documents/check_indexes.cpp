// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/check_indexes.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"

#include <algorithm>

namespace stele::documents {

using catalog::Definition;
using catalog::Index;
using storage::Keyspace;
using transaction::Reader;

namespace {

constexpr std::string_view cure = "; drop the index and make it anew";

std::string of(const Definition& collection, const Index& index) {
  return text("index \"", index.name, "\" of collection \"", collection.name, "\": ");
}

/// Without the id in front, which no reader knows.
std::string describe(std::string_view key, std::uint64_t id) { return key::describe_key(key.substr(index_prefix(id).size())); }

class IndexCheck {
 public:
  IndexCheck(Reader& reader, const Definition& collection, const Index& index, const std::function<void(const std::string&)>& report)
      : reader_(reader), collection_(collection), index_(index), report_(report), documents_(index_prefix(collection.id)) {}

  void entries_of_documents() {
    std::uint32_t arrays = 0;
    const auto scan = reader_.scan(Keyspace::documents, {documents_, key::prefix_end(documents_)}, transaction::ScanRecord::none);
    std::string value;
    while (scan->next()) {
      reader_.interrupt().check();
      for (const IndexEntry& entry : entries_of(scan->key(), scan->value(), &arrays))
        if (!reader_.get(Keyspace::indexes, entry.key, value) || value != entry.value)
          report_(text(of(collection_, index_), "the entry ", describe(entry.key, index_.id), " of document ",
                       describe(scan->key(), collection_.id), " is missing, or another document's", cure));
    }
    for (std::size_t field = 0; field < index_.fields.size(); ++field)
      if ((arrays >> field & 1) != 0 && !reader_.get(Keyspace::indexes, multikey_key(index_.id, field), value))
        report_(text(of(collection_, index_), "a document has an array at \"", index_.fields[field].path.text(), "\", and the index does not know", cure));
  }

  void documents_of_entries() {
    const std::string prefix = index_prefix(index_.id);
    const auto scan = reader_.scan(Keyspace::indexes, {prefix, key::prefix_end(prefix)}, transaction::ScanRecord::none);
    std::string document;
    while (scan->next()) {
      reader_.interrupt().check();
      try {
        const std::string key = documents_ + std::string(parse_entry(index_, scan->key(), scan->value()).id);
        const bool there = reader_.get(Keyspace::documents, key, document);
        if (there && std::ranges::binary_search(entries_of(key, document), scan->key(), {}, &IndexEntry::key)) continue;
        report_(text(of(collection_, index_), "the entry ", describe(scan->key(), index_.id), " names document ", describe(key, collection_.id),
                     there ? ", which has other values" : ", which is not there", cure));
      } catch (const Error& error) {
        report_(error.message());
      }
    }
  }

 private:
  /// Adds to `arrays` the fields on whose way an array was.
  std::vector<IndexEntry> entries_of(std::string_view key, std::string_view document, std::uint32_t* arrays = nullptr) {
    std::uint32_t through_array = 0;
    std::vector<IndexEntry> entries = index_entries(index_, parser_.parse(document), key.substr(documents_.size()), &through_array);
    if (arrays) *arrays |= through_array;
    return entries;
  }

  Reader& reader_;
  const Definition& collection_;
  const Index& index_;
  const std::function<void(const std::string&)>& report_;
  const std::string documents_;
  model::Parser parser_;
};

}  // namespace

void check_indexes(Reader& reader, const Definition& collection, const std::function<void(const std::string&)>& report) {
  for (const Index& index : collection.indexes) {
    if (index.state != Index::State::ready) continue;
    IndexCheck check(reader, collection, index, report);
    check.entries_of_documents();
    check.documents_of_entries();
  }
}

}  // namespace stele::documents
