// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/errors.h"

#include "engine/base/error.h"

#include <rocksdb/status.h>

#include <cerrno>
#include <system_error>

namespace stele::rocks {

namespace {
using rocksdb::Status;

struct Row {
  Status::Code theirs;
  ErrorCode ours;
  std::string_view means;
};

constexpr Row table[] = {
    {Status::kNotFound, ErrorCode::not_found, "not found"},
    {Status::kCorruption, ErrorCode::corrupt, "damage found"},
    {Status::kNotSupported, ErrorCode::unsupported, "not offered by this build of RocksDB"},
    {Status::kInvalidArgument, ErrorCode::invalid, "refused by RocksDB"},
    {Status::kIOError, ErrorCode::io, "input or output failed"},
    {Status::kMergeInProgress, ErrorCode::busy, "a merge is running"},
    {Status::kIncomplete, ErrorCode::io, "could not be finished"},
    {Status::kShutdownInProgress, ErrorCode::closed, "the store is closing"},
    {Status::kTimedOut, ErrorCode::busy, "timed out"},
    {Status::kAborted, ErrorCode::poisoned, "stopped by an earlier failure; close the store and open it again"},
    {Status::kBusy, ErrorCode::busy, "RocksDB is busy"},
    {Status::kExpired, ErrorCode::too_old, "expired"},
    {Status::kTryAgain, ErrorCode::busy, "run again"},
    {Status::kCompactionTooLarge, ErrorCode::io, "a compaction is too large"},
    {Status::kColumnFamilyDropped, ErrorCode::corrupt, "a keyspace is missing"},
};

constexpr std::string_view cure_of_damage = "; run `stele check`; restore the whole directory from a backup";

bool is_full(const Status& status) {
  return status.code() == Status::kIOError &&
         (status.subcode() == Status::kNoSpace || status.subcode() == Status::kSpaceLimit);
}
}  // namespace

Error error_of(const Status& status, std::string_view operation, std::string_view file) {
  ErrorCode code = ErrorCode::io;
  std::string_view means = "an unknown failure";
  for (const Row& row : table) {
    if (row.theirs == status.code()) {
      code = row.ours;
      means = row.means;
    }
  }
  if (is_full(status)) {
    code = ErrorCode::full;
    means = "no space left; free some and open the store again";
  }
  const std::string words = status.ToString();
  return Error(
      code,
      text("key-value store ", file, ": ", operation, ": ", means, " (", words, ")",
           code == ErrorCode::corrupt ? cure_of_damage : ""),
      {{"store", "rocksdb"}, {"operation", std::string(operation)}, {"file", std::string(file)}, {"rocksdb", words}});
}

void check(const Status& status, std::string_view operation, std::string_view file) {
  if (!status.ok()) throw error_of(status, operation, file);
}

Error error_of_errno(int error_number, std::string_view operation, std::string_view file) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return Error(full ? ErrorCode::full : ErrorCode::io,
               text(file, ": ", operation, ": ", std::generic_category().message(error_number)),
               {{"store", "rocksdb"},
                {"operation", std::string(operation)},
                {"file", std::string(file)},
                {"errno", std::to_string(error_number)}});
}

}  // namespace stele::rocks
