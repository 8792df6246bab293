// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Arrays by position. ($map, $filter, $reduce: expression_scopes.cpp; sets: expression_sets.cpp.)
#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/expression_node.h"
#include "engine/model/sort.h"

#include <algorithm>

namespace stele::model {
namespace {

Value copied(const Call& call, const Value& element) { return Result::at(&element).take(call.context); }

// The elements [from, to) as an array of their own.
Result part(const Call& call, const Array& array, std::size_t from, std::size_t to) {
  Array out;
  out.reserve(to - from);
  for (std::size_t i = from; i < to; ++i) out.push_back(copied(call, array[i]));
  return out;
}

Result element(const Call& call, const Result& value, std::int64_t index) {
  const Array& array = call.array(value);
  const auto size = static_cast<std::int64_t>(array.size());
  if (index < -size || index >= size) return {};
  const Value& found = array[static_cast<std::size_t>(index < 0 ? index + size : index)];
  return value.owns() ? Result(copied(call, found)) : Result::at(&found);
}

Result elem_at(const Call& call) {
  const Result array = call.arg(0), index = call.arg(1);
  if (array.nullish() || index.nullish()) return nullptr;
  call.array(array, "an array and an index");
  return element(call, array, call.integer32(index, "a 32-bit integer as index"));
}

template <int index>
Result element_at(const Call& call) {
  const Result array = call.arg(0);
  return array.nullish() ? Result(nullptr) : element(call, array, index);
}

Result concat_arrays(const Call& call) {
  Array out;
  for (std::size_t i = 0; i < call.count(); ++i) {
    Result value = call.arg(i);
    if (value.nullish()) return nullptr;
    call.array(value, "arrays");
    Value array = std::move(value).take(call.context);
    std::ranges::move(array.array(), std::back_inserter(out));
  }
  return out;
}

Result in(const Call& call) {
  const Result value = call.arg(0), array = call.arg(1);
  for (const Value& one : call.array(array, "an array as its second argument"))
    if (call.context.tick(); compare_results(value.get(), &one) == 0) return true;
  return false;
}

Result index_of(const Call& call) {
  const Result value = call.arg(0), sought = call.arg(1);
  if (value.nullish()) return nullptr;
  const Array& array = call.array(value);
  const auto size = static_cast<std::int64_t>(array.size());
  const std::int64_t from = call.bound(2, 0), to = std::min(call.bound(3, size), size);
  for (std::int64_t i = from; i < to; ++i)
    if (call.context.tick(); compare_results(&array[static_cast<std::size_t>(i)], sought.get()) == 0) return i;
  return -1;
}

Result is_array(const Call& call) {
  const Result value = call.arg(0);
  return !value.missing() && value->is_array();
}

Result range(const Call& call) {
  const std::int64_t start = call.integer32(call.arg(0)), end = call.integer32(call.arg(1));
  const std::int64_t step = call.given(2) ? call.integer32(call.arg(2)) : 1;
  if (step == 0) call.refuse("needs a step that is not 0");
  const std::int64_t distance = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
  if (distance <= 0) return Array();
  const std::int64_t count = (distance + stride - 1) / stride;
  call.context.charge(static_cast<std::size_t>(count) * sizeof(Value));
  Array out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    call.context.tick();
    out.push_back(start + i * step);
  }
  return out;
}

Result reverse(const Call& call) {
  Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  call.array(value);
  Value array = std::move(value).take(call.context);
  std::ranges::reverse(array.array());
  return array;
}

Result size(const Call& call) { return static_cast<std::int64_t>(call.array(call.arg(0)).size()); }

// [array, n]: the first n, or the last -n. [array, position, n].
Result slice(const Call& call) {
  const Result value = call.arg(0), second = call.arg(1), third = call.arg(2);
  if (value.nullish() || second.nullish() || (call.given(2) && third.nullish())) return nullptr;
  const Array& array = call.array(value, "an array to slice");
  const auto count = static_cast<std::int64_t>(array.size());
  std::int64_t from = call.integer32(second), n = from;
  if (call.given(2)) {
    n = call.integer32(third);
    if (n <= 0) call.refuse(text("needs a count above 0 behind a position, not ", n));
    from = from < 0 ? std::max<std::int64_t>(from + count, 0) : std::min(from, count);
  } else {
    from = n < 0 ? std::max<std::int64_t>(n + count, 0) : 0;
    n = n < 0 ? count : n;
  }
  return part(call, array, static_cast<std::size_t>(from), static_cast<std::size_t>(std::min(from + n, count)));
}

// {n, input}: of the values at one end.
template <bool front>
Result some(const Call& call) {
  const std::int64_t n = call.integer(call.arg(0), "an integer as \"n\"");
  if (n <= 0) call.refuse(text("needs an \"n\" above 0, not ", n));
  const Result input = call.arg(1);
  const Array& array = call.array(input, "an array as \"input\"");
  const std::size_t count = std::min(static_cast<std::size_t>(n), array.size());
  return front ? part(call, array, 0, count) : part(call, array, array.size() - count, array.size());
}

// inputs (each a child), then defaults?
struct ZipNode final : Expression::Node {
  std::size_t inputs = 0;
  bool longest = false;
  std::shared_ptr<const std::string> what;

