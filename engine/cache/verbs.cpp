// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/verbs.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace stele::cache {

namespace {

constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365 * 100);

template <class Number>
std::string printed(Number number) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

}  // namespace

void Verbs::refuse(ErrorCode code, std::string_view key, std::string_view what, std::string_view reason) const {
  std::string shown;
  json::append_quoted(shown, key.substr(0, 60));
  fail(code, text("cache \"", cache_, "\", key ", shown, ": ", what), {{"reason", std::string(reason)}});
}

void Verbs::check_key(std::string_view key) const {
  if (key.size() <= cache_key_bytes_max) return;
  refuse(ErrorCode::too_large, key, text("it has ", key.size(), " bytes; the limit is ", cache_key_bytes_max),
         "KeyTooLarge");
}

std::optional<std::string> Verbs::get(std::string_view key) const {
  check_key(key);
  Entry entry;
  if (!table_.read(key, entry)) return std::nullopt;
  return std::move(entry.value);
}

std::int64_t Verbs::pttl(std::string_view key) const {
  check_key(key);
  Entry entry;
  if (!table_.read(key, entry)) return -2;
  return entry.expires == never ? -1 : (entry.expires - table_.now() + 999) / 1000;
}

SetResult Verbs::set(std::string_view key, std::string_view value, const SetOptions& options) const {
  check_key(key);
  if (options.ttl.has_value() + options.expire_at.has_value() + options.keep_ttl > 1)
    refuse(ErrorCode::invalid, key, "ttl, expire_at and keep_ttl exclude each other", "InvalidExpiry");
  if (options.ttl && (options.ttl->count() <= 0 || *options.ttl > longest))
    refuse(ErrorCode::invalid, key,
           text("a time to live of ", options.ttl->count(), " ms; give more than 0 and at most 100 years"),
           "InvalidExpiry");
  if (options.expire_at && options.expire_at->time_since_epoch().count() <= 0)
    refuse(ErrorCode::invalid, key, "it would expire before 1970", "InvalidExpiry");
  std::int64_t expires = never;
  if (options.ttl) expires = table_.now() + static_cast<std::int64_t>(options.ttl->count()) * 1000;
  if (options.expire_at) expires = options.expire_at->time_since_epoch().count();
  SetResult result;
  if (options.when == SetIf::always && !options.keep_ttl && !options.get) {
    table_.write(key, Entry{std::string(value), expires});
    result.set = true;
    return result;
  }
  auto change = [&](std::optional<Entry>& entry) {
    if (entry && options.get) result.previous = entry->value;
    result.set = options.when == SetIf::always || (options.when == SetIf::present) == entry.has_value();
    if (!result.set) return false;
    if (options.keep_ttl && entry) expires = entry->expires;
    if (!entry) entry.emplace();
    entry->value.assign(value);
    entry->expires = expires;
    return true;
  };
  table_.update(key, change);
  return result;
}

bool Verbs::del(std::string_view key) const {
  check_key(key);
  bool there = false;
  auto change = [&](std::optional<Entry>& entry) {
    there = entry.has_value();
    entry.reset();
    return there;
  };
  table_.update(key, change);
  return there;
}

bool Verbs::set_expiry(std::string_view key, std::int64_t expires, ExpireIf when) const {
  check_key(key);
  bool set = false;
  auto change = [&](std::optional<Entry>& entry) {
    if (!entry) return false;
    switch (when) {
      case ExpireIf::always: set = true; break;
      case ExpireIf::none: set = entry->expires == never; break;
      case ExpireIf::some: set = entry->expires != never; break;
      case ExpireIf::greater: set = expires > entry->expires; break;
      case ExpireIf::less: set = expires < entry->expires; break;
    }
    if (!set) return false;
    entry->expires = expires;
    if (!entry->live(table_.now())) entry.reset();
    return true;
  };
  table_.update(key, change);
  return set;
}

bool Verbs::expire(std::string_view key, std::chrono::milliseconds ttl, ExpireIf when) const {
  if (ttl > longest || ttl < -longest)
    refuse(ErrorCode::invalid, key, text("a time to live of ", ttl.count(), " ms; give at most 100 years"),
           "InvalidExpiry");
  return set_expiry(key, table_.now() + static_cast<std::int64_t>(ttl.count()) * 1000, when);
}

bool Verbs::expire_at(std::string_view key, Timestamp at, ExpireIf when) const {
  return set_expiry(key, std::min<std::int64_t>(at.time_since_epoch().count(), never - 1), when);
}

bool Verbs::persist(std::string_view key) const {
  check_key(key);
  bool had = false;
  auto change = [&](std::optional<Entry>& entry) {
    had = entry && entry->expires != never;
    if (had) entry->expires = never;
    return had;
  };
  table_.update(key, change);
  return had;
}

std::int64_t Verbs::incr(std::string_view key, std::int64_t by) const {
  check_key(key);
  std::int64_t sum = 0;
  auto change = [&](std::optional<Entry>& entry) {
    std::int64_t value = 0;
    if (entry && !parse(entry->value, value))
      refuse(ErrorCode::invalid, key, "its value is not a 64-bit integer", "NotInteger");
    if (__builtin_add_overflow(value, by, &sum))
      refuse(ErrorCode::out_of_range, key, text(value, " and ", by, " are no 64-bit integer together"), "Overflow");
    if (!entry) entry.emplace();
    entry->value = printed(sum);
    return true;
  };
  table_.update(key, change);
  return sum;
}

