// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/vfs.h"

#include "engine/base/error.h"

#include <sqlite3.h>

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

sqlite3_vfs make() {
  below = sqlite3_vfs_find(nullptr);
  if (!below) fail(ErrorCode::unsupported, "SQLite has no file system on this machine");
  sqlite3_vfs own = *below;  // its functions take what they need from the fields they find here
  own.zName = "stele";
  own.pNext = nullptr;
  own.xAccess = find;
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
