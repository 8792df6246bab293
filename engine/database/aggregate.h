// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Pipelines bound to the tiers: what the public handles' aggregate() and explain_aggregate() call.
#pragma once

#include "engine/database/scope.h"
#include "engine/pipeline/pipeline.h"

#include <memory>
#include <string>
#include <string_view>

namespace stele::detail {

/// Whether $out and $merge are allowed: not through a handle that only reads.
enum class Writes : bool { refused, allowed };

Documents aggregate(const Scope& scope, const pipeline::SourceName& source, std::string_view pipeline,
                    const AggregateOptions& options, Writes writes);
std::string explain_aggregate(const Scope& scope, const pipeline::SourceName& source, std::string_view pipeline,
                              const AggregateOptions& options);

/// Of the JSON text of a source.
pipeline::SourceName source_of(std::string_view json, const Scope& scope);

/// The directory for temporary files is there, and nothing of a process that died in it.
void prepare_spill_directory(const transaction::Store& store);

}  // namespace stele::detail
