// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/reference_update.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace stele::model {
namespace {

struct Refused {};
using Steps = std::vector<std::string>;
// The value there (empty: missing) to the value to be there (empty: nothing).
using Edit = std::function<std::optional<Value>(const std::optional<Value>&)>;

Steps split(const std::string& path) {
  Steps steps(1);
  for (const char c : path)
    if (c == '.')
      steps.emplace_back();
    else
      steps.back() += c;
  return steps;
}

std::optional<std::size_t> number(const std::string& step) {
  if (step.empty() || step.size() > 6 || (step.size() > 1 && step[0] == '0')) return std::nullopt;
  if (!std::ranges::all_of(step, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::stoul(step);
}

// What the generator makes: integers, doubles with halves, strings, null, bools, arrays, objects.
int rank(const Value& v) {
  if (v.is_null()) return 0;
  if (v.is_number()) return 1;
  if (v.is_string()) return 2;
  if (v.is_object()) return 3;
  return v.is_array() ? 4 : 5;
}

int order(const Value& a, const Value& b) {
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  if (a.is_number()) {
    using Exact = long double;  // holds every int64 and every double
    const Exact x = a.is_integer() ? Exact(a.integer()) : Exact(a.number());
    const Exact y = b.is_integer() ? Exact(b.integer()) : Exact(b.number());
    return x < y ? -1 : x > y;
  }
  if (a.is_string()) return a.string().compare(b.string());
  if (rank(a) == 5) return a.boolean() - b.boolean();
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.array().size() && i < b.array().size(); ++i)
      if (const int c = order(a.array()[i], b.array()[i])) return c;
    return static_cast<int>(a.array().size()) - static_cast<int>(b.array().size());
  }
  if (!a.is_object()) return 0;
  for (std::size_t i = 0; i < a.object().size() && i < b.object().size(); ++i) {
    const Member &x = a.object()[i], &y = b.object()[i];
    if (rank(x.value) != rank(y.value)) return rank(x.value) - rank(y.value);
    if (x.name != y.name) return x.name < y.name ? -1 : 1;
    if (const int c = order(x.value, y.value)) return c;
  }
  return static_cast<int>(a.object().size()) - static_cast<int>(b.object().size());
}

bool same(const Value& a, const Value& b) { return order(a, b) == 0; }

Value edit(const Value& in, const Steps& steps, std::size_t i, const Edit& change, bool may_block);

// The way ends at step i: then only $unset goes on, and not to elements of an array that is not there.
void refuse_unless(bool may_block, const Steps& steps, std::size_t i) {
  if (!may_block || std::find(steps.begin() + static_cast<std::ptrdiff_t>(i), steps.end(), "$[]") != steps.end())
    throw Refused();
}

std::optional<Value> edit_or_make(const std::optional<Value>& in, const Steps& steps, std::size_t i, const Edit& change,
                                  bool may_block) {
  if (i == steps.size()) return change(in);
  if (in) return edit(*in, steps, i, change, may_block);
  if (steps[i] == "$[]") throw Refused();
  const auto inner = edit_or_make(std::nullopt, steps, i + 1, change, may_block);
  if (!inner) return std::nullopt;
  return Value(Object{{steps[i], *inner}});
}

Value edit_array(const Array& in, const Steps& steps, std::size_t i, const Edit& change, bool may_block) {
  const auto index = number(steps[i]);
  if (!index) {
    refuse_unless(may_block, steps, i);
    return in;
  }
  const bool present = *index < in.size();
  const auto now = edit_or_make(present ? std::optional(in[*index]) : std::nullopt, steps, i + 1, change, may_block);
  Array out = in;
  if (!now && !present) return out;
  while (out.size() <= *index) out.push_back(nullptr);
  out[*index] = now ? *now : Value(nullptr);
  return out;
}

Value edit_object(const Object& in, const Steps& steps, std::size_t i, const Edit& change, bool may_block) {
  Object out;
  bool found = false;
  for (const Member& member : in) {
    if (member.name != steps[i]) {
      out.push_back(member);
      continue;
    }
    found = true;
    if (const auto now = edit_or_make(member.value, steps, i + 1, change, may_block))
      out.push_back({member.name, *now});
  }
  if (found) return out;
  if (const auto now = edit_or_make(std::nullopt, steps, i + 1, change, may_block)) out.push_back({steps[i], *now});
  return out;
}

Value edit(const Value& in, const Steps& steps, std::size_t i, const Edit& change, bool may_block) {
  if (steps[i] == "$[]") {
    if (!in.is_array()) throw Refused();
    Array out;
    for (const Value& element : in.array()) {
      const auto now = edit_or_make(element, steps, i + 1, change, may_block);
      out.push_back(now ? *now : Value(nullptr));
    }
    return out;
  }
  if (in.is_array()) return edit_array(in.array(), steps, i, change, may_block);
  if (in.is_object()) return edit_object(in.object(), steps, i, change, may_block);
  refuse_unless(may_block, steps, i);
  return in;
}

Value arithmetic(const std::optional<Value>& in, const Value& operand, bool multiply) {
  if (in && !in->is_number()) throw Refused();
  const Value zero = operand.is_integer() ? Value(0) : Value(0.0);
  if (!in && multiply) return zero;
  const Value& a = in ? *in : zero;
  if (a.is_integer() && operand.is_integer()) {
    const __int128 x = a.integer(), y = operand.integer(), result = multiply ? x * y : x + y;
    if (result > INT64_MAX || result < INT64_MIN) throw Refused();
    if (result == x) return a;
    return static_cast<std::int64_t>(result);
  }
  const double result = multiply ? a.number() * operand.number() : a.number() + operand.number();
  if (!std::isfinite(result)) throw Refused();
  if (in && !in->is_integer() && in->number() == result) return *in;
  return result;
}

Array elements(const std::optional<Value>& in) {
  if (in && !in->is_array()) throw Refused();
  return in ? in->array() : Array();
}

Value push(const std::optional<Value>& in, const Value& operand) {
  Array list = elements(in);
  if (!operand.is_object() || !operand.find("$each")) {
    list.push_back(operand);
    return list;
  }
  const Value* position = operand.find("$position");
  std::int64_t at = position ? position->integer() : static_cast<std::int64_t>(list.size());
  if (at < 0) at = std::max<std::int64_t>(0, at + static_cast<std::int64_t>(list.size()));
  Array out;
  for (std::size_t i = 0; i < list.size() && static_cast<std::int64_t>(i) < at; ++i) out.push_back(list[i]);
  const std::size_t kept = out.size();
  for (const Value& element : operand.find("$each")->array()) out.push_back(element);
  for (std::size_t i = kept; i < list.size(); ++i) out.push_back(list[i]);
  if (const Value* sort = operand.find("$sort")) {
    const auto sign = static_cast<int>(sort->integer());
    for (std::size_t i = 1; i < out.size(); ++i)  // insertion: stable
      for (std::size_t k = i; k > 0 && sign * order(out[k], out[k - 1]) < 0; --k) std::swap(out[k], out[k - 1]);
  }
  if (const Value* slice = operand.find("$slice")) {
    const std::int64_t n = slice->integer();
    while (static_cast<std::int64_t>(out.size()) > std::abs(n)) out.erase(n < 0 ? out.begin() : out.end() - 1);
  }
  return out;
}

Value add_to_set(const std::optional<Value>& in, const Value& operand) {
  Array list = elements(in);
  const bool each = operand.is_object() && !operand.object().empty() && operand.object()[0].name == "$each";
  for (const Value& element : each ? operand.object()[0].value.array() : Array{operand})
    if (std::ranges::none_of(list, [&](const Value& present) { return same(present, element); }))
      list.push_back(element);
  return list;
}

std::optional<Value> remove(const std::optional<Value>& in, const Array& values) {
  if (!in) return std::nullopt;
  Array out;
  for (const Value& element : elements(in))
    if (std::ranges::none_of(values, [&](const Value& value) { return same(element, value); })) out.push_back(element);
  return Value(out);
}

std::optional<Value> pop(const std::optional<Value>& in, std::int64_t end) {
  if (!in) return std::nullopt;
  Array list = elements(in);
  if (!list.empty()) list.erase(end > 0 ? list.end() - 1 : list.begin());
  return Value(list);
}

Edit edit_of(const std::string& op, const Value& operand) {
  using In = const std::optional<Value>&;
  if ((op == "$inc" || op == "$mul") && !operand.is_number()) throw Refused();
  if (op == "$set") return [=](In) { return operand; };
  if (op == "$unset") return [](In) { return std::nullopt; };
  if (op == "$inc") return [=](In in) { return arithmetic(in, operand, false); };
  if (op == "$mul") return [=](In in) { return arithmetic(in, operand, true); };
  if (op == "$min") return [=](In in) { return in && order(*in, operand) <= 0 ? *in : operand; };
  if (op == "$max") return [=](In in) { return in && order(*in, operand) >= 0 ? *in : operand; };
  if (op == "$push") return [=](In in) { return push(in, operand); };
  if (op == "$addToSet") return [=](In in) { return add_to_set(in, operand); };
  if (op == "$pull") return [=](In in) { return remove(in, {operand}); };
  if (op == "$pullAll") return [=](In in) { return remove(in, operand.array()); };
  if (op == "$pop") return [=](In in) { return pop(in, operand.integer()); };
  throw Refused();
}

// What $rename moves.
std::optional<Value> source_of(const Value& document, const Steps& steps) {
  Value at = document;
  bool in_array = false;
  for (const std::string& step : steps) {
    const auto index = number(step);
    if (!at.is_object() && !(at.is_array() && index)) throw Refused();
    const bool there = at.is_array() ? *index < at.array().size() : at.find(step) != nullptr;
    if (!there) return std::nullopt;
    in_array |= at.is_array();
    at = at.is_array() ? Value(at.array()[*index]) : Value(*at.find(step));
  }
  if (in_array) throw Refused();
  return at;
}

void refuse_arrays(const Value& document, const Steps& steps) {
  Value at = document;
  for (const std::string& step : steps) {
    if (!at.is_object()) throw Refused();
    if (!at.find(step)) return;
    at = Value(*at.find(step));
  }
}

Value rename(const Value& document, const std::string& from, const std::string& to) {
  const auto value = source_of(document, split(from));
  if (!value) return document;
  refuse_arrays(document, split(to));
  const Value without = edit(
      document, split(from), 0, [](const auto&) { return std::nullopt; }, true);
  return edit(
      without, split(to), 0, [&](const auto&) { return value; }, false);
}

struct Part {
  std::string op, path;
  Value operand;
};

bool before(const std::string& a, const std::string& b) {
  const Steps x = split(a), y = split(b);
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    const auto m = number(x[i]), n = number(y[i]);
    if (m && n && *m != *n) return *m < *n;
    if (m.has_value() != n.has_value()) return m.has_value();
    if (x[i] != y[i]) return x[i] < y[i];
  }
  return x.size() < y.size();
}

bool overlap(const std::string& a, const std::string& b) {
  const Steps x = split(a), y = split(b);
  for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
    if ((x[i] == "$[]") != (y[i] == "$[]")) return i > 0;  // elements by index and all of them
    if (x[i] != y[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<Value> reference_update(const Value& document, const Value& update) try {
  std::vector<Part> parts;
  Steps paths;
  for (const Member& op : update.object())
    for (const Member& member : op.value.object()) {
      const bool renames = op.name == "$rename";
      parts.push_back(
          {op.name, renames ? member.value.string() : member.name, renames ? Value(member.name) : member.value});
      paths.push_back(member.name);
      if (renames) paths.push_back(member.value.string());
    }
  for (std::size_t i = 0; i < paths.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (overlap(paths[i], paths[k])) throw Refused();
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return before(a.path, b.path); });
  Value now = document;
  for (const Part& part : parts) {
    if (part.op == "$rename") {
      now = rename(now, part.operand.string(), part.path);
    } else {
      now = edit(now, split(part.path), 0, edit_of(part.op, part.operand), part.op == "$unset");
    }
  }
  return now;
} catch (const Refused&) {
  return std::nullopt;
}

}  // namespace stele::model
