// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/aggregation_data.h"

#include "bench/generator.h"

namespace stele::bench {

namespace {

constexpr std::uint32_t event_stream = 40, payload_stream = 41, group_stream = 42, payloads = 4096;

void add_letters(std::string& text, Sequence& random, int count) {
  for (int i = 0; i < count; ++i) text += static_cast<char>('a' + random.below(26));
}

}  // namespace

EventGenerator::EventGenerator() {
  for (std::uint32_t i = 0; i < payloads; ++i) {
    Sequence random(payload_stream, i);
    add_letters(texts_.emplace_back(), random, 200);
  }
}

GeneratedEvent EventGenerator::event(std::uint32_t number) const {
  Sequence random(event_stream, number);
  const std::uint32_t key = random.below(1000);
  const std::uint32_t value = random.below(10'000);
  const std::uint32_t text = random.below(payloads);
  return {"k" + std::to_string(key), (first_moment_ms + std::int64_t{number} * 10) * 1000,
          R"({"val":)" + std::to_string(value) + R"(,"payload":")" + texts_[text] + "\"}"};
}

std::string generated_group(std::uint32_t number) {
  Sequence random(group_stream, number);
  const std::uint32_t region = random.below(20);
  const std::uint32_t budget = random.below(1'000'000);
  std::string text = R"({"_id":"g)" + std::to_string(number) + R"(","grp":)" + std::to_string(number) +
                     R"(,"region":"R)" + std::to_string(region) + R"(","budget":)" + std::to_string(budget) +
                     R"(,"about":")";
  add_letters(text, random, 100);
  return text += "\"}";
}

}  // namespace stele::bench
