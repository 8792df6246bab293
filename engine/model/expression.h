// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Expressions with MongoDB's meaning: "$path", "$$variable", literals, {"$operator": arguments}. They are
// what $expr in filters, computed fields in projections and pipeline updates evaluate.
#pragma once

#include "engine/model/value.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

/// What an expression may read beside "$path". ROOT is the document itself; "$path" starts at CURRENT, which
/// is ROOT unless set. NOW is the transaction's time.
struct Variables {
  const Value* root = nullptr;
  std::optional<Date> now;
  std::map<std::string, Value, std::less<>> named;  // those that parse() was told of; without one: missing
  const Variables* outer = nullptr;                 // where those that are not in `named` stand

  /// Null: missing.
  const Value* find(std::string_view name) const;
};

class Expression {
 public:
  /// `invalid` for what is no expression, an unknown operator or the wrong number of arguments; `unsupported` for
  /// operators that MongoDB has and this does not. `what` names it in messages ("filter, $expr").
  static Expression parse(const Value& value, std::string_view what);
  /// The same where Variables::named supplies these.
  static Expression parse(const Value& value, std::string_view what, std::span<const std::string> variables);

  /// Empty: missing. Throws `invalid` for operands of the wrong type, `out_of_range` when integers overflow what
  /// MongoDB would also refuse.
  std::optional<Value> evaluate(const Variables& variables) const;
  std::optional<Value> evaluate(const Value& document) const;
  /// The same without a copy where the value is there already, in the document, a variable or the expression; else it
  /// is put into `own`. Null: missing.
  const Value* evaluate(const Variables& variables, Value& own) const;

  /// Adds the members of the outermost document that it reads; false when it reads the document as a whole.
  bool collect_names(std::vector<std::string>& names) const;
  /// The same with whole paths, "author.name", each once.
  bool collect_paths(std::vector<std::string>& paths) const;
  /// The value, when it reads nothing.
  const Value* constant() const;

  struct Node;

 private:
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;  // immutable, shared by copies; any thread
};

/// MongoDB's truth: false, 0, null and missing are false.
bool truth(const Value& value);

}  // namespace stele::model
