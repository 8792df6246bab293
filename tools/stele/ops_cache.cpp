// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/value.h"
#include "tools/stele/bytes_json.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

std::string bytes_of(const Request& request, std::string_view field) {
  return bytes_from(request, field, request.raw(field));
}

std::string json_of(const std::optional<std::string>& bytes) { return bytes ? bytes_json(*bytes) : "null"; }

std::vector<std::string> keys_of(const Request& request) {
  std::vector<std::string> keys;
  for (const std::string_view json : request.array("keys")) keys.push_back(bytes_from(request, "keys", json));
  return keys;
}

std::int64_t integer(const Request& request, std::string_view field, std::int64_t otherwise) {
  if (!request.has(field)) return otherwise;
  const model::Value value = model::parse(request.raw(field));
  if (!value.is_integer()) request.refuse(field, "must be a 64-bit integer");
  return value.integer();
}

/// Runs `body(Cache)` in the request's transaction, or as one of its own.
template <class Body>
auto in_cache(Session& session, const Request& request, Body&& body) {
  const std::string name = request.name_field("cache");
  if (request.has("tx")) return session.write(request, [&](Transaction& tx) { return body(tx.cache(name)); });
  return body(session.database().cache(name, session.write_options(request)));
}

template <class Body>
auto read_cache(Session& session, const Request& request, Body&& body) {
  const std::string name = request.name_field("cache");
  if (request.has("tx")) return session.read(request, [&](const Snapshot& at) { return body(at.cache(name)); });
  return body(static_cast<const CacheReader&>(session.database().cache(name, session.write_options(request))));
}

void create_cache(Session& session, const Request& request, Answer&) {
  const CacheOptions options{request.boolean("memory", false), request.number("max_bytes"), request.number("max_keys")};
  in_cache(session, request, [&](Cache cache) { cache.create(options); });
}

void drop_cache(Session& session, const Request& request, Answer& answer) {
  answer.add_boolean("dropped", in_cache(session, request, [](Cache cache) { return cache.drop(); }));
}

std::chrono::milliseconds seconds(const Request& request, std::string_view field) {
  std::int64_t ms = 0;
  if (__builtin_mul_overflow(integer(request, field, 0), std::int64_t{1000}, &ms))
    request.refuse(field, "is too large");
  return std::chrono::milliseconds(ms);
}

void cache_set(Session& session, const Request& request, Answer& answer) {
  SetOptions options;
  if (request.has("ex")) options.ttl = seconds(request, "ex");
  if (request.has("px")) {
    if (options.ttl) request.refuse("px", "excludes \"ex\"");
    options.ttl = std::chrono::milliseconds(integer(request, "px", 0));
  }
  if (request.has("exat")) {
    std::int64_t us = 0;
    if (__builtin_mul_overflow(integer(request, "exat", 0), std::int64_t{1'000'000}, &us))
      request.refuse("exat", "is too large");
    options.expire_at = Timestamp(std::chrono::microseconds(us));
  }
  options.keep_ttl = request.boolean("keepttl", false);
  const bool absent = request.boolean("nx", false);
  const bool present = request.boolean("xx", false);
  if (absent && present) request.refuse("nx", "excludes \"xx\"");
  if (absent) options.when = SetIf::absent;
  if (present) options.when = SetIf::present;
  options.get = request.boolean("get", false);
  const std::string key = bytes_of(request, "key");
  const std::string value = bytes_of(request, "value");
  const SetResult result = in_cache(session, request, [&](Cache cache) { return cache.set(key, value, options); });
  answer.add_boolean("set", result.set);
  if (options.get) answer.add_json("value", json_of(result.previous));
}

void cache_get(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  answer.add_json("value",
                  json_of(read_cache(session, request, [&](const CacheReader& cache) { return cache.get(key); })));
}

void cache_mget(Session& session, const Request& request, Answer& answer) {
  const auto keys = keys_of(request);
  JsonArray values;
  for (const auto& value : read_cache(session, request, [&](const CacheReader& cache) { return cache.mget(keys); }))
    values.add(json_of(value));
  answer.add_json("values", std::move(values).str());
}

