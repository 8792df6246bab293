// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/error.h>

namespace stele::tool {

/// What the program's exit code says.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,  // findings; or a thing the user can put right
  exit_usage = 2,   // the arguments
  exit_store = 3,   // i/o, damage, another format
  exit_interrupted = 130,  // by SIGINT, as a shell has it
  exit_busy = 75,   // somebody else has it open (EX_TEMPFAIL: try again)
};

inline ExitCode exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::locked:
    case ErrorCode::busy: return exit_busy;
    case ErrorCode::full:
    case ErrorCode::io:
    case ErrorCode::corrupt:
    case ErrorCode::version:
    case ErrorCode::poisoned:
    case ErrorCode::closed:
    case ErrorCode::unknown_outcome: return exit_store;
    default: return exit_failed;
  }
}

}  // namespace stele::tool
