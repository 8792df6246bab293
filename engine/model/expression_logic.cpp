// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Comparison, boolean operators and conditionals.
#include "engine/model/expression_node.h"

namespace stele::model {
namespace {

int order(const Call& call) {
  const Result a = call.arg(0), b = call.arg(1);
  return compare_results(a.get(), b.get());
}

Result eq(const Call& call) { return order(call) == 0; }
Result ne(const Call& call) { return order(call) != 0; }
Result gt(const Call& call) { return order(call) > 0; }
Result gte(const Call& call) { return order(call) >= 0; }
Result lt(const Call& call) { return order(call) < 0; }
Result lte(const Call& call) { return order(call) <= 0; }

Result cmp(const Call& call) {
  const int c = order(call);
  return (c > 0) - (c < 0);
}

Result all(const Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i)
    if (!truth(call.arg(i))) return false;
  return true;
}

Result any(const Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i)
    if (truth(call.arg(i))) return true;
  return false;
}

Result negate(const Call& call) { return !truth(call.arg(0)); }

Result cond(const Call& call) { return call.arg(truth(call.arg(0)) ? 1 : 2); }

Result if_null(const Call& call) {
  for (std::size_t i = 0; i + 1 < call.count(); ++i) {
    Result value = call.arg(i);
    if (!value.nullish()) return value;
  }
  return call.arg(call.count() - 1);
}

constexpr Operator logic_table[] = {
    {"$eq", 2, 2, eq},
    {"$ne", 2, 2, ne},
    {"$gt", 2, 2, gt},
    {"$gte", 2, 2, gte},
    {"$lt", 2, 2, lt},
    {"$lte", 2, 2, lte},
    {"$cmp", 2, 2, cmp},
    {"$and", 0, Operator::any, all},
    {"$or", 0, Operator::any, any},
    {"$not", 1, 1, negate},
    {"$cond", 3, 3, "if then else", cond},
    {"$ifNull", 2, Operator::any, if_null},
};

}  // namespace

std::span<const Operator> logic_operators() { return logic_table; }

}  // namespace stele::model