double Verbs::incrbyfloat(std::string_view key, double by) const {
  check_key(key);
  if (!std::isfinite(by)) refuse(ErrorCode::invalid, key, "an increment must be a finite number", "NotFinite");
  double sum = 0;
  auto change = [&](std::optional<Entry>& entry) {
    double value = 0;
    if (entry && (!parse(entry->value, value) || !std::isfinite(value)))
      refuse(ErrorCode::invalid, key, "its value is not a finite number", "NotNumber");
    sum = value + by;
    if (!std::isfinite(sum)) refuse(ErrorCode::out_of_range, key, "the sum is not finite", "Overflow");
    if (!entry) entry.emplace();
    entry->value = printed(sum);
    return true;
  };
  table_.update(key, change);
  return sum;
}

ThrottleResult Verbs::throttle(std::string_view key, const ThrottleOptions& options) const {
  check_key(key);
  constexpr std::uint64_t most = 1'000'000'000;
  constexpr auto period_max = std::chrono::milliseconds(std::chrono::hours(24 * 366));
  if (options.count < 1 || options.count > most || options.max_burst > most || options.quantity > most ||
      options.period.count() < 1 || options.period > period_max)
    refuse(ErrorCode::invalid, key,
           "throttle takes a count of 1 to 1,000,000,000, a burst and a quantity up to that, and a period of 1 ms to a "
           "year",
           "InvalidThrottle");
  // In ns; what would not fit is beyond every use: 73 years, and the year 2116.
  const auto capped = [](__int128 ns) {
    return static_cast<std::int64_t>(std::min<__int128>(ns, std::int64_t{1} << 61));
  };
  constexpr std::int64_t latest = std::int64_t{1} << 62;
  const std::int64_t emission =
      std::max<std::int64_t>(options.period.count() * 1'000'000 / static_cast<std::int64_t>(options.count), 1);
  const std::int64_t tolerance = capped(static_cast<__int128>(emission) * (options.max_burst + 1));
  const std::int64_t increment = capped(static_cast<__int128>(emission) * options.quantity);
  ThrottleResult result;
  result.limit = options.max_burst + 1;
  std::int64_t full_in = 0;
  auto change = [&](std::optional<Entry>& entry) {
    const std::int64_t now = table_.now() * 1000;
    std::int64_t arrival = now;
    if (entry) {
      if (entry->value.size() != sizeof arrival)
        refuse(ErrorCode::invalid, key, "its value is not one of throttle", "NotThrottle");
      ByteReader(entry->value).fixed(arrival);
      arrival = std::max(std::min(arrival, latest), now);
    }
    const auto next = static_cast<std::int64_t>(std::min<__int128>(static_cast<__int128>(arrival) + increment, latest));
    const std::int64_t wait = next - tolerance - now;
    full_in = arrival - now;
    result.limited = wait > 0;
    if (result.limited) {
      if (increment <= tolerance) result.retry_after = std::chrono::microseconds((wait + 999) / 1000);
      return false;
    }
    full_in = next - now;
    if (options.quantity == 0) return false;
    if (!entry) entry.emplace();
    entry->value.clear();
    append_fixed(entry->value, next);
    entry->expires = next / 1000 + 1;
    return true;
  };
  table_.update(key, change);
  result.remaining = full_in >= tolerance ? 0 : static_cast<std::uint64_t>((tolerance - full_in) / emission);
  result.reset_after = std::chrono::microseconds((full_in + 999) / 1000);
  return result;
}

WindowResult Verbs::count(std::string_view key, const WindowLimit& limit) const {
  check_key(key);
  constexpr std::uint64_t most = 1ull << 53;
  if (limit.window.count() < 1 || limit.window > std::chrono::hours(24 * 366) || limit.max > most ||
      limit.quantity > most)
    refuse(ErrorCode::invalid, key, "count takes a window of 1 ms to a year, a maximum and a quantity up to 2^53",
           "InvalidWindow");
  WindowResult result;
  auto change = [&](std::optional<Entry>& entry) {
    const std::int64_t now = table_.now();
    const std::int64_t width = limit.window.count() * 1000;
    const std::int64_t window = now / width;
    std::int64_t at = window;
    std::uint64_t in_window = 0;
    std::uint64_t before = 0;
    if (entry) {
      ByteReader reader(entry->value);
      if (!reader.fixed(at) || !reader.fixed(in_window) || !reader.fixed(before) || !reader.empty() ||
          in_window > most || before > most)
        refuse(ErrorCode::invalid, key, "its value is not one of count", "NotCount");
    }
    if (at != window) {
      before = at == window - 1 ? in_window : 0;
      in_window = 0;
    }
    const double passed = static_cast<double>(now - window * width) / static_cast<double>(width);
    const std::uint64_t carried =
        limit.sliding ? static_cast<std::uint64_t>(std::ceil(static_cast<double>(before) * (1 - passed))) : 0;
    result.count = carried + in_window;
    result.limited = result.count + limit.quantity > limit.max;
    result.reset_after = std::chrono::microseconds((window + 1) * width - now);
    if (!result.limited) result.count += limit.quantity;
    result.remaining = limit.max - std::min(result.count, limit.max);
    if (result.limited) return false;
    if (!entry) entry.emplace();
    entry->value.clear();
    append_fixed(entry->value, window);
    append_fixed(entry->value, in_window + limit.quantity);
    append_fixed(entry->value, before);
    entry->expires = (window + (limit.sliding ? 2 : 1)) * width;
    return true;
  };
  table_.update(key, change);
  return result;
}

}  // namespace stele::cache
