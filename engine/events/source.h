// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A stream as a source of pipelines: one document for each event, in the order of offsets,
//
//   {"offset":17,"time":{"$date":"2026-01-31T12:00:00.000Z"},"key":"ada","data":…}
//
// then those that the transaction has appended, whose offset is null. A key that is no UTF-8 is a binary. Conditions on
// offset and time bound what is read. Where no order is asked for, those of the stream come as their data lie
// (stored_cursor.h).
#pragma once

#include "engine/events/streams.h"
#include "engine/pipeline/sources.h"
#include "engine/transaction/transaction.h"

namespace stele::events {

/// A stream that is not there has no events. `own`: the transaction whose appends are seen, or null. All outlive
/// the cursors; so does the request.
pipeline::Opened open_source(transaction::Reader& reader, const transaction::Transaction* own,
                             const Streams& stream, const pipeline::Request& request);

}  // namespace stele::events
