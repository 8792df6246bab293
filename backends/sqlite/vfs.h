// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace stele::sqlite {

/// The name of SQLite's own file system, but in which no rollback journal is ever found. A store's file has a
/// write-ahead log; a journal beside it is another file's or another program's, and SQLite would play it back into the
/// database. And a file that may be written is never opened for reading only because descriptors were short.
const char* vfs_name();

}  // namespace stele::sqlite
