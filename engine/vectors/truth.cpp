// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/truth.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/transaction/store.h"

#include <algorithm>

namespace stele::vectors {

using transaction::Follower;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

std::string part(std::uint64_t index, std::uint64_t what) {
  std::string out;
  key::append_id(out, index);
  key::append_id(out, what);
  return out;
}

std::string_view bytes_of(std::span<const float> vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()};
}

/// One vector's change, on its way to a commit.
class Change final : public transaction::LateWrite {
 public:
  Change(std::shared_ptr<Follower> follower, std::uint64_t index, std::string_view id_element, Follower::Floats vector)
      : follower_(std::move(follower)), index_(index), id_element_(id_element), vector_(std::move(vector)) {}

  void resolve(transaction::LateWrites& commit) const override {
    commit.add(Keyspace::vectors, changes_key(index_, commit.gseq()) + id_element_, {});
    gseq_ = commit.gseq();
  }
  void published() const noexcept override {
    if (follower_) follower_->changed(index_, id_element_, vector_, gseq_);
  }
  std::size_t bytes() const override { return id_element_.size() + 32; }

 private:
  const std::shared_ptr<Follower> follower_;
  const std::uint64_t index_;
  const std::string id_element_;
  const Follower::Floats vector_;
  mutable std::uint64_t gseq_ = 0;  // of the commit, from resolve() on
};

class Made final : public transaction::LateWrite {
 public:
  Made(std::shared_ptr<Follower> follower, std::uint64_t index, const storage::VectorShape& shape)
      : follower_(std::move(follower)), index_(index), shape_(shape) {}
  void resolve(transaction::LateWrites&) const override {}
  void published() const noexcept override { follower_->made(index_, shape_); }
  std::size_t bytes() const override { return 0; }

 private:
  const std::shared_ptr<Follower> follower_;
  const std::uint64_t index_;
  const storage::VectorShape shape_;
};

class Touch final : public transaction::LateWrite {
 public:
  Touch(std::shared_ptr<Follower> follower, std::uint64_t index) : follower_(std::move(follower)), index_(index) {}
  void resolve(transaction::LateWrites& commit) const override { gseq_ = commit.gseq(); }
  void published() const noexcept override { follower_->touched(index_, gseq_); }
  std::size_t bytes() const override { return 0; }

 private:
  const std::shared_ptr<Follower> follower_;
  const std::uint64_t index_;
  mutable std::uint64_t gseq_ = 0;
};

class Drop final : public transaction::LateWrite {
 public:
  Drop(std::shared_ptr<Follower> follower, std::uint64_t index) : follower_(std::move(follower)), index_(index) {}
  void resolve(transaction::LateWrites&) const override {}
  void published() const noexcept override { follower_->dropped(index_); }
  std::size_t bytes() const override { return 0; }

 private:
  const std::shared_ptr<Follower> follower_;
  const std::uint64_t index_;
};

}  // namespace

std::string index_prefix(std::uint64_t index) {
  std::string out;
  key::append_id(out, index);
  return out;
}
std::string made_key(std::uint64_t index) { return part(index, 0); }
std::string vectors_prefix(std::uint64_t index) { return part(index, 1); }
std::string vector_key(std::uint64_t index, std::string_view id_element) {
  std::string out = part(index, 1);
  out += id_element;
  key::check_size(out, "the _id");
  return out;
}
std::string changes_key(std::uint64_t index, std::uint64_t gseq) {
  std::string out = part(index, 2);
  key::append_u64(out, gseq);
  return out;
}
std::string build_position_key(std::uint64_t index) { return part(index, 3); }
std::string trimmed_key(std::uint64_t index) { return part(index, 4); }

storage::KeyRange vectors_range(std::uint64_t index) {
  const std::string prefix = vectors_prefix(index);
  return {prefix, key::prefix_end(prefix)};
}

void make(Transaction& transaction, std::uint64_t index, const storage::VectorShape& shape) {
  storage::check(shape);
  transaction.writes().put(Keyspace::vectors, made_key(index), {});
  if (const auto& follower = transaction.store().follower())
    transaction.writes().late(std::make_shared<Made>(follower, index, shape));
}

