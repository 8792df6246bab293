// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/source.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/base/utf8.h"
#include "engine/events/streams.h"
#include "engine/model/extended_json.h"
#include "engine/pipeline/needs.h"
#include "engine/transaction/parts.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <charconv>

namespace stele::events {
namespace {

using model::Condition;
using pipeline::Opened;
using pipeline::Request;
using storage::Keyspace;
using transaction::Reader;

constexpr std::uint64_t part_bytes_least = 512u << 10;  // before another thread is worth its making

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

  /// What is kept of an event behind its gseq; empty: it cannot be read.
  std::optional<std::string_view> of(std::optional<std::uint64_t> offset, ByteReader payload) {
    std::int64_t time_us = 0;
    std::string_view key;
    if (!payload.fixed(time_us) || !payload.sized(key)) return std::nullopt;
    text_ = "{";
    if (members_.offset) {
      begin("offset");
      offset ? append_number(*offset) : void(text_ += "null");
    }
    if (members_.time) {
      begin("time");
      append_time(time_us);
    }
    if (members_.key) {
      begin("key");
      if (is_utf8(key))
        json::append_quoted(text_, key);
      else
        model::append_extended_json(text_, model::Binary{0, std::string(key)});
    }
    if (members_.data) {
      begin("data");
      text_ += payload.rest();
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

class EventCursor final : public pipeline::Cursor {
 public:
  /// `shared`: a reader of its own, or null. `own`: the transaction whose appends come behind the range, or null.
  EventCursor(Reader& reader, std::unique_ptr<Reader> shared, storage::KeyRange range, std::string prefix,
              const Request& request, std::string stream, const transaction::Transaction* own)
      : shared_(std::move(shared)),
        reader_(shared_ ? *shared_ : reader),
        range_(std::move(range)),
        prefix_(std::move(prefix)),
        filter_(request.filter),
        stream_(std::move(stream)),
        own_(own),
        appends_(own ? own->pending().appends().size() : 0),
        text_(Members::of(request)) {}

  std::optional<std::string_view> next() override {
    constexpr unsigned events_between_polls = 16;
    for (;;) {
      if (++read_ % events_between_polls == 0) Interrupt::poll();
      const auto event = next_event();
      if (!event || filter_.empty() || filter_.matches_json(*event, scratch_)) return event;
    }
  }

 private:
  std::optional<std::string_view> next_event() {
    if (!scan_ && !scanned_) scan_ = reader_.scan(Keyspace::events, range_, transaction::ScanRecord::returned);
    if (scan_) {
      if (scan_->next()) return committed();
      scan_.reset();
      scanned_ = true;
    }
    const std::size_t there = own_ ? std::min(appends_, own_->pending().appends().size()) : 0;
    while (append_ < there) {
      const auto& append = own_->pending().appends()[append_++];
      if (append.keyspace != Keyspace::events || append.prefix != prefix_) continue;
      const auto event = text_.of(std::nullopt, ByteReader(append.payload));
      if (!event) fail_damaged(prefix_);
      return event;
    }
    return std::nullopt;
  }

  std::string_view committed() {
    std::string_view rest = scan_->key().substr(prefix_.size());
    std::uint64_t offset = 0, gseq = 0;
    ByteReader bytes(scan_->value());
    if (!key::read_u64(rest, offset) || !bytes.fixed(gseq)) fail_damaged(scan_->key());
    const auto event = text_.of(offset, bytes);
    if (!event) fail_damaged(scan_->key());
    return *event;
  }

  [[noreturn]] void fail_damaged(std::string_view key) const {
    fail(ErrorCode::corrupt, text("stream \"", stream_, "\": the event at ", key::describe_key(key), " cannot be read"));
  }

  const std::unique_ptr<Reader> shared_;
  Reader& reader_;
  const storage::KeyRange range_;
  const std::string prefix_;
  const model::Filter& filter_;
  const std::string stream_;
  const transaction::Transaction* const own_;
  const std::size_t appends_;
  EventText text_;
  model::Scratch scratch_;
  std::unique_ptr<transaction::Scan> scan_;
  bool scanned_ = false;
  std::size_t append_ = 0;
  unsigned read_ = 0;
};

/// What the filter's conditions on the offset leave of the stream. Wider than the filter, never narrower.
storage::KeyRange range_of(const std::string& prefix, const model::Filter& filter) {
  std::int64_t first = 0;
  std::optional<std::int64_t> last;
  const auto at_most = [&](std::int64_t offset) { last = std::min(last.value_or(offset), offset); };
  for (const Condition& condition : filter.root().children) {
    if (condition.path.text() != "offset" || !condition.operand.is_integer()) continue;
    const std::int64_t offset = condition.operand.integer();
    using Kind = Condition::Kind;
    if (condition.kind == Kind::eq || condition.kind == Kind::gt || condition.kind == Kind::gte)
      first = std::max(first, offset);
    if (condition.kind == Kind::eq || condition.kind == Kind::lt || condition.kind == Kind::lte) at_most(offset);
  }
  storage::KeyRange range{prefix, key::prefix_end(prefix)};
  key::append_u64(range.begin, static_cast<std::uint64_t>(first));
  if (last && (*last < first || *last == INT64_MAX)) last = *last < first ? first : INT64_MAX - 1;
  if (last) {
    range.end = prefix;
    key::append_u64(range.end, static_cast<std::uint64_t>(*last) + 1);
  }
  return range;
}

}  // namespace

Opened open_source(Reader& reader, const transaction::Transaction* own, catalog::Catalog::DefinitionPtr stream,
                   const Request& request) {
  class Nothing final : public pipeline::Cursor {
    std::optional<std::string_view> next() override { return std::nullopt; }
  };
  Opened opened;
  if (!stream) {
    opened.cursors.push_back(std::make_unique<Nothing>());
    return opened;
  }
  const std::string prefix = events_prefix(stream->id);
  const storage::KeyRange range = range_of(prefix, request.filter);
  const auto add = [&](std::unique_ptr<Reader> shared, const storage::KeyRange& part,
                       const transaction::Transaction* appended) {
    opened.cursors.push_back(
        std::make_unique<EventCursor>(reader, std::move(shared), part, prefix, request, stream->name, appended));
  };
  // A range shared would count as read to its end, and every append to it as a conflict.
  const unsigned parts = reader.records() ? 1 : request.parts;
  const auto ranges = transaction::parts_of(reader, Keyspace::events, range, parts, part_bytes_least);
  for (std::size_t i = 0; ranges.size() > 1 && i < ranges.size(); ++i) {
    auto shared = reader.share(Keyspace::events, ranges[i]);
    if (!shared) break;
    add(std::move(shared), ranges[i], i + 1 == ranges.size() ? own : nullptr);
  }
  if (opened.cursors.size() == ranges.size() && ranges.size() > 1) return opened;
  opened.cursors.clear();
  add(nullptr, range, own);
  return opened;
}

}  // namespace stele::events
