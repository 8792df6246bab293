// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/vfs.h"

#include "engine/base/error.h"

#include <sqlite3.h>
#include <unistd.h>

#include <string_view>

namespace stele::sqlite {

namespace {

sqlite3_vfs* below = nullptr;

int find(sqlite3_vfs*, const char* path, int flags, int* found) {
  if (flags == SQLITE_ACCESS_EXISTS && std::string_view(path).ends_with("-journal")) {
    *found = 0;
    return SQLITE_OK;
  }
  return below->xAccess(below, path, flags, found);
}

/// A file that cannot be opened for writing is opened for reading, without a word, by SQLite. Where it was descriptors
/// that were short for a moment that would leave a connection that never writes: such a file is opened again.
int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* got) {
  constexpr int attempts = 10;
  for (int attempt = 0;; ++attempt) {
    int opened = flags;
    const int result = below->xOpen(vfs, path, file, flags, &opened);
    const bool only_read = result == SQLITE_OK && (flags & SQLITE_OPEN_READWRITE) && (opened & SQLITE_OPEN_READONLY);
    if (!only_read || attempt == attempts || !path || ::access(path, W_OK) != 0) {
      if (got) *got = opened;
      return result;
    }
    file->pMethods->xClose(file);
  }
}

sqlite3_vfs make() {
  below = sqlite3_vfs_find(nullptr);
  if (!below) fail(ErrorCode::unsupported, "SQLite has no file system on this machine");
  sqlite3_vfs own = *below;  // its functions take what they need from the fields they find here
  own.zName = "stele";
  own.pNext = nullptr;
  own.xAccess = find;
  own.xOpen = open;
  return own;
}

}  // namespace

const char* vfs_name() {
  static sqlite3_vfs own = make();
  static const int registered = sqlite3_vfs_register(&own, 0);
  if (registered != SQLITE_OK) fail(ErrorCode::unsupported, "SQLite does not take the store's file system");
  return own.zName;
}

}  // namespace stele::sqlite
