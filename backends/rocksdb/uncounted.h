// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/perf_level.h>

namespace stele::rocks {

/// Nobody reads RocksDB's counters of this thread meanwhile: it counts every comparison of keys, which takes a
/// twentieth of a read. The program may use RocksDB, too, and finds the level as it was.
class Uncounted {
 public:
  Uncounted() : level_(rocksdb::GetPerfLevel()) { rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable); }
  ~Uncounted() { rocksdb::SetPerfLevel(level_); }
  Uncounted(const Uncounted&) = delete;

 private:
  const rocksdb::PerfLevel level_;
};

}  // namespace stele::rocks
