// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/generator.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace stele::bench {

namespace {

constexpr std::uint32_t seed = 42;
constexpr std::uint32_t document_stream = 20;  // and those after it, one a revision
constexpr const char* cities[] = {"Amsterdam", "Berlin",  "Chicago",  "Dakar",   "Edinburgh", "Firenze",
                                  "Geneva",    "Hanoi",   "Istanbul", "Jakarta", "Kyoto",     "Lisbon",
                                  "Madrid",    "Nairobi", "Oslo",     "Prague"};
constexpr const char* statuses[] = {"new", "open", "pending", "closed", "archived"};
constexpr const char* plans[] = {"free", "free", "free", "free", "free", "free", "team", "team", "team", "pro"};

void append_padded(std::string& out, std::uint32_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

void append_letters(std::string& out, Sequence& random, std::size_t count) {
  std::string letters;
  while (letters.size() < count) {
    std::uint32_t bits = random.next();
    for (int i = 0; i < 4; ++i, bits >>= 8) letters += static_cast<char>('a' + (bits & 255) % 26);
  }
  out.append(letters, 0, count);
}

void append_user(std::string& out, Sequence& random, std::uint32_t id, std::uint32_t plan, std::uint32_t city,
                 std::uint32_t zip) {
  out += R"(,"user":{"id":)" + std::to_string(id) + R"(,"name":")";
  append_letters(out, random, 12);
  out += R"(","plan":")";
  out += plans[plan];
  out += R"(","address":{"city":")";
  out += cities[city];
  out += R"(","zip":")" + std::to_string(zip) + "\"}}";
}

void append_items(std::string& out, Sequence& random) {
  out += R"(,"items":[)";
  for (int i = 0; i < 3; ++i) {
    const std::uint32_t sku = random.below(100'000);
    const std::uint32_t quantity = 1 + random.below(9);
    const std::uint32_t price = 100 + random.below(9900);
    out += i == 0 ? R"({"sku":"S)" : R"(,{"sku":"S)";
    append_padded(out, sku, 5);
    out += R"(","qty":)" + std::to_string(quantity) + R"(,"price":)" + std::to_string(price) + "}";
  }
  out += ']';
}

}  // namespace

Sequence::Sequence(std::uint32_t stream, std::uint32_t item) : a_(0x9E3779B9u ^ stream), b_(item), c_(seed), d_(1) {
  for (int i = 0; i < 12; ++i) next();
}

std::uint32_t Sequence::next() {
  const std::uint32_t drawn = a_ + b_ + d_++;
  a_ = b_ ^ (b_ >> 9);
  b_ = c_ + (c_ << 3);
  c_ = ((c_ << 21) | (c_ >> 11)) + drawn;
  return drawn;
}

std::string generated_id(std::uint32_t number) {
  std::string id = "d";
  append_padded(id, number, 8);
  return id;
}

std::string generated_document(std::uint32_t number, std::uint32_t count, std::uint32_t revision) {
  Sequence random(document_stream + revision, number);
  const std::uint32_t group = random.below(std::max(count / 10, 1u));
  const std::uint32_t score = random.below(1'000'000);
  const std::uint32_t status = random.below(5);
  const std::uint32_t user = random.below(10'000);
  const std::uint32_t plan = random.below(10);
  const std::uint32_t city = random.below(16);
  const std::uint32_t zip = 10'000 + random.below(1000);
  std::string out = R"({"_id":")" + generated_id(number) + R"(","n":)" + std::to_string(number) + R"(,"rev":)" +
                    std::to_string(revision) + R"(,"grp":)" + std::to_string(group) + R"(,"score":)" +
                    std::to_string(score) + R"(,"status":")" + statuses[status] + "\"";
  append_user(out, random, user, plan, city, zip);
  out += R"(,"tags":[)";
  for (int i = 0; i < 3; ++i) out += (i == 0 ? "\"t" : ",\"t") + std::to_string(random.below(500)) + "\"";
  out += ']';
  append_items(out, random);
  out += R"(,"created":)" + std::to_string(first_moment_ms + std::int64_t{number} * 1000) + R"(,"note":")";
  append_letters(out, random, 120);
  return out += "\"}";
}

void check_generator() {
  std::uint32_t hash = 2'166'136'261u;  // FNV-1a
  for (std::uint32_t i = 0; i < 1000; ++i) {
    for (const char c : generated_document(i, 200'000, i % 3))
      hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  }
  if (hash != 3'914'379'191u) throw std::logic_error("the generator's documents are not those of other builds");
}

}  // namespace stele::bench
