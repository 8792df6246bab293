// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/error.h"
#include "engine/base/interrupt.h"

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace stele::sqlite {

/// The one table from SQLite's codes to ours.
ErrorCode error_code(int extended);

/// "SQLITE_IOERR_FSYNC (1034)".
std::string code_name(int extended);

/// What an error is about, for its text.
struct Context {
  std::string_view operation;  // "prepare", "commit" …
  std::string_view sql = {};
  const Interrupt* interrupt = nullptr;
};

/// The failure `result` that a call on `db` has just returned.
Error make_error(sqlite3* db, int result, const Context& context);

}  // namespace stele::sqlite