  [[noreturn]] void refuse(std::string_view rule) const {
    fail(ErrorCode::invalid, text(*what, ": $zip ", rule), {{"reason", "WrongType"}, {"operator", "$zip"}});
  }

  Result evaluate(Context& context) const override {
    std::vector<Result> arrays;
    std::size_t rows = longest ? 0 : SIZE_MAX;
    for (std::size_t i = 0; i < inputs; ++i) {
      arrays.push_back(children[i]->evaluate(context));
      if (arrays[i].nullish()) return nullptr;
      if (!arrays[i]->is_array())
        refuse(text("needs arrays as \"inputs\", not a value of type ", name(arrays[i]->type())));
      rows = longest ? std::max(rows, arrays[i]->array().size()) : std::min(rows, arrays[i]->array().size());
    }
    const Result defaults = children.size() > inputs ? children[inputs]->evaluate(context) : Result();
    if (!defaults.nullish() && (!defaults->is_array() || defaults->array().size() != inputs))
      refuse("needs as many \"defaults\" as \"inputs\"");
    return zipped(context, arrays, rows, defaults);
  }

  Result zipped(Context& context, const std::vector<Result>& arrays, std::size_t rows, const Result& defaults) const {
    Array out;
    for (std::size_t row = 0; row < rows; ++row) {
      Array tuple;
      for (std::size_t i = 0; i < inputs; ++i) {
        const Array& array = arrays[i]->array();
        const Value* filler = defaults.nullish() ? nullptr : &defaults->array()[i];
        tuple.push_back(Result::at(row < array.size() ? &array[row] : filler).take(context));
      }
      out.push_back(std::move(tuple));
    }
    return out;
  }
};

NodePtr parse_zip(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$zip", arguments, "inputs useLongestLength? defaults?");
  auto node = std::make_shared<ZipNode>();
  node->what = parser.what();
  if (!parts[0]->is_array() || parts[0]->array().empty())
    parser.refuse("$zip takes an array of one or more \"inputs\"");
  if (parts[1] && parts[1]->type() != Type::boolean) parser.refuse("$zip takes true or false as \"useLongestLength\"");
  node->longest = parts[1] && parts[1]->boolean();
  if (parts[2] && !node->longest) parser.refuse("$zip takes \"defaults\" only with \"useLongestLength\": true");
  for (const Value& input : parts[0]->array()) node->children.push_back(parser.parse(input));
  node->inputs = node->children.size();
  if (parts[2]) node->children.push_back(parser.parse(*parts[2]));
  return parser.folded(node);
}

struct SortArrayNode final : Expression::Node {
  int direction = 0;  // of whole values; 0: by `sort`
  Sort sort;
  std::shared_ptr<const std::string> what;

  Result evaluate(Context& context) const override {
    Result input = children[0]->evaluate(context);
    if (input.nullish()) return nullptr;
    if (!input->is_array())
      fail(ErrorCode::invalid,
           text(*what, ": $sortArray needs an array as \"input\", not a value of type ", name(input->type())),
           {{"reason", "WrongType"}, {"operator", "$sortArray"}});
    Value array = std::move(input).take(context);
    std::stable_sort(array.array().begin(), array.array().end(), [&](const Value& a, const Value& b) {
      context.tick();
      return (direction != 0 ? direction * compare(a, b) : sort.compare(a, b)) < 0;
    });
    return array;
  }
};

NodePtr parse_sort_array(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$sortArray", arguments, "input sortBy");
  auto node = std::make_shared<SortArrayNode>();
  node->what = parser.what();
  node->children.push_back(parser.parse(*parts[0]));
  if (parts[1]->is_object()) {
    node->sort = Sort::of(*parts[1], *parser.what() + ", $sortArray");
  } else {
    const double direction = parts[1]->is_number() ? parts[1]->number() : 0;
    if (direction != 1 && direction != -1)
      parser.refuse("$sortArray takes 1, -1 or an order such as {\"price\": -1} as \"sortBy\"");
    node->direction = static_cast<int>(direction);
  }
  return parser.folded(node);
}

constexpr Operator array_table[] = {
    {"$arrayElemAt", 2, 2, elem_at},
    {"$first", 1, 1, element_at<0>},
    {"$last", 1, 1, element_at<-1>},
    {"$concatArrays", 0, Operator::any, concat_arrays},
    {"$in", 2, 2, in},
    {"$indexOfArray", 2, 4, index_of},
    {"$isArray", 1, 1, is_array},
    {"$range", 2, 3, range},
    {"$reverseArray", 1, 1, reverse},
    {"$size", 1, 1, size},
    {"$slice", 2, 3, slice},
    {"$firstN", "n input", some<true>},
    {"$lastN", "n input", some<false>},
};

constexpr Form forms[] = {{"$zip", parse_zip}, {"$sortArray", parse_sort_array}};

}  // namespace

std::span<const Operator> array_operators() { return array_table; }
std::span<const Form> array_forms() { return forms; }

}  // namespace stele::model
