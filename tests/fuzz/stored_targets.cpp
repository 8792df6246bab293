// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/key_codec.h"
#include "engine/catalog/definition.h"
#include "engine/model/value.h"
#include "engine/storage/batch.h"
#include "engine/transaction/outbox.h"
#include "tests/fuzz/fuzz.h"

namespace stele::fuzz {

namespace {

/// Damage is found as such: `corrupt`, or a newer format.
template <class Body>
bool intact(Body&& body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    must(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::version,
         "not the code of damage: ", error.message());
    return false;
  }
}

/// As it is, and with the checksum that it would need.
template <class Body>
void both(std::string_view input, Body&& body) {
  body(input);
  std::string sealed(input);
  append_fixed(sealed, checksum(sealed));
  body(std::string_view(sealed));
}

void key_codec(std::string_view bytes) {
  key::describe_key(bytes);
  std::string_view rest = bytes;
  std::uint64_t id = 0;
  if (key::read_id(rest, id)) {
    std::string again;
    key::append_id(again, id);
    std::string_view own = again;
    std::uint64_t back = 0;
    must(key::read_id(own, back) && back == id && own.empty(), "an id does not come back: ", id);
  }
  rest = bytes;
  std::string words;
  if (!key::read_value_text(rest, words)) must(rest == bytes, "what cannot be read was taken off");
  const std::string end = key::prefix_end(std::string(bytes));
  must(end.empty() || end > bytes, "the end of a prefix stands before it");
}

void batch(std::string_view input) {
  both(input, [](std::string_view bytes) {
    intact([&] {
      const storage::Batch batch = storage::Batch::decode(bytes, "fuzz");
      std::size_t count = 0;
      storage::Batch copy;
      batch.for_each([&](const storage::Batch::Operation& operation) {
        ++count;
        copy.add(operation);
      });
      must(count == batch.count(), "counts ", batch.count(), ", holds ", count);
      std::string again, of_copy;
      batch.encode(again);
      copy.encode(of_copy);
      must(again == bytes, "encoded anew it differs");
      intact([&] { must(storage::Batch::decode(of_copy, "copy").count() == copy.count(), "a copy differs"); });
    });
  });
}

void outbox(std::string_view input) {
  both(input, [](std::string_view bytes) {
    intact([&] {
      const transaction::OutboxRow row = transaction::decode_outbox_row(bytes, 3);
      const std::string again = transaction::encode(row);
      const transaction::OutboxRow back = transaction::decode_outbox_row(again, 3);
      must(back.gseq == row.gseq && back.prev == row.prev && back.entries.size() == row.entries.size(),
           "a row differs");
    });
  });
  intact([&] { must(transaction::encode(transaction::decode_marker(input)) == input, "a marker differs"); });
}

void definition(std::string_view input) {
  std::string json;
  if (!accepted([&] { json = json::minify(input, limits, "definition"); })) return;
  for (const catalog::Kind kind : {catalog::Kind::collection, catalog::Kind::stream})
    intact([&] {
      const std::string written = catalog::to_json(catalog::parse_definition(kind, "c", json));
      must(catalog::to_json(catalog::parse_definition(kind, "c", written)) == written, "written twice: ", written);
    });
}

}  // namespace

std::span<const Target> stored_targets() {
  static constexpr Target targets[] = {
      {"key_codec", key_codec}, {"batch", batch}, {"outbox", outbox}, {"definition", definition}};
  return targets;
}

}  // namespace stele::fuzz
