// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/error.h>

#include <string_view>

namespace rocksdb {
class Status;
}

namespace stele::rocks {

/// RocksDB's status as ours. `operation` and `file` say what was done to what; RocksDB's own words
/// travel in detail "rocksdb" and are never read by a program.
Error error_of(const rocksdb::Status& status, std::string_view operation, std::string_view file);

/// Throws error_of() unless the status is OK.
void check(const rocksdb::Status& status, std::string_view operation, std::string_view file);

/// A failed system call: `full` for ENOSPC and EDQUOT, else `io`.
Error error_of_errno(int error_number, std::string_view operation, std::string_view file);

}  // namespace stele::rocks
