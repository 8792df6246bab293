// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/transaction/reader.h"

#include <functional>
#include <string>

namespace stele::events {

/// Compares what is stored of a stream with itself, and reports what does not fit: offsets without gaps up to the
/// state's. Deep: every event with its data, segments with their events, windows with a recount, groups with the
/// stream. `reader` stays at one moment.
///
/// A window is recounted while nothing was cut off below the stream or the window; otherwise its rows count events that
/// are gone, and are only read.
void check_stream(transaction::Reader& reader, const catalog::Definition& stream, bool deep,
                  const std::function<void(const std::string& what)>& report);

}  // namespace stele::events
