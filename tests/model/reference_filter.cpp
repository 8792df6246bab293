// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/reference_filter.h"

#include <bitset>
#include <cmath>
#include <limits>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace stele::model::reference {
namespace {

// Order

int sign(long double a, long double b) { return a < b ? -1 : a > b ? 1 : 0; }

// 64 bits of mantissa hold every int64 and every double.
static_assert(std::numeric_limits<long double>::digits >= 64);
long double exact(const Value& number) {
  return number.is_integer() ? static_cast<long double>(number.integer())
                             : static_cast<long double>(number.real().number);
}

int rank(const Value& value) {
  if (value.is_null()) return 1;
  if (value.is_number()) return 2;
  if (value.is_string()) return 3;
  if (value.is_object()) return 4;
  if (value.is_array()) return 5;
  switch (value.type()) {
    case Type::binary: return 6;
    case Type::oid: return 7;
    case Type::boolean: return 8;
    case Type::date: return 9;
    default: return 10;
  }
}

int order(const Value& a, const Value& b) {
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  if (a.is_null()) return 0;
  if (a.is_number()) return sign(exact(a), exact(b));
  if (a.is_string()) return a.string().compare(b.string());
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.array().size() && i < b.array().size(); ++i)
      if (order(a.array()[i], b.array()[i]) != 0) return order(a.array()[i], b.array()[i]);
    return sign(static_cast<long double>(a.array().size()), static_cast<long double>(b.array().size()));
  }
  if (a.is_object()) {
    for (std::size_t i = 0; i < a.object().size() && i < b.object().size(); ++i) {
      const Member &x = a.object()[i], &y = b.object()[i];
      if (rank(x.value) != rank(y.value)) return rank(x.value) - rank(y.value);
      if (x.name != y.name) return x.name.compare(y.name);
      if (order(x.value, y.value) != 0) return order(x.value, y.value);
    }
    return sign(static_cast<long double>(a.object().size()), static_cast<long double>(b.object().size()));
  }
  if (a.type() == Type::boolean) return a.boolean() - b.boolean();
  if (a.type() == Type::date) return sign(a.date().milliseconds, b.date().milliseconds);
  if (a.type() == Type::regex) {
    const int c = a.pattern().source.compare(b.pattern().source);
    return c ? c : a.pattern().options.compare(b.pattern().options);
  }
  if (a.type() == Type::oid)
    return std::string(a.oid().bytes.data(), 12).compare(std::string(b.oid().bytes.data(), 12));
  const Binary &x = a.binary(), &y = b.binary();
  if (x.bytes.size() != y.bytes.size()) return x.bytes.size() < y.bytes.size() ? -1 : 1;
  if (x.subtype != y.subtype) return x.subtype - y.subtype;
  return x.bytes.compare(y.bytes);
}

// Paths

struct End {
  std::optional<Value> value;  // empty: missing
  bool by_index;               // an element that the path names by its place: not entered
};

void follow(const std::optional<Value>& value, std::vector<std::string> steps, std::vector<End>& ends) {
  if (steps.empty()) {
    ends.push_back({value, false});
    return;
  }
  const std::string step = steps.front();
  const std::vector<std::string> rest(steps.begin() + 1, steps.end());
  if (value && value->is_object()) {
    const Value* member = value->find(step);
    follow(member ? std::optional(*member) : std::nullopt, rest, ends);
  } else if (value && value->is_array()) {
    for (std::size_t i = 0; i < value->array().size(); ++i) {
      const Value& element = value->array()[i];
      if (element.is_object()) follow(element, steps, ends);
      if (std::to_string(i) != step) continue;
      if (rest.empty())
        ends.push_back({element, true});
      else if (element.is_object() || element.is_array())
        follow(element, rest, ends);
    }
  } else {
    ends.push_back({std::nullopt, false});
  }
}

std::vector<End> ends_of(const Value& document, const std::string& path) {
  std::vector<std::string> steps = {""};
  for (const char c : path) {
    if (c == '.')
      steps.emplace_back();
    else
      steps.back() += c;
  }
  std::vector<End> ends;
  follow(document, steps, ends);
  return ends;
}

// Operators

bool on_ends(const Member& op, const Value& siblings, const std::vector<End>& ends);

