// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/json.h"
#include "engine/pipeline/pipeline.h"
#include "tools/stele/aggregate_request.h"
#include "tools/stele/operation.h"

namespace stele::tool {

namespace {

/// "collection", or "source" as the library takes it.
std::string source_of(const Request& request) {
  if (request.has("collection") == request.has("source"))
    request.refuse("collection",
                   R"(or "source" must be there, and one of them only: {"stream":"activity"} or {"sql":"SELECT …"})");
  if (request.has("source")) return std::string(request.raw("source"));
  std::string out;
  json::append_quoted(out, request.name_field("collection"));
  return out;
}

std::string_view pipeline_of(const Request& request) {
  request.array("pipeline");
  return request.raw("pipeline");
}

AggregateOptions options_of(const Request& request) {
  AggregateOptions options;
  options.memory_bytes = request.number("memory_bytes").value_or(0);
  return options;
}

void aggregate(Session& session, const Request& request, Answer& answer) {
  const std::string source = source_of(request);
  const std::string_view pipeline = pipeline_of(request);
  const AggregateOptions options = options_of(request);
  JsonArray documents;
  if (pipeline::Pipeline::parse(pipeline).writes()) {
    session.write(request, [&](Transaction& tx) { tx.aggregate(source, pipeline, options); });
  } else {
    session.read(request, [&](const Snapshot& at) {
      Documents found = at.aggregate(source, pipeline, options);
      while (const auto document = found.next()) documents.add(*document);
    });
  }
  answer.add_json("docs", std::move(documents).str());
}

}  // namespace

std::string explain_aggregate(Session& session, const Request& outer, const Request& aggregate) {
  const std::string source = source_of(aggregate);
  const std::string_view pipeline = pipeline_of(aggregate);
  const AggregateOptions options = options_of(aggregate);
  return session.read(outer, [&](const Snapshot& at) { return at.explain_aggregate(source, pipeline, options); });
}

std::span<const Operation> aggregate_operations() {
  static const Operation operations[] = {
      {"aggregate",
       Operation::Tx::may,
       true,
       {"collection", "source", "pipeline", "memory_bytes"},
       {},
       R"({"op":"aggregate","collection":"articles","pipeline":[{"$unwind":"$tags"},{"$group":{"_id":"$tags","n":{"$sum":1}}}]})",
       aggregate},
  };
  return operations;
}

}  // namespace stele::tool