void drop(Transaction& transaction, std::uint64_t index) {
  const std::string prefix = index_prefix(index);
  transaction.writes().erase_range(Keyspace::vectors, prefix, key::prefix_end(prefix));
  if (const auto& follower = transaction.store().follower())
    transaction.writes().late(std::make_shared<Drop>(follower, index));
}

void set(Transaction& transaction, std::uint64_t index, const storage::VectorShape& shape, std::string_view id_element,
         std::span<const float> vector) {
  auto prepared = std::make_shared<const std::vector<float>>(storage::prepare(shape, vector));
  const auto& follower = transaction.store().follower();
  if (follower) follower->admit(index);
  transaction.writes().put(Keyspace::vectors, vector_key(index, id_element), bytes_of(vector));
  transaction.writes().late(std::make_shared<Change>(follower, index, id_element, std::move(prepared)));
}

void touch(Transaction& transaction, std::uint64_t index) {
  if (const auto& follower = transaction.store().follower())
    transaction.writes().late(std::make_shared<Touch>(follower, index));
}

bool remove(Transaction& transaction, std::uint64_t index, std::string_view id_element) {
  const std::string key = vector_key(index, id_element);
  std::string value;
  if (!transaction.get(Keyspace::vectors, key, value)) return false;
  transaction.writes().erase(Keyspace::vectors, key);
  transaction.writes().late(
      std::make_shared<Change>(transaction.store().follower(), index, id_element, Follower::Floats()));
  return true;
}

std::vector<float> floats(std::string_view value, std::uint32_t dimensions) {
  if (value.size() != dimensions * sizeof(float))
    fail(ErrorCode::corrupt, text("vector: it has ", value.size(), " bytes where ", dimensions,
                                  " float32 belong; run `stele check` and restore the store from a backup"));
  std::vector<float> out(dimensions);
  std::memcpy(out.data(), value.data(), value.size());
  return out;
}

std::optional<std::vector<float>> get(Reader& reader, std::uint64_t index, std::uint32_t dimensions,
                                      std::string_view id_element) {
  std::string value;
  if (!reader.get(Keyspace::vectors, vector_key(index, id_element), value)) return std::nullopt;
  return floats(value, dimensions);
}

void for_each(Reader& reader, std::uint64_t index, std::uint32_t dimensions,
              const std::function<void(std::string_view, std::span<const float>)>& visit, ScanRecord record) {
  const std::size_t prefix = vectors_prefix(index).size();
  const auto scan = reader.scan(Keyspace::vectors, vectors_range(index), record);
  for (std::size_t i = 0; scan->next(); ++i) {
    if (i % 256 == 0) reader.interrupt().check();
    visit(scan->key().substr(prefix), floats(scan->value(), dimensions));
  }
}

void for_each_change(Reader& reader, std::uint64_t index, std::uint64_t after,
                     const std::function<void(std::string_view, std::uint64_t)>& visit) {
  const std::string prefix = part(index, 2);
  const auto scan =
      reader.scan(Keyspace::vectors, {changes_key(index, after + 1), key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next()) {
    std::string_view rest = scan->key().substr(prefix.size());
    std::uint64_t gseq = 0;
    if (!key::read_u64(rest, gseq))
      fail(ErrorCode::corrupt, text("vector index ", index, ": a change cannot be read; run `stele check`"));
    visit(rest, gseq);
  }
}

std::optional<std::vector<OwnWrite>> own_writes(const Transaction& transaction, std::uint64_t index,
                                                std::uint32_t dimensions, std::size_t count_max) {
  std::vector<OwnWrite> out;
  const storage::KeyRange range = vectors_range(index);
  for (const auto& erased : transaction.pending().erased_ranges(Keyspace::vectors))
    if (erased.begin < range.end && range.begin < erased.end) return std::nullopt;
  const auto& entries = transaction.pending().entries(Keyspace::vectors);
  for (auto own = entries.lower_bound(range.begin); own != entries.end() && own->first < range.end; ++own) {
    if (out.size() == count_max) return std::nullopt;
    const auto& value = own->second.newest().value;
    out.push_back({std::string_view(own->first).substr(range.begin.size()), std::nullopt});
    if (value) out.back().vector = floats(*value, dimensions);
  }
  return out;
}

}  // namespace stele::vectors
