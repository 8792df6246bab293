// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stele::storage {

/// Named keyspaces. The numbers are on disk (in batches): append, never reorder.
enum class Keyspace : std::uint8_t { meta = 0, documents, indexes, events, cache, vectors, changes };

inline constexpr std::array<std::string_view, 7> keyspace_names = {
    "meta", "documents", "indexes", "events", "cache", "vectors", "changes"};
inline constexpr std::size_t keyspace_count = keyspace_names.size();

inline std::string_view name(Keyspace keyspace) { return keyspace_names[static_cast<std::size_t>(keyspace)]; }

}  // namespace stele::storage
