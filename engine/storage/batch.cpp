// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/batch.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"

namespace stele::storage {

namespace {
constexpr char format_version = 1;

void append_head(std::string& out, Batch::Operation::Kind kind, Keyspace keyspace, std::string_view key) {
  out += static_cast<char>(kind);
  out += static_cast<char>(keyspace);
  append_sized(out, key);
}
}  // namespace

void Batch::put(Keyspace keyspace, std::string_view key, std::string_view value) {
  append_head(operations_, Operation::Kind::put, keyspace, key);
  append_sized(operations_, value);
  ++count_;
}

void Batch::erase(Keyspace keyspace, std::string_view key) {
  append_head(operations_, Operation::Kind::erase, keyspace, key);
  ++count_;
}

void Batch::erase_range(Keyspace keyspace, std::string_view begin, std::string_view end) {
  if (begin >= end) return;
  append_head(operations_, Operation::Kind::erase_range, keyspace, begin);
  append_sized(operations_, end);
  ++count_;
}

void Batch::add(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::put: return put(operation.keyspace, operation.key, operation.value);
    case Operation::Kind::erase: return erase(operation.keyspace, operation.key);
    case Operation::Kind::erase_range: return erase_range(operation.keyspace, operation.key, operation.value);
  }
}

bool Batch::take(std::string_view& rest, Operation& operation) {
  ByteReader reader(rest);
  std::uint8_t kind;
  std::uint8_t keyspace;
  if (!reader.fixed(kind) || !reader.fixed(keyspace) || !reader.sized(operation.key)) return false;
  if (kind > static_cast<std::uint8_t>(Operation::Kind::erase_range) || keyspace >= keyspace_count) return false;
  operation.kind = static_cast<Operation::Kind>(kind);
  operation.keyspace = static_cast<Keyspace>(keyspace);
  operation.value = {};
  if (operation.kind != Operation::Kind::erase && !reader.sized(operation.value)) return false;
  rest = reader.rest();
  return true;
}

void Batch::encode(std::string& out) const {
  const std::size_t start = out.size();
  out.reserve(start + operations_.size() + 9);
  out += format_version;
  out += operations_;
  append_fixed(out, checksum(std::string_view(out).substr(start)));
}

Batch Batch::decode(std::string_view bytes, std::string_view origin) {
  auto corrupt = [&](std::string_view what) {
    fail(ErrorCode::corrupt, text(origin, ": a batch of ", bytes.size(), " bytes ", what), {{"file", std::string(origin)}});
  };
  if (bytes.size() < 9) corrupt("is cut short");
  std::uint64_t stored;
  std::memcpy(&stored, bytes.data() + bytes.size() - 8, 8);
  bytes.remove_suffix(8);
  if (stored != checksum(bytes)) corrupt("has a wrong checksum");
  if (bytes.front() != format_version)
    fail(ErrorCode::version, text(origin, ": a batch has format ", int{bytes.front()}, ", known is ", int{format_version}));
  bytes.remove_prefix(1);

  Batch batch;
  batch.operations_ = bytes;
  std::string_view rest = batch.operations_;
  Operation operation;
  while (!rest.empty()) {
    if (!take(rest, operation)) corrupt("holds an operation that cannot be read");
    ++batch.count_;
  }
  return batch;
}

}  // namespace stele::storage
