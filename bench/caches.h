// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/workload.h"

#include <string>

namespace stele::bench {

class Redis;

/// Caches of 100,000 keys with values of 100 bytes that live for a minute.
enum class CacheVerb { get, set, throttle };
Figures run_cache(const std::string& directory, double seconds, int threads, bool memory, CacheVerb verb);
Figures run_rocksdb_cache(const std::string& directory, double seconds, int threads, CacheVerb verb);
/// A table in memory, one connection a thread cannot share: one thread.
Figures run_sqlite_cache(double seconds, CacheVerb verb);
/// Over loopback, without persistence; `at_once` commands are sent before their answers are read. Throttle is GCRA in
/// a script.
Figures run_redis(const Redis& redis, double seconds, int clients, int at_once, CacheVerb verb);

}  // namespace stele::bench
