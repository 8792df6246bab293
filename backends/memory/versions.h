// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Ordered maps with versions: each key holds what it was at the moments somebody may still look at.
// Not locked: the store does that.
#pragma once

#include "engine/storage/keyspace.h"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::memory {

using Moment = std::uint64_t;  // the number of the last batch that is visible

struct Version {
  Moment since;
  std::optional<std::string> value;  // none: erased
};

/// Oldest first.
using Versions = std::vector<Version>;
using Entries = std::map<std::string, Versions, std::less<>>;

/// What the key held at that moment; null when it was absent.
const std::string* value_at(const Versions& versions, Moment moment);

/// What an entry takes, with its older versions.
std::uint64_t bytes_of(const Entries::value_type& entry);

class VersionedMaps {
 public:
  const Entries& entries(storage::Keyspace keyspace) const { return maps_[static_cast<std::size_t>(keyspace)]; }

  /// Invisible at every moment before `since`.
  void put(storage::Keyspace keyspace, std::string_view key, std::string_view value, Moment since);
  void erase(storage::Keyspace keyspace, std::string_view key, Moment since);
  void erase_range(storage::Keyspace keyspace, std::string_view begin, std::string_view end, Moment since);

  /// Frees what nobody at `oldest` or later can see. Nobody may look at earlier moments any more.
  void reclaim(Moment oldest);

  std::uint64_t bytes() const { return bytes_; }

 private:
  void add(storage::Keyspace keyspace, Entries::iterator entry, std::optional<std::string> value, Moment since);

  /// A version of this key hides an older one since that moment.
  struct Hidden {
    storage::Keyspace keyspace;
    std::string key;
    Moment since;
  };

  std::array<Entries, storage::keyspace_count> maps_;
  std::deque<Hidden> hidden_;  // ascending by since
  std::uint64_t bytes_ = 0;
};

}  // namespace stele::memory
