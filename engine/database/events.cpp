// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/events.h>

#include "engine/database/scope.h"
#include "engine/events/streams.h"

namespace stele {

namespace {
events::Streams verbs(const detail::Scope& scope, const std::string& stream) {
  return events::Streams(scope.core->catalog, stream, scope.core->limits);
}
}  // namespace

StreamReader::StreamReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)) {}

std::vector<Event> StreamReader::read(std::uint64_t offset, std::size_t limit) const {
  return scope_->read([&](transaction::Reader& reader) {
    return verbs(*scope_, name_).read(reader, scope_->transaction.get(), offset, limit);
  });
}

std::uint64_t StreamReader::end_offset() const {
  return scope_->read([&](transaction::Reader& reader) { return verbs(*scope_, name_).end_offset(reader); });
}

void Stream::append(std::span<const NewEvent> events) {
  scope_->write([&](transaction::Transaction& own) { verbs(*scope_, name_).append(own, events); });
}

}  // namespace stele
