// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What is aggregated beside the generator's documents, made from numbers alone as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stele::bench {

/// Of a thousand keys, one each 10 ms; data {val, payload of 200 letters}.
struct GeneratedEvent {
  std::string key;
  std::int64_t time_us;
  std::string data;
};

class EventGenerator {
 public:
  EventGenerator();
  GeneratedEvent event(std::uint32_t number) const;

 private:
  std::vector<std::string> texts_;
};

/// What `grp` of the documents leads to: _id, grp, region (of 20), budget, about.
std::string generated_group(std::uint32_t number);

}  // namespace stele::bench
