// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/durable_floor.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"

#include <fcntl.h>

namespace stele::transaction {

namespace {

constexpr std::size_t slot_distance = 4096;  // so that one torn sector cannot take both
constexpr std::size_t slot_bytes = 80;
constexpr std::size_t id_bytes = 36;

struct Slot {
  std::uint64_t turn = 0;
  Floor floor;
};

std::string encode(const storage::Identity& identity, const Slot& slot) {
  std::string out = identity.store_id;
  out.resize(id_bytes, '\0');
  append_fixed(out, std::uint32_t{0});
  append_fixed(out, identity.epoch);
  append_fixed(out, slot.turn);
  append_fixed(out, slot.floor.gseq);
  append_fixed(out, slot.floor.time_us);
  append_fixed(out, checksum(out));
  return out;
}

std::optional<Slot> decode(std::string_view file, std::size_t offset, const storage::Identity& identity) {
  if (file.size() < offset + slot_bytes) return std::nullopt;
  const std::string_view bytes = file.substr(offset, slot_bytes);
  ByteReader reader(bytes);
  std::string_view id;
  std::uint32_t zero = 0;
  std::uint64_t epoch = 0;
  std::uint64_t stored = 0;
  Slot slot;
  if (!reader.bytes(id_bytes, id) || !reader.fixed(zero) || !reader.fixed(epoch) || !reader.fixed(slot.turn) ||
      !reader.fixed(slot.floor.gseq) || !reader.fixed(slot.floor.time_us) || !reader.fixed(stored))
    return std::nullopt;
  if (stored != checksum(bytes.substr(0, slot_bytes - 8))) return std::nullopt;
  if (id != identity.store_id || epoch != identity.epoch) return std::nullopt;
  return slot;
}

}  // namespace

void DurableFloor::create(const std::string& path, const storage::Identity& identity) {
  std::string bytes = encode(identity, {1, {}});
  bytes.resize(slot_distance, '\0');
  bytes += encode(identity, {2, {}});
  remove_file(path);
  create_synced_file(path, bytes);
}

DurableFloor::DurableFloor(std::string path, const storage::Identity& identity)
    : DurableFloor(std::move(path), identity, true) {}

DurableFloor::DurableFloor(std::string path, const storage::Identity& identity, bool for_writing)
    : path_(std::move(path)), identity_(identity), file_(open_file(path_, for_writing ? O_RDWR : O_RDONLY)) {
  const std::string bytes = read_file(path_);
  for (const std::size_t offset : {std::size_t{0}, slot_distance}) {
    const auto slot = decode(bytes, offset, identity_);
    if (!slot || slot->turn < turn_) continue;
    turn_ = slot->turn;
    floor_ = slot->floor;
  }
  if (turn_ == 0)
    fail(ErrorCode::corrupt, text(path_, ": neither of its two slots is intact and of this store; run `stele check`; "
                                         "restore the whole directory from a backup"),
         {{"file", "durable"}});
}

void DurableFloor::raise(const Floor& floor) {
  ++turn_;
  const std::size_t offset = turn_ % 2 == 1 ? 0 : slot_distance;  // never the slot that counts now
  write_all_at(file_, path_, encode(identity_, {turn_, floor}), offset);
  sync_data(file_, path_);
  floor_ = floor;
}

}  // namespace stele::transaction
