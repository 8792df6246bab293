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

const std::shared_ptr<detail::Scope>& StreamReader::scope() const { return detail::held(scope_, "stream"); }

StreamReader::StreamReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)) {}

std::vector<Event> StreamReader::read(std::uint64_t offset, std::size_t limit) const {
  return scope()->read([&](transaction::Reader& reader) {
    return verbs(*scope(), name_).read(reader, scope()->transaction.get(), offset, limit);
  });
}

std::uint64_t StreamReader::end_offset() const {
  return scope()->read([&](transaction::Reader& reader) { return verbs(*scope(), name_).end_offset(reader); });
}

void Stream::append(std::span<const NewEvent> events) {
  scope()->write([&](transaction::Transaction& own) { verbs(*scope(), name_).append(own, events); });
}

}  // namespace stele
