// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The second argument of find, with MongoDB's meaning. {"title": 1, "author.name": 1} keeps these and `_id`;
// {"body": 0} keeps all but these; `_id` may be excluded beside inclusions. {"total": {"$add": ["$a", "$b"]}} computes
// (an inclusion, too); {"comments": {"$slice": -5}} cuts an array, {"scores": {"$elemMatch": {"$gt": 80}}} keeps its
// first match, {"scores.$": 1} the element that the query's filter matched. Arrays on the way are passed through; of their elements only objects and arrays hold anything to
// include. What is kept stays in the document's order; computed members follow in the order of the projection.
#pragma once

#include "engine/base/json.h"
#include "engine/model/expression.h"
#include "engine/model/filter.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

class Projection {
 public:
  /// Empty text or {}: the whole document. `invalid` for inclusions mixed with exclusions and for paths of which one
  /// is, or begins, another; `unsupported` for $meta.
  static Projection parse(std::string_view json, const json::Limits& limits = {});
  /// `variables`: those that apply() is given beside the ones of MongoDB.
  static Projection of(const Value& object, std::string_view what, std::span<const std::string> variables = {});

  /// It leaves out and keeps the rest.
  bool is_exclusion() const { return exclusion_; }
  /// It has a positional `$`.
  bool is_positional() const { return positional_.has_value(); }
  /// Nothing to do: the document as it is.
  bool empty() const { return root_->children.empty(); }
  /// `now` is what $$NOW gives; `filter` the query's, which the document matches, for the positional `$`: `invalid` when it
  /// matched no element of an array there.
  Value apply(const Value& document, std::optional<Date> now = std::nullopt, const Condition* filter = nullptr) const;
  /// `variables` are those of expressions; its root is the document.
  Value apply(const Variables& variables) const;

  /// Adds the members of the document that apply() needs; false when it needs the whole document.
  bool collect_names(std::vector<std::string>& names) const;
  /// The same with whole paths.
  bool collect_paths(std::vector<std::string>& paths) const;
  /// What it gives at this path is what the document has there.
  bool keeps(const Path& path) const;
  /// When it includes paths and does nothing else: these, with `_id` unless excluded. Null otherwise.
  const std::vector<Path>* simple_inclusions() const { return simple_ ? &inclusions_ : nullptr; }

 private:
  enum class Kind : std::uint8_t { nested, include, exclude, compute, slice, elem_match };
  struct Slice {
    std::int64_t skip = 0, limit = 0;
  };
  struct Rule {
    std::string name;
    Kind kind = Kind::nested;
    std::vector<Rule> children;            // of nested
    std::optional<Expression> expression;  // of compute
    std::optional<Slice> slice;
    std::optional<Condition> condition;  // of elem_match
    bool objects_only = false;
    bool computes = false;  // itself, or something below
  };
  class Reader;
  class Applied;

  std::shared_ptr<const Rule> root_ = std::make_shared<Rule>();
  bool exclusion_ = true;
  bool excludes_id_ = false;
  bool simple_ = false;
  std::vector<Path> inclusions_;
  std::optional<Path> positional_;  // without its $
};

}  // namespace stele::model
