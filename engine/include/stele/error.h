// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Every failure of Stele is thrown as stele::Error. Absence (no such document, no such row) is not
// a failure: it is an empty std::optional. The code says what the caller does next; the message
// names the thing, the rule and the cure; `detail` carries figures for programs.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stele {

enum class ErrorCode : std::uint8_t {
  // Run the transaction again (db.write does so by itself for `conflict`).
  conflict,     // another transaction committed first; detail "reason"
  busy,         // a lock or a reader slot was not free in time
  too_old,      // the snapshot was expired to bound the log
  interrupted,  // detail "reason" is "deadline" or "cancel"
  // Put something right first.
  invalid,       // malformed input; detail "reason", often "offset"
  constraint,    // UNIQUE, CHECK, NOT NULL, FOREIGN KEY or a collection's validator
  exists,        // the thing to create is there already
  not_found,     // the thing to change or use is not there
  too_large,     // detail "size" and "limit"
  out_of_range,  // detail "earliest" and "end"
  unsupported,   // known, and not offered
  readonly,      // a write through a snapshot or a read-only database
  aborted,       // the transaction is dead; detail "cause"; begin a new one
  // Operate: the machine or the store needs attention.
  full,             // no space left; nothing was written
  io,               // detail "store", "file", "operation", "errno"
  corrupt,          // damage found; run `stele check`
  version,          // written by another format version or with other backends
  locked,           // another process has the store open; detail "pid" and "program"
  poisoned,         // a write or sync failed earlier (detail "cause"): close and reopen
  closed,           // the database was closed, or this is a forked child
  unknown_outcome,  // the commit may or may not survive; reopening decides
};

/// The code's name as it stands in messages and in `stele exec` answers ("conflict").
std::string_view name(ErrorCode code) noexcept;

class Error : public std::runtime_error {
 public:
  using Detail = std::map<std::string, std::string>;

  Error(ErrorCode code, const std::string& message, Detail detail = {})
      : std::runtime_error(message), code_(code), detail_(std::move(detail)) {}

  ErrorCode code() const noexcept { return code_; }
  std::string message() const { return what(); }
  const Detail& detail() const noexcept { return detail_; }

  /// True for conflict, busy, too_old and interrupted: running the transaction again may succeed.
  bool retryable() const noexcept { return code_ <= ErrorCode::interrupted; }

 private:
  ErrorCode code_;
  Detail detail_;
};

}  // namespace stele
