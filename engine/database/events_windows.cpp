// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/windows.h>

#include "engine/database/event_scope.h"

namespace stele {

using detail::stream_verbs;
using transaction::Reader;

std::vector<WindowRow> StreamReader::window(std::string_view window, const WindowQuery& query) const {
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return stream_verbs(*scope(), name_).window(reader, window, query); });
}

std::vector<WindowInfo> StreamReader::windows() const {
  return scope()->read_at_one_moment([&](Reader& reader) { return stream_verbs(*scope(), name_).windows(reader); });
}

void Stream::create_window(std::string_view window, const WindowOptions& options) {
  scope()->write(
      [&](transaction::Transaction& own) { stream_verbs(*scope(), name_).create_window(own, window, options); });
  if (scope()->transaction) return;  // filled in the background after its commit
  constexpr std::size_t events_a_batch = 5000;
  for (bool complete = false; !complete;)
    complete = scope()->write(
        [&](transaction::Transaction& own) { return stream_verbs(*scope(), name_).keep_windows(own, events_a_batch); });
  scope()->core->upkeep.look_again();
}

bool Stream::drop_window(std::string_view window) {
  return scope()->write(
      [&](transaction::Transaction& own) { return stream_verbs(*scope(), name_).drop_window(own, window); });
}

}  // namespace stele
