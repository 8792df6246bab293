// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/stage.h"

#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// Where something stands in a pipeline's text: what messages say, and what is known there.
struct Place {
  std::string what = "aggregate";
  std::vector<std::string> variables = {};  // of $lookup's "let"
  unsigned depth = 0;                       // pipelines around this one
  bool inside_facet = false;

  Place at(std::string_view part) const;
  [[noreturn]] void refuse(std::string_view rule, std::string_view reason = "InvalidPipeline") const;

  // Parts of a stage; `field` is "" or the member they stand at.
  Expression expression(const Value& value, std::string_view field) const;
  /// The same, refused where it is neither "$path" nor an object: a constant makes one group of all rows.
  Expression path_or_object(const Value& value, std::string_view field) const;
  /// A path into documents, without '$' in front.
  model::Path path(const Value& value, std::string_view field) const;
  /// "$path"
  model::Path reference(const Value& value, std::string_view field) const;
  std::int64_t integer(const Value& value, std::string_view field, std::int64_t least) const;
  const Object& object(const Value& value, std::string_view example) const;
  /// The members of `value` in the order of `names` ("from as let?"), null where an optional one is not given.
  std::vector<const Value*> members(const Value& value, std::string_view names) const;
  /// A name in "let".
  void check_variable_name(std::string_view name) const;
  /// A name for a new member of documents: no dot, no '$' in front, not empty.
  void check_field_name(std::string_view name) const;
};

/// Stages of an array. Stages that write stand last, and only in the outermost pipeline.
Stages parse_stages(const Value& pipeline, const Place& place);

// One stage each; `place` names it. Some are made of several.
Stages parse_match(const Value& spec, const Place& place);
Stages parse_project(const Value& spec, const Place& place);
Stages parse_set(const Value& spec, const Place& place);
Stages parse_unset(const Value& spec, const Place& place);
Stages parse_replace_root(const Value& spec, const Place& place);
Stages parse_replace_with(const Value& spec, const Place& place);
Stages parse_group(const Value& spec, const Place& place);
Stages parse_sort_by_count(const Value& spec, const Place& place);
Stages parse_bucket(const Value& spec, const Place& place);
Stages parse_bucket_auto(const Value& spec, const Place& place);
Stages parse_count(const Value& spec, const Place& place);
Stages parse_sort(const Value& spec, const Place& place);
Stages parse_limit(const Value& spec, const Place& place);
Stages parse_skip(const Value& spec, const Place& place);
Stages parse_sample(const Value& spec, const Place& place);
Stages parse_unwind(const Value& spec, const Place& place);
Stages parse_lookup(const Value& spec, const Place& place);
Stages parse_graph_lookup(const Value& spec, const Place& place);
Stages parse_facet(const Value& spec, const Place& place);
Stages parse_union_with(const Value& spec, const Place& place);
Stages parse_set_window_fields(const Value& spec, const Place& place);
Stages parse_out(const Value& spec, const Place& place);
Stages parse_merge(const Value& spec, const Place& place);

}  // namespace stele::pipeline
