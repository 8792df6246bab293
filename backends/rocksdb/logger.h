// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// RocksDB's info log, kept in memory. RocksDB built with assertions aborts the process when it
// cannot write its own LOG file (a full disk is enough), so there must be none.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace rocksdb {
class Logger;
}

namespace stele::rocks {

std::shared_ptr<rocksdb::Logger> make_logger();

/// The last warnings and errors (at most 200), oldest first.
std::vector<std::string> lines(const rocksdb::Logger& logger);

}  // namespace stele::rocks
