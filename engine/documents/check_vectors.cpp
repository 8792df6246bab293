// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/check_vectors.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/vectors.h"
#include "engine/vectors/truth.h"

namespace stele::documents {

using catalog::Definition;
using catalog::VectorIndex;
using storage::Keyspace;
using transaction::Reader;
using transaction::ScanRecord;

namespace {

class VectorCheck {
 public:
  VectorCheck(Reader& reader, const Definition& collection, const VectorIndex& index,
              const std::function<void(const std::string&)>& report)
      : reader_(reader),
        index_(index),
        report_(report),
        collection_(collection),
        documents_(index_prefix(collection.id)) {}

  void made() {
    std::string value;
    if (!reader_.get(Keyspace::vectors, vectors::made_key(index_.id), value))
      say("it is not there; drop it and make it anew");
  }

  void vectors_of_documents() {
    const auto scan = reader_.scan(Keyspace::documents, {documents_, key::prefix_end(documents_)}, ScanRecord::none);
    while (scan->next()) {
      reader_.interrupt().check();
      const std::string_view id = scan->key().substr(documents_.size());
      try {
        const std::string array = text_at(scan->value(), index_.path);
        if (array.empty() || vectors::get(reader_, index_.id, index_.options.dimensions, id) ==
                                 std::optional(parse_vector(array, index_, collection_.name)))
          continue;
        say(text("document ", key::describe_key(id), " has another vector than the index; write the document again"));
      } catch (const Error& error) {
        say(text("document ", key::describe_key(id), ": ", error.message()));
      }
    }
  }

  void documents_of_vectors() {
    const storage::KeyRange range = vectors::vectors_range(index_.id);
    const auto scan = reader_.scan(Keyspace::vectors, range, ScanRecord::none);
    std::string document;
    while (scan->next()) {
      reader_.interrupt().check();
      const std::string_view id = scan->key().substr(range.begin.size());
      try {
        storage::prepare(index_.options, vectors::floats(scan->value(), index_.options.dimensions));
        if (!reader_.get(Keyspace::documents, documents_ + std::string(id), document))
          say(text("there is a vector of document ", key::describe_key(id), ", which is not there"));
      } catch (const Error& error) {
        say(text("the vector of document ", key::describe_key(id), ": ", error.message()));
      }
    }
  }

 private:
  void say(const std::string& what) { report_(text("vector index on \"", index_.path.text(), "\": ", what)); }

  Reader& reader_;
  const VectorIndex& index_;
  const std::function<void(const std::string&)>& report_;
  const Definition& collection_;
  const std::string documents_;
};

}  // namespace

void check_vectors(Reader& reader, const Definition& collection,
                   const std::function<void(const std::string&)>& report) {
  for (const VectorIndex& index : collection.vector_indexes) {
    VectorCheck check(reader, collection, index, report);
    check.made();
    if (!index.building) check.vectors_of_documents();
    check.documents_of_vectors();
  }
}

}  // namespace stele::documents
