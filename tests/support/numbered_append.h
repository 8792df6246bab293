// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/bytes.h"
#include "engine/base/key_codec.h"
#include "engine/transaction/late_write.h"

#include <memory>
#include <string>
#include <utility>

namespace stele::testing {

/// The smallest late write: u64 gseq · value goes under prefix · u64 number, and the sequence's next number is its
/// state.
class NumberedAppend final : public transaction::LateWrite {
 public:
  NumberedAppend(storage::Keyspace keyspace, std::string sequence, std::string prefix, std::string value)
      : keyspace_(keyspace), sequence_(std::move(sequence)), prefix_(std::move(prefix)), value_(std::move(value)) {}

  void resolve(transaction::LateWrites& commit) const override {
    std::uint64_t number = 0;
    if (const std::string* next = commit.state(keyspace_, sequence_)) ByteReader(*next).fixed(number);
    std::string key = prefix_;
    key::append_u64(key, number);
    std::string value;
    append_fixed(value, commit.gseq());
    commit.add(keyspace_, key, value + value_);
    std::string next;
    append_fixed(next, number + 1);
    commit.set_state(keyspace_, sequence_, std::move(next));
  }
  std::size_t bytes() const override { return prefix_.size() + value_.size() + 16; }

 private:
  storage::Keyspace keyspace_;
  std::string sequence_;
  std::string prefix_;
  std::string value_;
};

inline std::shared_ptr<const transaction::LateWrite> numbered_append(storage::Keyspace keyspace,
                                                                     std::string_view sequence, std::string_view prefix,
                                                                     std::string_view value) {
  return std::make_shared<NumberedAppend>(keyspace, std::string(sequence), std::string(prefix), std::string(value));
}

}  // namespace stele::testing
