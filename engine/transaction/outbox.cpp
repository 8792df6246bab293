// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/outbox.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/uuid.h"

namespace stele::transaction {

namespace {
constexpr std::uint8_t outbox_version = 1;
constexpr std::uint8_t kind_inline = 0;
constexpr std::uint8_t kind_file = 1;
}  // namespace

// Below every tuple-encoded key: the typecodes of key_codec.h start above 0x01.
const std::string_view marker_key("\x01marker");
const std::string_view identity_key("\x01identity");

Origin origin_of(const storage::Identity& identity) { return {uuid_bytes(identity.store_id), identity.epoch}; }

std::string encode(const OutboxRow& row) {
  std::string out;
  std::size_t size = 96;
  for (const OutboxEntry& entry : row.entries) size += entry.batch.size() + 96;
  out.reserve(size);
  append_fixed(out, outbox_version);
  append_fixed(out, row.gseq);
  append_fixed(out, row.prev);
  append_fixed(out, row.durable);
  append_fixed(out, row.key_value_durable);
  out.append(reinterpret_cast<const char*>(row.origin.store_id.data()), row.origin.store_id.size());
  append_fixed(out, row.origin.epoch);
  append_fixed(out, static_cast<std::uint32_t>(row.entries.size()));
  for (const OutboxEntry& entry : row.entries) {
    append_fixed(out, entry.gseq);
    append_fixed(out, entry.previous_sql);
    append_fixed(out, entry.file ? kind_file : kind_inline);
    if (entry.file) {
      append_sized(out, entry.file->name);
      append_fixed(out, entry.file->size);
      append_fixed(out, entry.file->checksum);
    }
    append_sized(out, entry.batch);
  }
  append_fixed(out, checksum(out));
  return out;
}

OutboxRow decode_outbox_row(std::string_view bytes, std::int64_t slot) {
  auto corrupt = [&](std::string_view what) {
    fail(ErrorCode::corrupt, text("relational.db: outbox row in slot ", slot, ": ", what),
         {{"file", "relational.db"}, {"slot", std::to_string(slot)}});
  };
  if (bytes.size() < 8 + 61) corrupt("cut short");
  std::uint64_t stored;
  std::memcpy(&stored, bytes.data() + bytes.size() - 8, 8);
  bytes.remove_suffix(8);
  if (stored != checksum(bytes)) corrupt("wrong checksum");

  ByteReader reader(bytes);
  std::uint8_t version = 0;
  std::uint32_t count = 0;
  OutboxRow row;
  if (!reader.fixed(version)) corrupt("cut short");
  if (version != outbox_version)
    fail(ErrorCode::version, text("relational.db: outbox row in slot ", slot, " has format ", int{version},
                                  "; this library knows format ", int{outbox_version}));
  if (!reader.fixed(row.gseq) || !reader.fixed(row.prev) || !reader.fixed(row.durable) ||
      !reader.fixed(row.key_value_durable) || !reader.fixed(row.origin.store_id) || !reader.fixed(row.origin.epoch) ||
      !reader.fixed(count))
    corrupt("cut short");
  for (std::uint32_t i = 0; i < count; ++i) {
    OutboxEntry entry;
    std::uint8_t kind = 0;
    if (!reader.fixed(entry.gseq) || !reader.fixed(entry.previous_sql) || !reader.fixed(kind)) corrupt("cut short");
    if (kind == kind_file) {
      LargeFile file;
      std::string_view name;
      if (!reader.sized(name) || !reader.fixed(file.size) || !reader.fixed(file.checksum)) corrupt("cut short");
      if (!is_uuid(name)) corrupt("names a file that Stele did not make");  // never a path out of DIR/large
      file.name = name;
      entry.file = std::move(file);
    }
    if (!reader.sized(entry.batch)) corrupt("cut short");
    row.entries.push_back(std::move(entry));
  }
  return row;
}

std::string encode(const Marker& marker) {
  std::string out;
  append_fixed(out, marker.gseq);
  append_fixed(out, marker.previous_sql);
  return out;
}

Marker decode_marker(std::string_view bytes) {
  Marker marker;
  ByteReader reader(bytes);
  if (!reader.fixed(marker.gseq) || !reader.fixed(marker.previous_sql) || !reader.empty())
    fail(ErrorCode::corrupt, text("kv: the commit marker has ", bytes.size(), " bytes instead of 16"),
         {{"file", "kv"}});
  return marker;
}

}  // namespace stele::transaction
