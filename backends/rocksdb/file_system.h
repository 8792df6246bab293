// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The file system under RocksDB: every byte of every file it writes passes here.
//
// 1. Before each append, before_append is asked (the engine's barrier: nothing of a cross-tier commit
//    reaches a file before the commit itself is durable). "No" is a failure like any other.
// 2. After the first failed append or sync nothing more is written, by any thread to any file.
// 3. RocksDB is never told that its *log* failed: its log writer asserts that nobody uses it after an
//    error, and sync_log runs beside apply, so being told could abort the process. The store asks the
//    Failure after each call instead. Since nothing is written any more, the log on disk is a
//    prefix, and no table or manifest can claim what the log lost.
// 4. Files are written with plain system calls, not by RocksDB's own class, whose constructor asserts
//    that sync_file_range works. FileExists likewise asserts on an errno it does not know.
#pragma once

#include "backends/rocksdb/failure.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace stele::rocks {

/// What the files of one store share with the store.
struct FileGate {
  FileGate(std::function<bool()> barrier, std::function<void(const Error&)> on_failure, bool reads_only)
      : before_append(std::move(barrier)), failure(std::move(on_failure)), read_only(reads_only) {}

  const std::function<bool()> before_append;
  Failure failure;
  const bool read_only;
  std::atomic<std::uint64_t> log_bytes{0};  // in log files written since open and not deleted yet
  std::atomic<bool> lock_refused{false};    // the store's LOCK file is held by somebody
  std::atomic<bool> read_refused{false};    // a file that is there could not be opened for reading
};

std::shared_ptr<rocksdb::FileSystem> make_file_system(std::shared_ptr<FileGate> gate);

}  // namespace stele::rocks
