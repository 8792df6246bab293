// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// RocksDB's info log, thrown away: its failures come as statuses and events. RocksDB built with
// assertions aborts the process when it cannot write its own LOG file (a full disk is enough), and
// given no logger it makes that file.
#pragma once

#include <memory>

namespace rocksdb {
class Logger;
}

namespace stele::rocks {

std::shared_ptr<rocksdb::Logger> make_logger();

}  // namespace stele::rocks
