// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/events.h>

#include "engine/database/event_scope.h"

namespace stele {

using detail::stream_verbs;
using transaction::Reader;

namespace detail {

/// A cursor over events, with what it reads from.
class EventSource {
 public:
  std::shared_ptr<DatabaseCore> core;
  std::unique_ptr<Reader> latest;                         // outside a transaction
  std::shared_ptr<transaction::Transaction> transaction;  // inside one
  transaction::WriteSet::Statement statement = 0;         // of it, in which the cursor was opened
  std::unique_ptr<events::Cursor> cursor;

  const Event* next() {
    if (!cursor)
      fail(ErrorCode::closed, "events: they ended with an error; call find again", {{"reason", "ended_by_error"}});
    if (transaction) return transaction->guarded_as_of(statement, [&] { return move(); });
    core->store->check_open();
    const Interrupt::Here here(latest->interrupt());
    return move();
  }

 private:
  /// A failure ends the cursor for good: what is left of the events must not look like all of them.
  const Event* move() {
    try {
      return cursor->next();
    } catch (...) {
      cursor.reset();
      latest.reset();
      throw;
    }
  }
};

}  // namespace detail

Events::Events(std::unique_ptr<detail::EventSource> source) : source_(std::move(source)) {}
Events::Events(Events&&) noexcept = default;
Events& Events::operator=(Events&&) noexcept = default;
Events::~Events() = default;

const Event* Events::next() { return detail::held(source_, "events")->next(); }

std::vector<Event> Events::all() {
  std::vector<Event> events;
  while (const Event* event = next()) events.push_back(*event);
  return events;
}

const std::shared_ptr<detail::Scope>& StreamReader::scope() const { return detail::held(scope_, "stream"); }

StreamReader::StreamReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)) {}

std::vector<Event> StreamReader::read(std::optional<std::uint64_t> offset, std::size_t limit) const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return stream_verbs(*scope(), name_).read(reader, scope()->transaction.get(), offset, limit);
  });
}

Events StreamReader::find(const EventQuery& query) const {
  events::Wanted wanted = events::wanted(query, name_, scope()->core->limits);
  auto source = std::make_unique<detail::EventSource>();
  source->core = scope()->core;
  source->transaction = scope()->transaction;
  const auto open = [&](Reader& reader) {
    if (wanted.filter) wanted.filter->set_now({reader.time_us() / 1000});
    return stream_verbs(*scope(), name_)
        .find(reader, source->transaction.get(), std::move(wanted), query.from.has_value());
  };
  if (source->transaction) {
    source->cursor = scope()->read([&](Reader& reader) {
      source->statement = source->transaction->current_statement();
      return open(reader);
    });
  } else {
    scope()->core->store->check_open();
    source->latest = scope()->core->store->latest(true, scope()->interrupt());
    source->latest->interrupt().check();
    source->cursor = open(*source->latest);
  }
  return Events(std::move(source));
}

std::uint64_t StreamReader::end_offset() const {
  return scope()->read_at_one_moment([&](Reader& reader) { return stream_verbs(*scope(), name_).end_offset(reader); });
}

StreamStats StreamReader::stats() const {
  return scope()->read_at_one_moment([&](Reader& reader) { return stream_verbs(*scope(), name_).stats(reader); });
}

StreamOptions StreamReader::options() const {
  return scope()->read([&](Reader& reader) { return stream_verbs(*scope(), name_).options(reader); });
}

void Stream::append(std::span<const NewEvent> events) {
  scope()->write([&](transaction::Transaction& own) { stream_verbs(*scope(), name_).append(own, events); });
}

void Stream::create(const StreamOptions& options) {
  scope()->write([&](transaction::Transaction& own) { stream_verbs(*scope(), name_).create(own, options); });
  if (!scope()->transaction) scope()->core->upkeep.look_again();
}

void Stream::modify(const StreamOptions& options) {
  scope()->write([&](transaction::Transaction& own) { stream_verbs(*scope(), name_).modify(own, options); });
  if (!scope()->transaction) scope()->core->upkeep.look_again();
}

bool Stream::drop() {
  return scope()->write([&](transaction::Transaction& own) { return stream_verbs(*scope(), name_).drop(own); });
}

void Stream::truncate(std::uint64_t offset) {
  scope()->write([&](transaction::Transaction& own) { stream_verbs(*scope(), name_).truncate(own, offset); });
}

}  // namespace stele
