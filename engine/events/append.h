// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Events on their way into a stream: one call of append, as the late write that gives them their offsets at commit.
#pragma once

#include "engine/transaction/late_write.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stele::events {

class Append final : public transaction::LateWrite {
 public:
  struct Pending {
    std::int64_t time;
    std::string key;
    std::string data;
  };

  Append(std::uint64_t stream, std::vector<Pending> events);

  void resolve(transaction::LateWrites& commit) const override;
  std::size_t bytes() const override { return bytes_; }

  std::uint64_t stream() const { return stream_; }
  const std::vector<Pending>& events() const { return events_; }

 private:
  std::uint64_t stream_;
  std::vector<Pending> events_;
  std::size_t bytes_ = 0;
};

}  // namespace stele::events
