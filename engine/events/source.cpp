// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/source.h"

#include "engine/base/error.h"
#include "engine/base/utf8.h"
#include "engine/events/streams.h"
#include "engine/model/extended_json.h"
#include "engine/pipeline/needs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace stele::events {
namespace {

using model::Condition;
using pipeline::Opened;
using pipeline::Request;
using storage::Keyspace;
using transaction::Reader;

constexpr std::uint64_t part_events_least = 8192;  // before another thread is worth its making

/// Which members anybody looks at.
struct Members {
  bool offset = true, time = true, key = true, data = true;

  static Members of(const Request& request) {
    if (!request.paths) return {};
    pipeline::Needs needs = pipeline::Needs::nothing();
    needs.add(request.filter.root());
    for (const std::string& path : *request.paths) needs.add(path);
    if (needs.is_all()) return {};
    const auto wanted = [&](std::string_view name) {
      return std::ranges::any_of(needs.paths(), [&](const auto& path) { return pipeline::begins_path(name, path); });
    };
    return {wanted("offset"), wanted("time"), wanted("key"), wanted("data")};
  }
};

/// Events as documents' texts.
class EventText {
 public:
  explicit EventText(Members members) : members_(members) {}

  std::string_view of(const Event& event) {
    text_ = "{";
    if (members_.offset) {
      begin("offset");
      event.offset ? append_number(*event.offset) : void(text_ += "null");
    }
    if (members_.time) {
      begin("time");
      append_time(event.time.time_since_epoch().count());
    }
    if (members_.key) {
      begin("key");
      if (is_utf8(event.key))
        json::append_quoted(text_, event.key);
      else
        model::append_extended_json(text_, model::Binary{0, event.key});
    }
    if (members_.data) {
      begin("data");
      text_ += event.data;
    }
    text_ += '}';
    return text_;
  }

 private:
  void begin(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    text_ += '"';
    text_ += name;
    text_ += "\":";
  }

  void append_number(std::uint64_t number) {
    char digits[20];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }

  void append_padded(std::int64_t number, int digits) {
    char out[8];
    for (int i = digits; i > 0; number /= 10) out[--i] = static_cast<char>('0' + number % 10);
    text_.append(out, static_cast<std::size_t>(digits));
  }

  void append_time(std::int64_t us) {
    using namespace std::chrono;
    const sys_time<microseconds> time{microseconds(us)};
    const sys_days day = floor<days>(time);
    if (day != day_ || date_.empty()) {
      day_ = day;
      const year_month_day date(day);
      const int year = static_cast<int>(date.year());
      if (year < 0 || year > 9999) {  // has no other form
        text_ += text(R"({"$date":{"$numberLong":")", floor<milliseconds>(time).time_since_epoch().count(), "\"}}");
        date_.clear();
        return;
      }
      std::swap(text_, date_);
      text_.clear();
      append_padded(year, 4);
      text_ += '-';
      append_padded(unsigned(date.month()), 2);
      text_ += '-';
      append_padded(unsigned(date.day()), 2);
      std::swap(text_, date_);
    }
    text_ += R"({"$date":")";
    text_ += date_;
    const std::int64_t rest = duration_cast<microseconds>(time - day).count();
    text_ += 'T';
    append_padded(rest / 3'600'000'000, 2);
    text_ += ':';
    append_padded(rest / 60'000'000 % 60, 2);
    text_ += ':';
    append_padded(rest / 1'000'000 % 60, 2);
    text_ += '.';
    rest % 1000 == 0 ? append_padded(rest / 1000 % 1000, 3) : append_padded(rest % 1'000'000, 6);
    text_ += "Z\"}";
  }

  const Members members_;
  std::string text_;
  std::chrono::sys_days day_{};
  std::string date_;  // of day_; empty: not known
};

class EventDocuments final : public pipeline::Cursor {
 public:
  /// `shared`: a reader of its own, or null.
  EventDocuments(Reader& reader, std::unique_ptr<Reader> shared, const transaction::Transaction* own, Extent extent,
                 Wanted wanted, const Request& request)
      : shared_(std::move(shared)),
        events_(open_cursor(shared_ ? *shared_ : reader, own, std::move(extent), std::move(wanted))),
        filter_(request.filter),
        text_(Members::of(request)) {}