void cache_getset(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  const std::string value = bytes_of(request, "value");
  answer.add_json("value", json_of(in_cache(session, request, [&](Cache cache) { return cache.getset(key, value); })));
}

void cache_del(Session& session, const Request& request, Answer& answer) {
  std::vector<std::string> keys;
  if (request.has("keys")) keys = keys_of(request);
  if (request.has("key")) keys.push_back(bytes_of(request, "key"));
  answer.add("deleted", in_cache(session, request, [&](Cache cache) { return cache.del(keys); }));
}

void cache_ttl(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  read_cache(session, request, [&](const CacheReader& cache) {
    answer.add_signed("ttl", cache.ttl(key));
    answer.add_signed("pttl", cache.pttl(key));
    return 0;
  });
}

void cache_expire(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  if (request.has("ex") == request.has("px"))
    request.refuse("ex", "or \"px\" must be given, not both: seconds or milliseconds to live");
  const auto time = request.has("ex") ? seconds(request, "ex") : std::chrono::milliseconds(integer(request, "px", 0));
  ExpireIf when = ExpireIf::always;
  int conditions = 0;
  const auto condition = [&](std::string_view field, ExpireIf value) {
    if (!request.boolean(field, false)) return;
    when = value;
    ++conditions;
  };
  condition("nx", ExpireIf::none);
  condition("xx", ExpireIf::some);
  condition("gt", ExpireIf::greater);
  condition("lt", ExpireIf::less);
  if (conditions > 1) request.refuse("nx", ", \"xx\", \"gt\" and \"lt\" exclude each other");
  answer.add_boolean("set", in_cache(session, request, [&](Cache cache) { return cache.expire(key, time, when); }));
}

void cache_persist(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  answer.add_boolean("set", in_cache(session, request, [&](Cache cache) { return cache.persist(key); }));
}

void cache_incr(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  const std::int64_t by = integer(request, "by", 1);
  answer.add_signed("value", in_cache(session, request, [&](Cache cache) { return cache.incr(key, by); }));
}

void cache_incrbyfloat(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  const model::Value by = model::parse(request.raw("by"));
  if (!by.is_number()) request.refuse("by", "must be a number");
  const double sum = in_cache(session, request, [&](Cache cache) { return cache.incrbyfloat(key, by.number()); });
  answer.add_json("value", text(sum));
}

void cache_scan(Session& session, const Request& request, Answer& answer) {
  const std::string cursor = request.has("cursor") ? bytes_of(request, "cursor") : "";
  const std::size_t count = request.number("count").value_or(1000);
  const ScanResult result =
      read_cache(session, request, [&](const CacheReader& cache) { return cache.scan(cursor, count); });
  JsonArray keys;
  for (const std::string& key : result.keys) keys.add(bytes_json(key));
  answer.add_json("keys", std::move(keys).str());
  answer.add_json("cursor", bytes_json(result.cursor));
}

void cache_flush(Session& session, const Request& request, Answer&) {
  in_cache(session, request, [](Cache cache) { cache.flush(); });
}

void throttle(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  ThrottleOptions options;
  options.max_burst = request.number("max_burst").value_or(0);
  options.count = request.number("count").value_or(1);
  options.period = std::chrono::milliseconds(request.number("period_ms").value_or(1000));
  options.quantity = request.number("quantity").value_or(1);
  const ThrottleResult result = in_cache(session, request, [&](Cache cache) { return cache.throttle(key, options); });
  answer.add_boolean("limited", result.limited);
  answer.add("limit", result.limit);
  answer.add("remaining", result.remaining);
  answer.add_signed("retry_after_us", result.retry_after ? result.retry_after->count() : -1);
  answer.add_signed("reset_after_us", result.reset_after.count());
}

