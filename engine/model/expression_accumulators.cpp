// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Of several values one. A single argument that is an array stands for its elements; among several
// arguments an array is a value like others.
#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_numbers.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

// Calls visit(const Value&) with each value that is there.
template <class Visit>
void visit_values(const Call& call, Visit&& visit) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    const Result value = call.arg(i);
    if (value.missing()) continue;
    if (call.count() > 1 || !value->is_array()) {
      visit(*value);
      continue;
    }
    for (const Value& element : value->array()) visit(element);
  }
}

Result sum(const Call& call) {
  Sum total;
  visit_values(call, [&](const Value& value) {
    if (value.is_number()) total.add(value);
  });
  return total.result(call);
}

Result avg(const Call& call) {
  Sum total;
  std::int64_t count = 0;
  visit_values(call, [&](const Value& value) {
    if (!value.is_number()) return;
    total.add(value);
    ++count;
  });
  return count == 0 ? Result(nullptr) : call.finite(total.number() / static_cast<double>(count));
}

template <int direction>
Result extreme(const Call& call) {
  std::optional<Value> best;
  visit_values(call, [&](const Value& value) {
    if (value.is_null() || (best && direction * compare(value, *best) <= 0)) return;
    call.context.charge(value);
    best = value;
  });
  return best ? Result(std::move(*best)) : Result(nullptr);
}

template <bool sample>
Result deviation(const Call& call) {
  std::int64_t count = 0;
  double mean = 0, squares = 0;  // Welford's recurrence: no difference of large sums
  visit_values(call, [&](const Value& value) {
    if (!value.is_number()) return;
    const double delta = value.number() - mean;
    mean += delta / static_cast<double>(++count);
    squares += delta * (value.number() - mean);
  });
  const std::int64_t divisor = sample ? count - 1 : count;
  return divisor <= 0 ? Result(nullptr) : call.finite(std::sqrt(squares / static_cast<double>(divisor)));
}

// {n, input}: null and missing do not count.
template <int direction>
Result extremes(const Call& call) {
  const std::int64_t n = call.integer(call.arg(0), "an integer as \"n\"");
  if (n <= 0) call.refuse(text("needs an \"n\" above 0, not ", n));
  const Result input = call.arg(1);
  std::vector<const Value*> sorted;
  for (const Value& value : call.array(input, "an array as \"input\""))
    if (!value.is_null()) sorted.push_back(&value);
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Value* a, const Value* b) {
    call.context.tick();
    return direction * compare(*a, *b) > 0;
  });
  if (sorted.size() > static_cast<std::size_t>(n)) sorted.resize(static_cast<std::size_t>(n));
  Array out;
  for (const Value* value : sorted) out.push_back(Result::at(value).take(call.context));
  return out;
}

// {input, method} and {input, p, method}.
std::vector<double> numbers_of(const Call& call, std::size_t method) {
  const Result approximate = call.arg(method);
  if (call.string(approximate, "\"approximate\" as \"method\"") != "approximate")
    call.refuse("takes only \"approximate\" as \"method\"");
  std::vector<double> numbers;
  const Result input = call.arg(0);
  const auto add = [&numbers](const Value& value) {
    if (value.is_number()) numbers.push_back(value.number());
  };
  if (!input.missing() && input->is_array())
    std::ranges::for_each(input->array(), add);
  else if (!input.missing())
    add(*input);
  std::ranges::sort(numbers);
  return numbers;
}

Result median(const Call& call) { return percentile_of(numbers_of(call, 1), 0.5); }

Result percentile(const Call& call) {
  const std::vector<double> numbers = numbers_of(call, 2);
  const Result parts = call.arg(1);
  Array out;
  for (const Value& part : call.array(parts, "an array of numbers from 0 to 1 as \"p\"")) {
    if (!part.is_number() || part.number() < 0 || part.number() > 1) call.refuse("needs numbers from 0 to 1 as \"p\"");
    out.push_back(percentile_of(numbers, part.number()));
  }
  if (out.empty()) call.refuse("needs one or more numbers as \"p\"");
  return out;
}

constexpr Operator accumulator_table[] = {
    {"$sum", 0, Operator::any, sum},
    {"$avg", 0, Operator::any, avg},
    {"$min", 0, Operator::any, extreme<-1>},
    {"$max", 0, Operator::any, extreme<1>},
    {"$stdDevPop", 0, Operator::any, deviation<false>},
    {"$stdDevSamp", 0, Operator::any, deviation<true>},
    {"$maxN", "n input", extremes<1>},
    {"$minN", "n input", extremes<-1>},
    {"$median", "input method", median},
    {"$percentile", "input p method", percentile},
};

}  // namespace

std::span<const Operator> accumulator_operators() { return accumulator_table; }

}  // namespace stele::model
