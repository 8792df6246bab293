// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Aggregation: MongoDB's pipelines, as JSON text, over collections, streams and SQL.
//
//   db.collection("orders").aggregate(R"([{"$match": {"paid": true}},
//                                         {"$group": {"_id": "$city", "sum": {"$sum": "$price"}}}])");
//   db.aggregate(R"({"stream": "activity"})", R"([{"$group": {"_id": "$key", "n": {"$sum": 1}}}])");
//   tx.aggregate(R"({"sql": "SELECT id, plan FROM users WHERE plan = ?", "parameters": ["pro"]})",
//                R"([{"$lookup": {"from": "orders", "localField": "id", "foreignField": "user", "as": "orders"}}])");
//
// A source is a collection's name as a JSON string, {"stream": name}, whose events are documents
// {"offset", "time", "key", "data"}, or {"sql": a SELECT, "parameters": […]}, whose rows are documents with a member for
// each column. "from" of $lookup and $graphLookup and "coll" of $unionWith take the same. All sources of a pipeline are
// read at one moment: that of the transaction, with its own writes, or outside one the newest. engine/ARCHITECTURE.md
// lists the stages, accumulators and expressions; others are refused by name and place.
//
// Results are streamed. Stages that gather rows ($group, $sort, …) share a memory budget and go to temporary files in the
// database's directory beyond it. $out and $merge write as one statement of the transaction: all, or after an error
// nothing; their pipelines have no results. A deadline or cancel ends any stage within 100 ms.
#pragma once

#include <cstddef>

namespace stele {

struct AggregateOptions {
  /// For all stages that gather rows, together; 0: Options::aggregate_memory_bytes. At least 1 MB.
  std::size_t memory_bytes = 0;
};

}  // namespace stele