  std::optional<std::string_view> next() override {
    while (const Event* event = events_->next()) {
      const std::string_view document = text_.of(*event);
      if (filter_.empty() || filter_.matches_json(document, scratch_)) return document;
    }
    return std::nullopt;
  }

 private:
  const std::unique_ptr<Reader> shared_;
  const std::unique_ptr<events::Cursor> events_;
  const model::Filter& filter_;
  EventText text_;
  model::Scratch scratch_;
};

/// What the filter's conditions on offset and time leave of the stream. Wider than the filter, never narrower: its
/// dates are in milliseconds.
Wanted wanted_of(const Request& request, const Extent& extent) {
  using Kind = Condition::Kind;
  Wanted wanted;
  wanted.from = extent.earliest;
  wanted.data = Members::of(request).data;
  wanted.in_any_order = request.rows_in_any_order;
  for (const Condition& condition : request.filter.root().children) {
    const bool from = condition.kind == Kind::eq || condition.kind == Kind::gt || condition.kind == Kind::gte;
    const bool to = condition.kind == Kind::eq || condition.kind == Kind::lt || condition.kind == Kind::lte;
    if (condition.path.text() == "offset" && condition.operand.is_integer()) {
      const auto offset = static_cast<std::uint64_t>(std::max<std::int64_t>(condition.operand.integer(), 0));
      if (from) wanted.from = std::max(wanted.from, offset);
      if (to) wanted.to = std::min(wanted.to.value_or(offset + 1), offset + 1);
    } else if (condition.path.text() == "time" && condition.operand.type() == model::Type::date) {
      constexpr std::int64_t farthest = INT64_MAX / 1000 - 2;
      const std::int64_t ms = std::clamp(condition.operand.date().milliseconds, -farthest, farthest);
      if (from) wanted.from_time = std::max(wanted.from_time.value_or(INT64_MIN), (ms - 1) * 1000);
      if (to) wanted.to_time = std::min(wanted.to_time.value_or(INT64_MAX), (ms + 2) * 1000);
    }
  }
  return wanted;
}

/// For explain: what is read of the stream.
model::Value how_of(const Wanted& wanted, const Extent& extent) {
  const auto number = [](std::uint64_t offset) { return static_cast<std::int64_t>(offset); };
  model::Object how = {{"plan", "stream"},
                       {"from", number(wanted.from)},
                       {"to", number(std::min(extent.end(), wanted.to.value_or(extent.end())))}};
  if (wanted.from_time) how.push_back({"from_time", model::Date{*wanted.from_time / 1000}});
  if (wanted.to_time) how.push_back({"to_time", model::Date{*wanted.to_time / 1000}});
  how.push_back({"data", wanted.data});
  if (wanted.data && wanted.in_any_order) how.push_back({"order", "stored"});
  return how;
}

}  // namespace

Opened open_source(Reader& reader, const transaction::Transaction* own, const Streams& stream, const Request& request) {
  const Extent extent = stream.extent(reader);
  const Wanted wanted = wanted_of(request, extent);
  Opened opened;
  opened.how = how_of(wanted, extent);
  const auto add = [&](std::unique_ptr<Reader> shared, const transaction::Transaction* appends, Wanted part) {
    opened.cursors.push_back(
        std::make_unique<EventDocuments>(reader, std::move(shared), appends, extent, std::move(part), request));
  };
  const std::uint64_t end = std::min(extent.end(), wanted.to.value_or(extent.end()));
  const std::uint64_t events = end > wanted.from ? end - wanted.from : 0;
  // What is shared would count as read to its end, and every append to it as a conflict.
  const std::uint64_t parts =
      reader.records() ? 1 : std::clamp<std::uint64_t>(events / part_events_least, 1, std::max(1u, request.parts));
  for (std::uint64_t i = 0; parts > 1 && i < parts; ++i) {
    Wanted part = wanted;
    part.from = wanted.from + events * i / parts;
    if (i + 1 < parts) part.to = wanted.from + events * (i + 1) / parts;
    auto shared =
        reader.share(Keyspace::events, {offset_key(extent.stream, part.from), offset_key(extent.stream, end)});
    if (!shared) break;
    add(std::move(shared), i + 1 == parts ? own : nullptr, std::move(part));
  }
  if (opened.cursors.size() == parts) return opened;
  opened.cursors.clear();
  add(nullptr, own, wanted);
  return opened;
}

}  // namespace stele::events
