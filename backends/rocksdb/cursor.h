// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/key_value.h"

#include <memory>
#include <string>

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
struct ReadOptions;
}  // namespace rocksdb

namespace stele::rocks {

/// `path` names the store in errors.
std::unique_ptr<storage::Cursor> make_cursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                             const rocksdb::ReadOptions& options, storage::KeyRange range,
                                             const std::string& path);

}  // namespace stele::rocks
