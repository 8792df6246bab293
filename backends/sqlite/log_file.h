// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/files.h"

#include <cstdint>
#include <string>

namespace stele::sqlite {

/// A descriptor of our own on SQLite's -wal file, to sync it beside a running writer. SQLite keeps
/// no POSIX locks on that file; on the main file or -shm, closing a descriptor would drop them.
/// One descriptor for the whole session: an error is told once to each that was open before it.
class LogFile {
 public:
  explicit LogFile(std::string path);

  void sync() const;  // any thread
  std::uint64_t bytes() const;
  /// Throws io when the path no longer leads to this file: the syncs went elsewhere.
  void check_not_replaced() const;

 private:
  std::string path_;
  File file_;
};

}  // namespace stele::sqlite
