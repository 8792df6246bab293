// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A stream is a gapless sequence of events. An event's offset (from 0) is given at commit, in
// commit order; so appends of concurrent transactions do not conflict. A stream comes into being
// with its first event. Inside its own transaction an appended event is readable, after all
// others, with no offset yet.
//
// An event has a time, given or that of its transaction, and a key, which says what it is about (a user, a machine).
// Events are read by offset, by time, or by key and time; <stele/groups.h> has consumer groups. Retention removes the
// oldest events; to ask for one of them is `out_of_range`, never silence.
//
// StreamReader comes from a Snapshot and reads; Stream comes from a Transaction or, each call then being a transaction
// of its own, from a Database. Both are light handles, valid as long as their database; those from a Database are for
// any number of threads, those from a Transaction or Snapshot for its one thread.
#pragma once

#include <stele/error.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

namespace detail {
struct Scope;
class EventSource;
class TailState;
}  // namespace detail

/// Microseconds since 1970-01-01 UTC.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

struct NewEvent {
  std::string key = {};                // any bytes, may be empty; up to 4000
  std::string data = "null";           // any JSON value
  std::optional<Timestamp> time = {};  // any; default: the transaction's time
};

struct Event {
  std::optional<std::uint64_t> offset;  // empty: appended by this transaction, not yet committed
  Timestamp time;
  std::string key;
  std::string data;  // JSON text
};

/// Which events to read; all conditions hold together.
struct EventQuery {
  std::optional<std::uint64_t> from = {};  // the first offset; below the earliest retained one: out_of_range
  std::optional<std::uint64_t> to = {};    // offsets below it; below `from`: `invalid`, as are times that are so
  std::optional<Timestamp> from_time = {};
  std::optional<Timestamp> to_time = {};  // times before it
  std::optional<std::string> key = {};
  std::string filter = {};  // a document filter on the event's data, {"did": "publish"}; empty: none
  /// Newest first. Events of one key come in the order of their times, all others in that of their offsets.
  bool backward = false;
  std::optional<std::uint64_t> limit = {};  // 0: none
};

/// Events that a find returned, read one at a time. One thread at a time; ends with its transaction.
class Events {
 public:
  explicit Events(std::unique_ptr<detail::EventSource> source);
  Events(Events&&) noexcept;
  Events& operator=(Events&&) noexcept;
  ~Events();

  /// The next event, valid until the next call; null after the last.
  const Event* next();
  std::vector<Event> all();

 private:
  std::unique_ptr<detail::EventSource> source_;
};

/// What may go of a stream; each rule is applied by itself, in the background, oldest events first. A bound of 0 or
/// less, or of 2^63 and more, is `invalid`.
struct Retention {
  std::optional<std::chrono::milliseconds> age = {};  // events before the first one that is younger
  std::optional<std::uint64_t> bytes = {};            // of keys and data together, at least so much stays
  std::optional<std::uint64_t> count = {};            // so many events stay
};

struct StreamOptions {
  Retention retention = {};
};

struct StreamStats {
  std::uint64_t earliest = 0;  // the first offset that is there; equal to end: none is
  std::uint64_t end = 0;       // the offset that the next committed event will get
  std::uint64_t bytes = 0;     // of keys and data, roughly: whole segments are counted
};

class Group;
class GroupReader;
struct WindowOptions;
struct WindowQuery;
struct WindowRow;
struct WindowInfo;

class StreamReader {
 public:
  StreamReader(std::shared_ptr<detail::Scope> scope, std::string name);

  const std::string& name() const noexcept { return name_; }

  /// Up to `limit` events from `offset` on (none given: the earliest), in order. Beyond the end: none.
  std::vector<Event> read(std::optional<std::uint64_t> offset = {}, std::size_t limit = 1000) const;
  /// A cursor over the events as they are now. `invalid` for a filter that is none.
  Events find(const EventQuery& query) const;
  /// The offset that the next committed event will get.
  std::uint64_t end_offset() const;
  StreamStats stats() const;
  /// Those it was created with, or given since. An absent stream has the defaults.
  StreamOptions options() const;
  /// A consumer group: <stele/groups.h>.
  GroupReader group(std::string_view group) const;
  std::vector<std::string> groups() const;
  /// A declared window's rows of committed events, in the order of (start, key): <stele/windows.h>. `not_found`: none
  /// of that name.
  std::vector<WindowRow> window(std::string_view window, const WindowQuery& query) const;
  std::vector<WindowInfo> windows() const;

 protected:
  const std::shared_ptr<detail::Scope>& scope() const;  // `invalid` when moved from
  std::shared_ptr<detail::Scope> scope_;
  std::string name_;
};

/// Which events a tail shows.
enum class Shows : std::uint8_t {
  durable,  // that no crash can take back
  visible,  // as soon as they are committed, before they are on disk
};

/// Follows a stream from an offset on: new events without polling. From Stream::tail; one thread at a time; the
/// database cannot be closed while there is one.
class Tail {
 public:
  explicit Tail(std::unique_ptr<detail::TailState> state);
  Tail(Tail&&) noexcept;
  Tail& operator=(Tail&&) noexcept;
  ~Tail();

  /// Waits up to `timeout` (0 or more; as long as it likes) until there are events, and returns up to `limit` of them;
  /// empty: the time has passed.
  /// out_of_range when retention has overtaken it, with detail "earliest": begin there.
  std::vector<Event> wait(std::chrono::milliseconds timeout, std::size_t limit = 1000);
  /// The offset at which it goes on.
  std::uint64_t position() const;

  /// For an event loop: an eventfd, readable when wait(0) may have events. wait() clears it when it returns none.
  int file();

 private:
  std::unique_ptr<detail::TailState> state_;
};

class Stream : public StreamReader {
 public:
  using StreamReader::StreamReader;

  Group group(std::string_view group) const;

  /// Declares a window, and fills it from the events that are there: before this returns, or, when it was cut short, or
  /// in a transaction, in the background (windows() tells how far it is). `exists`: there is one of that name.
  void create_window(std::string_view window, const WindowOptions& options);
  bool drop_window(std::string_view window);

  void append(const NewEvent& event) { append(std::span(&event, 1)); }
  void append(std::span<const NewEvent> events);

  /// Makes the stream; `exists` when it is there.
  void create(const StreamOptions& options = {});
  /// Gives it the options; `not_found` when there is no such stream.
  void modify(const StreamOptions& options);
  /// Removes it with all that belongs to it. False: there was none. `invalid` in a transaction that has appended to it.
  bool drop();
  /// Removes the events below `offset`; one beyond the end is out_of_range.
  void truncate(std::uint64_t offset);

  /// From `offset` on; none given: from the end, so only what comes. Not in a transaction (`invalid`).
  Tail tail(std::optional<std::uint64_t> offset = {}, Shows shows = Shows::durable) const;
};

}  // namespace stele
