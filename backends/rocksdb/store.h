// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/rocksdb/file_system.h"
#include "backends/rocksdb/listener.h"
#include "backends/rocksdb/options.h"
#include "engine/storage/key_value.h"

#include <memory>
#include <string>
#include <vector>

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Logger;
}  // namespace rocksdb

namespace stele::rocks {

/// An open RocksDB with all that it refers to; the store takes it over.
struct Opened {
  std::string path;
  bool read_only = false;
  Sizing sizing;
  std::shared_ptr<FileGate> gate;
  std::shared_ptr<Load> load;
  std::shared_ptr<rocksdb::Logger> logger;
  std::shared_ptr<rocksdb::Env> env;
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> families;  // "default", then one for each keyspace
};

std::unique_ptr<storage::KeyValueStore> make_store(Opened opened);

}  // namespace stele::rocks