bool on_path(const Value& operators, const std::vector<End>& ends) {
  for (const Member& op : operators.object())
    if (op.name != "$options" && !on_ends(op, operators, ends)) return false;
  return true;
}

bool has_type(const Value& value, const Value& wanted) {
  std::string name;
  if (value.is_number()) {
    const bool small = value.is_integer() && std::abs(exact(value) + 0.5L) < 2147483648.0L;
    name = !value.is_integer() ? "double" : small ? "int" : "long";
  } else {
    const std::string names[] = {"", "null", "", "string", "object", "array", "binData", "objectId", "bool", "date", "regex"};
    name = names[rank(value)];
  }
  const std::vector<std::string> numbered = {"",         "double", "string", "object", "array", "binData", "",
                                             "objectId", "bool",   "date",   "null",   "regex", "",        "",
                                             "",         "",       "int",    "",       "long"};
  if (wanted.is_number()) return numbered.at(static_cast<std::size_t>(wanted.number())) == name;
  return wanted.string() == name || (wanted.string() == "number" && value.is_number());
}

// Empty when no int64.
std::optional<std::int64_t> truncated(const Value& number) {
  if (number.is_integer()) return number.integer();
  const long double whole = std::trunc(exact(number));
  if (whole < -9223372036854775808.0L || whole > 9223372036854775807.0L) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

bool leaves(const Value& value, const Array& arguments) {
  if (!value.is_number() || !truncated(value)) return false;
  const __int128 dividend = *truncated(value), divisor = *truncated(arguments[0]);
  return dividend % divisor == *truncated(arguments[1]);
}

std::vector<std::size_t> positions_of(const Value& operand) {
  std::vector<std::size_t> positions;
  if (operand.is_array())
    for (const Value& position : operand.array()) positions.push_back(static_cast<std::size_t>(position.number()));
  if (operand.is_number())
    for (std::size_t i = 0; i < 64; ++i)
      if (std::bitset<64>(static_cast<std::uint64_t>(*truncated(operand)))[i]) positions.push_back(i);
  if (operand.type() == Type::binary)
    for (std::size_t i = 0; i < operand.binary().bytes.size() * 8; ++i)
      if (operand.binary().bytes[i / 8] & (1 << i % 8)) positions.push_back(i);
  return positions;
}

bool bit_is_set(const Value& value, std::size_t position) {
  if (value.is_number())
    return std::bitset<64>(static_cast<std::uint64_t>(*truncated(value)))[std::min<std::size_t>(position, 63)];
  const std::string& bytes = value.binary().bytes;
  return position < bytes.size() * 8 && (bytes[position / 8] & (1 << position % 8)) != 0;
}

bool has_bits(const std::string& op, const Value& value, const Value& operand) {
  if (value.is_number() && (!truncated(value) || static_cast<long double>(*truncated(value)) != exact(value)))
    return false;
  if (!value.is_number() && value.type() != Type::binary) return false;
  std::size_t set = 0;
  const auto positions = positions_of(operand);
  for (const std::size_t position : positions) set += bit_is_set(value, position);
  if (op == "$bitsAllSet") return set == positions.size();
  if (op == "$bitsAllClear") return set == 0;
  if (op == "$bitsAnySet") return set > 0;
  return set < positions.size();
}

bool found(const Value& text, const Value& pattern, const Value* options) {
  if (pattern.type() == Type::regex) {
    const Value letters = pattern.pattern().options;
    return found(text, pattern.pattern().source, &letters);
  }
  if (text.type() == Type::regex)
    return text.pattern().source == pattern.string() && text.pattern().options == (options ? options->string() : "");
  auto flags = std::regex::ECMAScript;
  if (options && options->string().find('i') != std::string::npos) flags |= std::regex::icase;
  return text.is_string() && std::regex_search(text.string(), std::regex(pattern.string(), flags));
}

bool element_matches(const Value& inner, const Value& element) {
  const std::string first = inner.object().empty() ? "" : inner.object()[0].name;
  if (first.starts_with('$') && first != "$and" && first != "$or" && first != "$nor")
    return on_path(inner, {End{element, true}});
  if (element.is_object()) return matches(inner, element);
  if (!element.is_array()) return false;
  Object object;
  for (std::size_t i = 0; i < element.array().size(); ++i) object.push_back({std::to_string(i), element.array()[i]});
  return matches(inner, object);
}

// Of one value, not entered. Empty: missing.
bool on_value(const Member& op, const Value& siblings, const std::optional<Value>& value) {
  const std::string& name = op.name;
  if (name == "$eq" || name == "$gt" || name == "$gte" || name == "$lt" || name == "$lte") {
    const Value null, &v = value ? *value : null;
    if (rank(v) != rank(op.value)) return false;
    const int c = order(v, op.value);
    return c == 0  ? name == "$eq" || name == "$gte" || name == "$lte"
           : c < 0 ? name == "$lt" || name == "$lte"
                   : name == "$gt" || name == "$gte";
  }
  if (name == "$in") {
    for (const Value& one : op.value.array())
      if (one.type() == Type::regex ? value && found(*value, one, nullptr) : order(value ? *value : Value(), one) == 0)
        return true;
    return false;
  }
  if (!value) return false;
  if (name == "$exists") return true;
  if (name == "$type") {
    const Array wanted = op.value.is_array() ? op.value.array() : Array{op.value};
    for (const Value& one : wanted)
      if (has_type(*value, one)) return true;
    return false;
  }
  if (name == "$regex") return found(*value, op.value, siblings.find("$options"));
  if (name == "$mod") return leaves(*value, op.value.array());
  if (name.starts_with("$bits")) return has_bits(name, *value, op.value);
  if (name == "$size") return value->is_array() && static_cast<long double>(value->array().size()) == exact(op.value);
  if (name == "$elemMatch") {
    if (!value->is_array()) return false;
    for (const Value& element : value->array())
      if (element_matches(op.value, element)) return true;
    return false;
  }
  throw std::logic_error("the reference does not know " + name);
}

bool is_false(const Value& value) {
  return value.is_null() || (value.is_number() && exact(value) == 0) ||
         (value.type() == Type::boolean && !value.boolean());
}

bool on_ends(const Member& op, const Value& siblings, const std::vector<End>& ends) {
  if (op.name == "$not" && op.value.type() == Type::regex) return !on_ends({"$regex", op.value}, siblings, ends);
  if (op.name == "$not") return !on_path(op.value, ends);
  if (op.name == "$ne") return !on_ends({"$eq", op.value}, siblings, ends);
  if (op.name == "$nin") return !on_ends({"$in", op.value}, siblings, ends);
  if (op.name == "$exists" && is_false(op.value)) return !on_ends({"$exists", true}, siblings, ends);
  if (op.name == "$all") {
    for (const Value& wanted : op.value.array()) {
      const bool nested = wanted.is_object() && wanted.find("$elemMatch");
      const char* equals = wanted.type() == Type::regex ? "$regex" : "$eq";
      if (!(nested ? on_path(wanted, ends) : on_ends({equals, wanted}, Object(), ends))) return false;
    }
    return !op.value.array().empty();
  }
  const bool enters = op.name != "$size" && op.name != "$elemMatch";
  for (const End& end : ends) {
    if (on_value(op, siblings, end.value)) return true;
    if (!enters || end.by_index || !end.value || !end.value->is_array()) continue;
    for (const Value& element : end.value->array())
      if (on_value(op, siblings, element)) return true;
  }
  return false;
}

bool member_matches(const Member& member, const Value& document) {
  if (member.name == "$comment") return true;
  if (member.name.starts_with('$')) {
    std::size_t matched = 0;
    for (const Value& filter : member.value.array()) matched += matches(filter, document);
    if (member.name == "$and") return matched == member.value.array().size();
    if (member.name == "$or") return matched > 0;
    return matched == 0;
  }
  const std::vector<End> ends = ends_of(document, member.name);
  const bool operators =
      member.value.is_object() && !member.value.object().empty() && member.value.object()[0].name.starts_with('$');
  if (member.value.type() == Type::regex) return on_ends({"$regex", member.value}, Object(), ends);
  return operators ? on_path(member.value, ends) : on_ends({"$eq", member.value}, Object(), ends);
}

}  // namespace

bool matches(const Value& filter, const Value& document) {
  for (const Member& member : filter.object())
    if (!member_matches(member, document)) return false;
  return true;
}

}  // namespace stele::model::reference
