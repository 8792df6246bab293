// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What transactions saw and did, in the form that tells most about their order (Kingsbury and Alvaro's Elle): every
// key holds a list, every write appends a value that nobody else ever appends, every read returns the whole list. So
// the longest list read of a key is the order of its writes, and each read names the writes that it saw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stele::isolation {

enum class Tier : std::uint8_t { row, table, document, found, stream, cache };
inline constexpr Tier tiers[] = {Tier::row, Tier::table, Tier::document, Tier::found, Tier::stream, Tier::cache};
const char* name(Tier tier);

struct Key {
  Tier tier = Tier::row;
  int number = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

using Element = std::int64_t;  // an appended value

struct Operation {
  enum class Kind : std::uint8_t { append, read } kind;
  Key key;
  Element element = 0;        // append
  std::vector<Element> list;  // read
};

enum class Outcome : std::uint8_t { committed, aborted };

struct Attempt {
  std::vector<Operation> operations;
  Outcome outcome = Outcome::committed;
  // Real time, on one clock: the transaction began after `begin`, and was acknowledged before `end`.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

using History = std::vector<Attempt>;

enum class Level : std::uint8_t { serializable, snapshot };

/// What a history shows that the level does not allow; names as in Adya's thesis.
///   G0 G1a G1b G1c G-single G2   and
///   lost         an acknowledged append that the last reads do not show
///   incompatible two reads of one key of which neither continues the other
///   internal     a transaction that does not see its own append, or sees its read change
///   realtime     a transaction that misses what was acknowledged before it began
struct Anomaly {
  std::string kind;
  std::string text;
};

/// The last event must read every key. Streams do not bind what is beyond their end (an append never conflicts), so at
/// neither level two or more anti-dependencies of which one is on a stream count.
std::vector<Anomaly> check(const History& history, Level level);

}  // namespace stele::isolation
