// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A stream is a gapless sequence of events. An event's offset (from 0) is given at commit, in
// commit order; so appends of concurrent transactions do not conflict. A stream comes into being
// with its first event. Inside its own transaction an appended event is readable, after all
// others, with no offset yet.
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
}

/// Microseconds since 1970-01-01 UTC.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

struct NewEvent {
  std::string key = {};           // any bytes, may be empty
  std::string data = "null";      // any JSON value
  std::optional<Timestamp> time = {};  // default: the transaction's time
};

struct Event {
  std::optional<std::uint64_t> offset;  // empty: appended by this transaction, not yet committed
  Timestamp time;
  std::string key;
  std::string data;  // JSON text
};

class StreamReader {
 public:
  StreamReader(std::shared_ptr<detail::Scope> scope, std::string name);

  const std::string& name() const noexcept { return name_; }

  /// Up to `limit` events from `offset` on, in order. Beyond the end: none.
  std::vector<Event> read(std::uint64_t offset = 0, std::size_t limit = 1000) const;
  /// The offset that the next committed event will get.
  std::uint64_t end_offset() const;

 protected:
  const std::shared_ptr<detail::Scope>& scope() const;  // `invalid` when moved from
  std::shared_ptr<detail::Scope> scope_;
  std::string name_;
};

class Stream : public StreamReader {
 public:
  using StreamReader::StreamReader;

  void append(const NewEvent& event) { append(std::span(&event, 1)); }
  void append(std::span<const NewEvent> events);
};

}  // namespace stele