void cache_count(Session& session, const Request& request, Answer& answer) {
  const std::string key = bytes_of(request, "key");
  WindowLimit limit;
  limit.max = request.number("max").value_or(1);
  limit.window = std::chrono::milliseconds(request.number("window_ms").value_or(60'000));
  limit.sliding = request.boolean("sliding", false);
  limit.quantity = request.number("quantity").value_or(1);
  const WindowResult result = in_cache(session, request, [&](Cache cache) { return cache.count(key, limit); });
  answer.add_boolean("limited", result.limited);
  answer.add("count", result.count);
  answer.add("remaining", result.remaining);
  answer.add_signed("reset_after_us", result.reset_after.count());
}

void caches(Session& session, const Request& request, Answer& answer) {
  answer.add_texts("caches", session.read(request, [](const Snapshot& at) { return at.caches(); }));
}

}  // namespace

std::span<const Operation> cache_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"cache_set",
       may,
       true,
       {"cache", "key", "value", "ex", "px", "exat", "keepttl", "nx", "xx", "get"},
       {},
       R"({"op":"cache_set","cache":"sessions","key":"ada","value":"token","ex":3600,"nx":true})",
       cache_set},
      {"cache_get",
       may,
       false,
       {"cache", "key"},
       {},
       R"({"op":"cache_get","cache":"sessions","key":"ada"})",
       cache_get},
      {"cache_mget",
       may,
       false,
       {"cache", "keys"},
       {},
       R"({"op":"cache_mget","cache":"sessions","keys":["ada","bob"]})",
       cache_mget},
      {"cache_getset",
       may,
       true,
       {"cache", "key", "value"},
       {},
       R"({"op":"cache_getset","cache":"sessions","key":"ada","value":"t2"})",
       cache_getset},
      {"cache_del",
       may,
       true,
       {"cache", "key", "keys"},
       {},
       R"({"op":"cache_del","cache":"sessions","keys":["ada","bob"]})",
       cache_del},
      {"cache_ttl",
       may,
       false,
       {"cache", "key"},
       {},
       R"({"op":"cache_ttl","cache":"sessions","key":"ada"})",
       cache_ttl},
      {"cache_expire",
       may,
       true,
       {"cache", "key", "ex", "px", "nx", "xx", "gt", "lt"},
       {},
       R"({"op":"cache_expire","cache":"sessions","key":"ada","ex":60})",
       cache_expire},
      {"cache_persist",
       may,
       true,
       {"cache", "key"},
       {},
       R"({"op":"cache_persist","cache":"sessions","key":"ada"})",
       cache_persist},
      {"cache_incr",
       may,
       true,
       {"cache", "key", "by"},
       {},
       R"({"op":"cache_incr","cache":"counters","key":"hits","by":1})",
       cache_incr},
      {"cache_incrbyfloat",
       may,
       true,
       {"cache", "key", "by"},
       {},
       R"({"op":"cache_incrbyfloat","cache":"counters","key":"sum","by":0.5})",
       cache_incrbyfloat},
      {"cache_scan",
       may,
       false,
       {"cache", "cursor", "count"},
       {},
       R"({"op":"cache_scan","cache":"sessions","count":100})",
       cache_scan},
      {"cache_flush", may, true, {"cache"}, {}, R"({"op":"cache_flush","cache":"sessions"})", cache_flush},
      {"throttle",
       may,
       true,
       {"cache", "key", "max_burst", "count", "period_ms", "quantity"},
       {},
       R"({"op":"throttle","cache":"limits","key":"ada","max_burst":10,"count":5,"period_ms":1000})",
       throttle},
      {"cache_count",
       may,
       true,
       {"cache", "key", "max", "window_ms", "sliding", "quantity"},
       {},
       R"({"op":"cache_count","cache":"limits","key":"bob","max":100,"window_ms":60000,"sliding":true})",
       cache_count},
      {"create_cache",
       may,
       true,
       {"cache", "memory", "max_bytes", "max_keys"},
       {},
       R"({"op":"create_cache","cache":"hot","memory":true,"max_bytes":100000000})",
       create_cache},
      {"drop_cache", may, true, {"cache"}, {}, R"({"op":"drop_cache","cache":"hot"})", drop_cache},
      {"caches", may, false, {}, {}, R"({"op":"caches"})", caches},
  };
  return operations;
}

}  // namespace stele::tool
