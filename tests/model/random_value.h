// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random values with many near misses: equal numbers of both kinds, neighbours of 2^53, strings
// that are prefixes of each other and hold NULs.
#pragma once

#include "engine/model/value.h"

#include <cstdint>
#include <iterator>
#include <limits>
#include <random>

namespace stele::model {

using Random = std::mt19937_64;

inline Value random_number(Random& random) {
  constexpr std::int64_t edge = std::int64_t{1} << 53;
  constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t small = static_cast<std::int64_t>(random() % 5) - 2;
  switch (random() % 12) {
    case 0: return small;
    case 1: return static_cast<double>(small);
    case 2: return (random() % 2 ? edge : -edge) + small;
    case 3: return static_cast<double>((random() % 2 ? edge : -edge) + 2 * small);
    case 4: return random() % 2 ? least + (small & 3) : most - (small & 3);
    case 5: return random() % 2 ? -0x1p63 : 0x1p63;
    case 6: return random() % 2 ? -0.0 : std::numeric_limits<double>::denorm_min() * static_cast<double>(small);
    case 7: return static_cast<double>(small) + 0.5;
    case 8: return static_cast<std::int64_t>(random());
    case 9: return static_cast<double>(static_cast<std::int64_t>(random()));
    case 10: return random() % 2 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
    default: return (random() % 2 ? 0x1p62 : -0x1p62) + 512.0 * static_cast<double>(small);
  }
}

inline std::string random_text(Random& random) {
  constexpr char letters[] = {'\0', '\x01', 'a', 'b', '\xFF'};
  std::string text;
  for (std::uint64_t n = random() % 4; n > 0; --n) text += letters[random() % sizeof letters];
  return text;
}

inline Value random_value(Random& random, int depth = 3) {
  switch (random() % (depth > 0 ? 12 : 9)) {
    case 0: return nullptr;
    case 1: case 2: return random_number(random);
    case 3: case 4: return random_text(random);
    case 5: return random() % 2 == 0;
    case 6: return Date{static_cast<std::int64_t>(random() % 5) - 2};
    case 7:
      if (random() % 4 == 0) return Pattern{std::string(random() % 3, 'a'), random() % 2 ? "i" : ""};
      return Binary{static_cast<unsigned char>(random() % 3), random_text(random)};
    case 8: {
      Oid oid{};
      oid.bytes[11] = static_cast<char>(random() % 3 * 127);
      return oid;
    }
    case 9: case 10: {
      Array array;
      for (std::uint64_t n = random() % 4; n > 0; --n) array.push_back(random_value(random, depth - 1));
      return array;
    }
    default: {
      Object object;
      for (std::uint64_t n = random() % 3; n > 0; --n)
        object.push_back({std::string(n, 'k') + random_text(random), random_value(random, depth - 1)});
      return object;
    }
  }
}

/// One of few values, so that two of them are often equal; now and then one of those above.
inline Value random_small_value(Random& random, int depth = 2);

/// With the names that random paths use, "a" to "c", "0" and "".
inline Value random_small_object(Random& random, int depth = 2) {
  Object object;
  for (const char* name : {"a", "b", "c", "0"})
    if (name[0] == '0' ? random() % 8 == 0 : random() % 4 != 0) object.push_back({name, random_small_value(random, depth)});
  if (random() % 16 == 0) object.push_back({"", random_small_value(random, depth)});
  return object;
}

inline Value random_small_value(Random& random, int depth) {
  constexpr const char* texts[] = {"", "a", "ab", "B", "é", "a\nb"};
  switch (random() % (depth > 0 ? 16 : 9)) {
    case 0: return nullptr;
    case 1: case 2: return static_cast<std::int64_t>(random() % 7) - 2;
    case 3: return static_cast<double>(static_cast<std::int64_t>(random() % 9) - 3) / 2;
    case 4: case 5: return texts[random() % std::size(texts)];
    case 6: return random() % 2 == 0;
    case 7: {
      if (random() % 3 == 0) return Date{static_cast<std::int64_t>(random() % 3)};
      if (random() % 3 == 0) return Pattern{texts[random() % 3], random() % 2 ? "i" : ""};
      return Binary{0, std::string(random() % 3, static_cast<char>(random() % 4))};
    }
    case 8: return random() % 2 ? random_number(random) : Value(texts[random() % std::size(texts)]);
    case 9: case 10: case 11: case 12: {
      Array array;
      for (std::uint64_t n = random() % 4; n > 0; --n) array.push_back(random_small_value(random, depth - 1));
      return array;
    }
    default: return random_small_object(random, depth - 1);
  }
}

}  // namespace stele::model
