// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A stream of what happened: this machine's dpkg log, or, where there is none, the import's own progress. A window
// counts it by day and action as it is appended. A consumer group processes it in a child that is killed with SIGKILL
// again and again: each event must have had its effect once.
#pragma once

#include <stele/stele.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::demo {

/// A line of dpkg's log, such as "2025-06-24 14:36:25 upgrade libc6:amd64 2.36-9 2.36-10": its action is the key, its
/// time read as UTC. nullopt: it is no such line.
std::optional<NewEvent> read_log_line(std::string_view line);

/// The parent's side. False when an event was processed twice, or not at all, or the window counts otherwise.
bool run_log_part(const std::string& directory, std::uint64_t seed);
/// The child's side: processes what the group has not.
void process_log(Database& db);

}  // namespace stele::demo
