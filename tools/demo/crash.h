// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A child process imports everything a second time, into tables, a collection and a stream of its
// own, says over a pipe which batches are committed, and is killed with SIGKILL in the middle.
// Whatever it acknowledged must be there when the database is opened again, and nothing by halves.
#pragma once

#include "tools/demo/input.h"

#include <cstdint>
#include <string>

namespace stele::demo {

inline constexpr const char* second_import_prefix = "second_";

struct CrashOptions {
  std::string directory;
  InputOptions input;
  std::int64_t stanzas = 0;  // that the input has
  std::uint64_t seed = 0;
  int kills = 3;
};

/// The parent's side: kills and checks, prints a table for each kill. False when something is
/// missing, half there or different.
bool run_crash_part(const CrashOptions& options);

/// The child's side: a line for each committed batch to `acknowledge_fd`.
void run_second_import(const std::string& directory, const InputOptions& input, std::int64_t batch_stanzas,
                       int acknowledge_fd);

}  // namespace stele::demo
