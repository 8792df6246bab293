// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// File operations of a process, caught before libc. interpose.cpp defines libc's names (open, write, rename …) and
// hands every call on a path below STELE_SHIM_DIR to one function, handle(), which trace_shim.cpp and fault_shim.cpp
// define: one shared object each, loaded with LD_PRELOAD. The -shm file is left out: SQLite rebuilds it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace stele::shim {

enum class Operation { open, read, write, sync, truncate, allocate, rename, unlink, mkdir, rmdir };

const char* name(Operation operation);

/// One call. What a field means follows from the operation; paths are absolute.
struct Call {
  Operation operation;
  std::string path{};   // of the file or directory concerned
  std::string other{};  // rename: the new path
  int fd = -1;
  int flags = 0;  // open, allocate (mode)
  mode_t mode = 0;
  const void* data = nullptr;
  void* buffer = nullptr;
  std::size_t size = 0;
  off_t offset = 0;
  bool positioned = false;  // pread, pwrite
  long (*real)(Call&) = nullptr;

  /// What libc would have done. Sets errno.
  long perform() { return real(*this); }
};

/// Performs the call, or not. Returns what the caller of libc gets; errno is set by then.
long handle(Call& call);

/// A number for an open file below the directory, never given twice in a process; 0 for any other descriptor.
std::uint32_t handle_of(int fd);

/// The next definition of a libc function.
void* next(const char* symbol);

}  // namespace stele::shim
