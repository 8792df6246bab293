// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What RocksDB tells about its background work, kept in atomics that a commit may read. The figures
// may drift a little (a flush may write no file); the store sets them right when they near a limit.
#pragma once

#include "backends/rocksdb/file_system.h"
#include "engine/storage/keyspace.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class EventListener;
}

namespace stele::rocks {

struct KeyspaceLoad {
  std::atomic<std::uint64_t> memory{0};    // estimated bytes in the active memory table
  std::atomic<std::uint32_t> waiting{0};   // sealed memory tables not on disk yet
  std::atomic<std::uint32_t> flushing{0};  // of them, those being written
  std::atomic<std::uint32_t> level0_files{0};
};

using Load = std::array<KeyspaceLoad, storage::keyspace_count>;

/// `path` names the store in errors.
std::shared_ptr<rocksdb::EventListener> make_listener(std::shared_ptr<FileGate> gate, std::shared_ptr<Load> load,
                                                      std::string path);

}  // namespace stele::rocks
