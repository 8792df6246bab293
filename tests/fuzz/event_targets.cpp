// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/bytes.h"
#include "engine/cache/verbs.h"
#include "engine/events/group_records.h"
#include "engine/events/layout.h"
#include "engine/events/settings.h"
#include "tests/fuzz/fuzz.h"

#include <chrono>

namespace stele::fuzz {

namespace {

template <class Record>
void comes_back(std::string_view bytes, std::string_view what) {
  Record record;
  if (!events::decode(bytes, record)) return;
  Record again;
  const std::string encoded = events::encode(record);
  must(events::decode(encoded, again) && events::encode(again) == encoded, what, " differs when written again");
}

void stream_records(std::string_view bytes) {
  comes_back<events::State>(bytes, "a state");
  comes_back<events::Segment>(bytes, "a segment");
  comes_back<events::OffsetEntry>(bytes, "an offset's entry");
  std::int64_t time = 0;
  std::uint64_t offset = 0;
  if (!events::read_data_suffix(bytes, time, offset)) return;
  std::string suffix;
  events::append_data_suffix(suffix, time, offset);
  must(bytes.ends_with(suffix), "a data key's end differs");
}

void group_records(std::string_view bytes) {
  comes_back<events::GroupRecord>(bytes, "a group");
  comes_back<events::MemberRecord>(bytes, "a member");
  comes_back<events::PendingRecord>(bytes, "a claim");
  must(events::unescaped(bytes).size() <= bytes.size(), "a name grew");
}

/// The first line says which aggregates, the rest is a row of them.
void window_row(std::string_view input) {
  const auto [json, row] = lines<2>(input);
  std::vector<events::Aggregate> aggregates;
  if (!accepted([&] { aggregates = events::parse_aggregates(json); })) return;
  events::Totals totals(aggregates);
  if (!totals.decode(aggregates, row)) return;
  json::minify(totals.values(aggregates), limits, "the values of a row");
  std::string once, again;
  totals.encode(aggregates, once);
  events::Totals back(aggregates);
  must(back.decode(aggregates, once), "a row that was read cannot be read when it is written again");
  back.encode(aggregates, again);
  must(again == once, "a row differs when it is written again");
  totals.merge(aggregates, back);
  totals.values(aggregates);
}

void stream_settings(std::string_view input) {
  std::string json;
  if (!accepted([&] { json = json::minify(input, limits, "settings"); })) return;
  try {
    const std::string written = events::to_json(events::parse_settings(json));
    must(events::to_json(events::parse_settings(written)) == written, "settings differ when written again");
  } catch (const Error& error) {
    must(error.code() == ErrorCode::corrupt, "not the code of damage: ", error.message());
  }
}

/// One key with a value from outside.
class OneValue final : public cache::Table {
 public:
  explicit OneValue(std::string_view value) : entry_(cache::Entry{std::string(value)}) {}
  std::int64_t now() override { return 1'800'000'000'000'000; }
  bool read(std::string_view, cache::Entry& entry) override {
    if (entry_) entry = *entry_;
    return entry_.has_value();
  }
  void update(std::string_view, cache::Change change) override {
    auto copy = entry_;
    if (change(copy)) entry_ = std::move(copy);
  }
  void write(std::string_view, std::optional<cache::Entry> entry) override { entry_ = std::move(entry); }
  std::string scan(std::string_view, std::size_t, std::vector<std::string>&) override { return {}; }
  void flush() override {}

 private:
  std::optional<cache::Entry> entry_;
};

void cache_value(std::string_view bytes) {
  const auto with = [&](auto&& verb) {
    OneValue table(bytes);
    accepted([&] { verb(cache::Verbs(table, "c")); });
  };
  with([](const cache::Verbs& verbs) { verbs.incr("k", 1); });
  with([](const cache::Verbs& verbs) { verbs.incrbyfloat("k", 0.5); });
  with([](const cache::Verbs& verbs) {
    const ThrottleResult result = verbs.throttle("k", {.max_burst = 10, .count = 5});
    must(result.remaining <= result.limit, "more is left than there is");
    must(result.reset_after.count() >= 0, "full before now");
    must(!result.limited || result.retry_after, "limited for ever");
  });
  for (const bool sliding : {false, true})
    with([&](const cache::Verbs& verbs) {
      const WindowResult result = verbs.count("k", {.max = 100, .window = std::chrono::minutes(1), .sliding = sliding});
      must(result.limited || result.count <= 100, "not limited above the maximum");
    });
}

}  // namespace

std::span<const Target> event_targets() {
  static constexpr Target targets[] = {{"stream_records", stream_records},
                                       {"group_records", group_records},
                                       {"window_row", window_row},
                                       {"stream_settings", stream_settings},
                                       {"cache_value", cache_value}};
  return targets;
}

}  // namespace stele::fuzz
