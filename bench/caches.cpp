// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/caches.h"

#include "bench/peers.h"
#include "bench/redis.h"

#include <stele/stele.h>

#include <chrono>
#include <filesystem>
#include <memory>

namespace stele::bench {

namespace {
constexpr int cache_keys = 100'000;
std::string cache_key(int number) { return "session:" + std::to_string(number); }
}  // namespace

Figures run_cache(const std::string& directory, double seconds, int threads, bool memory, CacheVerb verb) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  Database db = Database::open(directory + "/db");
  if (memory) db.cache("c").create({.memory = true});
  const std::string value(100, 'v');
  Cache fill = db.cache("c");
  for (int i = 0; i < cache_keys; ++i) fill.set(cache_key(i), value, {.ttl = std::chrono::minutes(1)});
  return run_for(seconds, threads, [&](Random& random) {
    thread_local std::unique_ptr<Cache> cache;
    thread_local const Database* of = nullptr;
    if (of != &db) cache = std::make_unique<Cache>(db.cache("c"));
    of = &db;
    for (int i = 0; i < 100; ++i) {  // a hundred a time: the clock is not to be measured
      const std::string key = cache_key(random.below(cache_keys));
      switch (verb) {
        case CacheVerb::get: cache->get(key); break;
        case CacheVerb::set: cache->set(key, value, {.ttl = std::chrono::minutes(1)}); break;
        case CacheVerb::throttle: cache->throttle("t" + key, {.max_burst = 10, .count = 5}); break;
      }
    }
    return 0;
  });
}

Figures run_rocksdb_cache(const std::string& directory, double seconds, int threads, CacheVerb verb) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const auto db = open_rocksdb(directory + "/rocks");
  const std::string value(108, 'v');
  for (int i = 0; i < cache_keys; ++i) check(db->Put({}, cache_key(i), value));
  return run_for(seconds, threads, [&](Random& random) {
    std::string found;
    for (int i = 0; i < 100; ++i) {
      const std::string key = cache_key(random.below(cache_keys));
      check(verb == CacheVerb::get ? db->Get({}, key, &found) : db->Put({}, key, value));
    }
    return 0;
  });
}

Figures run_sqlite_cache(double seconds, CacheVerb verb) {
  Sqlite sqlite(":memory:");
  sqlite.execute("CREATE TABLE cache(key TEXT PRIMARY KEY, value TEXT, expires INTEGER) WITHOUT ROWID");
  sqlite3_stmt* set = sqlite.prepare("INSERT OR REPLACE INTO cache(expires, key, value) VALUES(?1, ?2, ?3)");
  sqlite3_stmt* get = sqlite.prepare("SELECT value FROM cache WHERE expires > ?1 AND key = ?2");
  const std::string value(100, 'v');
  for (int i = 0; i < cache_keys; ++i) sqlite.run(set, 60, cache_key(i), value);
  return run_for(seconds, 1, [&](Random& random) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = cache_key(random.below(cache_keys));
      if (verb == CacheVerb::get) {
        sqlite.run(get, 1, key);
        sqlite3_reset(get);
      } else {
        sqlite.run(set, 60, key, value);
      }
    }
    return 0;
  });
}

Figures run_redis(const Redis& redis, double seconds, int clients, int at_once, CacheVerb verb) {
  const std::string value(100, 'v');
  {
    RedisClient fill(redis);
    for (int i = 0; i < cache_keys; ++i) fill.add({"SET", cache_key(i), value, "EX", "60"});
    fill.finish();
  }
  RedisClient loader(redis);
  const std::string script = verb == CacheVerb::throttle ? loader.load_script(redis_throttle) : "";
  return run_for(seconds, clients, [&](Random& random) {
    thread_local std::unique_ptr<RedisClient> client;
    if (!client || !client->is_of(redis)) client = std::make_unique<RedisClient>(redis);
    for (int i = 0; i < 100; ++i) {
      const std::string key = cache_key(random.below(cache_keys));
      switch (verb) {
        case CacheVerb::get: client->add({"GET", key}); break;
        case CacheVerb::set: client->add({"SET", key, value, "EX", "60"}); break;
        case CacheVerb::throttle: client->add({"EVALSHA", script, "1", "t" + key, "200000", "2200000"}); break;
      }
      if ((i + 1) % at_once == 0) client->finish();
    }
    return 0;
  });
}

}  // namespace stele::bench
