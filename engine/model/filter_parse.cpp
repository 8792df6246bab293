// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/filter.h"

#include <algorithm>
#include <limits>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

constexpr std::string_view not_offered_on_paths[] = {
    "$near",   "$nearSphere",  "$geoNear",     "$geoWithin", "$geoIntersects",
    "$within", "$maxDistance", "$minDistance", "$where",     "$text",
    "$ref",    "$id",          "$db"};
constexpr std::string_view not_offered_on_top[] = {"$where", "$text", "$sampleRate"};
constexpr std::string_view above_paths[] = {"$and",        "$or",      "$nor",        "$expr",
                                            "$jsonSchema", "$comment", "$alwaysTrue", "$alwaysFalse"};

template <class Names>
bool one_of(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

[[noreturn]] void refuse_filter(std::string_view where, std::string_view rule) {
  fail(ErrorCode::invalid, text(where, ": ", rule), {{"reason", "InvalidFilter"}});
}

/// An operator on a path: what messages about it say, and what conditions of it need.
struct PathOperator {
  const Path& path;
  std::string_view name;
  std::string_view what;  // the filter

  std::string where() const { return text(what, ", path \"", path.text(), "\": ", name); }
  [[noreturn]] void refuse(std::string_view rule) const {
    fail(ErrorCode::invalid, text(where(), ' ', rule),
         {{"reason", "InvalidFilter"}, {"operator", std::string(name)}, {"path", path.text()}});
  }
};

[[noreturn]] void refuse_unknown(const PathOperator& op) {
  if (one_of(not_offered_on_paths, op.name))
    fail(ErrorCode::unsupported,
         text(op.what, ", path \"", op.path.text(), "\": the operator ", op.name, " is not offered"),
         {{"reason", "Operator"}, {"operator", std::string(op.name)}, {"path", op.path.text()}});
  if (one_of(above_paths, op.name)) op.refuse("stands above paths, as a member of the filter itself");
  fail(
      ErrorCode::invalid,
      text(op.what, ", path \"", op.path.text(), "\": unknown operator ", op.name,
           "; known: $eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex $options $mod $size $all $elemMatch "
           "$bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear $not, and $and $or $nor $expr $jsonSchema above paths"),
      {{"reason", "UnknownOperator"}, {"operator", std::string(op.name)}, {"path", op.path.text()}});
}

Condition none_of(Condition child) {
  Condition c;
  c.kind = Kind::none_of;
  c.children.push_back(std::move(child));
  return c;
}

Condition leaf(Kind kind, const Path& path, Value operand = {}, Condition::Test test = {}) {
  Condition c;
  c.kind = kind;
  c.path = path;
  c.operand = std::move(operand);
  c.test = std::move(test);
  return c;
}

// A conjunction inside another is part of it.
void add(Condition& all, Condition child) {
  if (child.kind != Kind::all_of) {
    all.children.push_back(std::move(child));
    return;
  }
  for (Condition& grandchild : child.children) all.children.push_back(std::move(grandchild));
}

Condition simplified(Condition all) {
  if (all.children.size() != 1) return all;
  Condition only = std::move(all.children[0]);  // not straight into `all`, whose part it is
  return only;
}

// Operators on a path

Condition regex_condition(const Path& path, const Pattern& pattern, std::string_view what) {
  return leaf(Kind::regex, path, {}, Regex::compile(pattern.source, pattern.options, text(what, ", path \"", path.text(), '"')));
}

// A regular expression stands for what it matches.
Condition parse_value(const Path& path, const Value& value, std::string_view what) {
  return value.type() == Type::regex ? regex_condition(path, value.pattern(), what) : leaf(Kind::eq, path, value);
}

Condition comparison(const PathOperator& op, Kind kind, const Value& operand) {
  if (operand.type() == Type::regex)
    op.refuse("cannot take a regular expression; use $regex, or $eq for one that is stored");
  return leaf(kind, op.path, operand);
}

Condition parse_in(const PathOperator& op, const Value& list) {
  if (!list.is_array()) op.refuse("needs an array of values");
  Condition c = leaf(Kind::in, op.path);
  Condition either;
  either.kind = Kind::any_of;
  for (const Value& operand : list.array()) {
    if (is_operators(operand))
      op.refuse(
          text("holds the operator ", operand.object()[0].name, ", and takes only values; write $or for operators"));
    if (operand.type() == Type::regex) {
      either.children.push_back(regex_condition(op.path, operand.pattern(), op.what));
    } else {
      c.operands.push_back(operand);
    }
  }
  std::ranges::sort(c.operands, [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  c.operands.erase(std::unique(c.operands.begin(), c.operands.end(), equal), c.operands.end());
  if (either.children.empty()) return c;
  if (!c.operands.empty()) either.children.push_back(std::move(c));
  return either;
}

Condition parse_exists(const PathOperator& op, const Value& wanted) {
  Condition c = leaf(Kind::exists, op.path);
  return truth(wanted) ? c : none_of(std::move(c));
}

Condition parse_regex(const PathOperator& op, const Value& pattern, const Value* options) {
  if (options && !options->is_string())
    refuse_filter(text(op.what, ", path \"", op.path.text(), "\""), "$options needs a string of the letters i m s u x");
  const std::string letters = options ? options->string() : "";
  if (pattern.type() == Type::regex) {
    if (options && !pattern.pattern().options.empty())
      op.refuse("holds a regular expression with options, and $options stands beside it; keep one of them");
    return regex_condition(op.path, {pattern.pattern().source, options ? letters : pattern.pattern().options}, op.what);
  }
  if (!pattern.is_string()) op.refuse("needs a string or a regular expression");
  return regex_condition(op.path, {pattern.string(), letters}, op.what);
}

// MongoDB drops the fractions of divisor and remainder.
std::int64_t mod_argument(const PathOperator& op, const Value& value, std::string_view argument) {
  if (!value.is_number()) op.refuse(text("needs a number as its ", argument, ", not ", name(value.type())));
  if (value.is_integer()) return value.integer();
  const double number = value.real().number;
  if (!(number >= -0x1p63 && number < 0x1p63)) op.refuse(text("needs a ", argument, " of 64 bits"));
  return static_cast<std::int64_t>(number);
}

Condition parse_mod(const PathOperator& op, const Value& arguments) {
  if (!arguments.is_array() || arguments.array().size() != 2) op.refuse("needs an array of two: [divisor, remainder]");
  const Mod mod = {mod_argument(op, arguments.array()[0], "divisor"),
                   mod_argument(op, arguments.array()[1], "remainder")};
  if (mod.divisor == 0) op.refuse("has the divisor 0; it must be another number");
  return leaf(Kind::mod, op.path, {}, mod);
}

Condition parse_size(const PathOperator& op, const Value& size) {
  const auto whole = whole_number(size);
  if (!whole || *whole < 0) op.refuse("needs a whole number, 0 or more");
  return leaf(Kind::size, op.path, *whole);
}

Condition parse_elem_match(const PathOperator& op, const Value& inner) {
  if (!inner.is_object()) op.refuse(R"(needs an object: a filter of elements, or operators such as {"$gt": 5})");
  // {"$or": […]} is a filter of elements that are objects.
  const bool of_values = !speaks_of_members(inner);
  Condition c = leaf(of_values ? Kind::elem_match_value : Kind::elem_match_object, op.path);
  c.children.push_back(of_values ? parse_conditions(Path(), inner, op.where())
                                 : simplified(Filter::of(inner, op.where(), FilterOf::element).root()));
  return c;
}

Condition parse_all(const PathOperator& op, const Value& list) {
  if (!list.is_array()) op.refuse("needs an array of values");
  Condition all;
  if (list.array().empty()) all.kind = Kind::any_of;  // never, as in MongoDB
  std::ptrdiff_t values = 0;
  for (const Value& wanted : list.array()) {
    if (!is_operators(wanted)) {
      all.children.push_back(parse_value(op.path, wanted, op.what));
      ++values;
    } else if (wanted.object()[0].name == "$elemMatch" && wanted.object().size() == 1) {
      all.children.push_back(parse_elem_match({op.path, "$elemMatch", op.what}, wanted.object()[0].value));
    } else {
      op.refuse(text("holds the operator ", wanted.object()[0].name, ", and takes only values or $elemMatch"));
    }
  }
  if (values != 0 && values != std::ssize(all.children))
    op.refuse("mixes values and $elemMatch; write two $all in $and");
  return simplified(std::move(all));
}

void set_position(const PathOperator& op, Bits& bits, const Value& position) {
  const auto whole = whole_number(position);
  if (!whole || *whole < 0 || *whole > std::numeric_limits<std::int32_t>::max())
    op.refuse("needs bit positions that are whole numbers from 0 to 2147483647");
  bits.positions.push_back(static_cast<std::uint32_t>(*whole));
}

Condition parse_bits(const PathOperator& op, Bits::Rule rule, const Value& operand) {
  Bits bits{rule, {}, 0};
  if (operand.is_array()) {
    for (const Value& position : operand.array()) set_position(op, bits, position);
  } else if (operand.type() == Type::binary) {
    const std::string& bytes = operand.binary().bytes;
    for (std::uint32_t i = 0; i < bytes.size() * 8; ++i)
      if (static_cast<unsigned char>(bytes[i / 8]) >> i % 8 & 1) bits.positions.push_back(i);
  } else {
    const auto mask = whole_number(operand);
    if (!mask || *mask < 0)
      op.refuse("needs a whole number of 64 bits, 0 or more, an array of bit positions, or binary");
    for (std::uint32_t i = 0; i < 63; ++i)
      if (*mask >> i & 1) bits.positions.push_back(i);
  }
  for (const std::uint32_t position : bits.positions) bits.mask |= std::uint64_t{1} << std::min(position, 63u);
  return leaf(Kind::bits, op.path, {}, std::move(bits));
}

Condition parse_not(const PathOperator& op, const Value& inner) {
  if (inner.type() == Type::regex) return none_of(regex_condition(op.path, inner.pattern(), op.what));
  if (!is_operators(inner)) op.refuse(R"(needs an object of operators, such as {"$gt": 5}, or a regular expression)");
  return none_of(parse_conditions(op.path, inner, op.what));
}

Condition parse_operator(const PathOperator& op, const Value& operand, const Value& siblings) {
  const std::string_view name = op.name;
  if (name == "$eq") return leaf(Kind::eq, op.path, operand);
  if (name == "$gt") return comparison(op, Kind::gt, operand);
  if (name == "$gte") return comparison(op, Kind::gte, operand);
  if (name == "$lt") return comparison(op, Kind::lt, operand);
  if (name == "$lte") return comparison(op, Kind::lte, operand);
  if (name == "$ne") return none_of(comparison(op, Kind::eq, operand));
  if (name == "$in") return parse_in(op, operand);
  if (name == "$nin") return none_of(parse_in(op, operand));
  if (name == "$exists") return parse_exists(op, operand);
  if (name == "$type") return leaf(Kind::type, op.path, {}, TypeSet::parse(operand, op.where()));
  if (name == "$regex") return parse_regex(op, operand, siblings.find("$options"));
  if (name == "$mod") return parse_mod(op, operand);
  if (name == "$size") return parse_size(op, operand);
  if (name == "$all") return parse_all(op, operand);
  if (name == "$elemMatch") return parse_elem_match(op, operand);
  if (name == "$bitsAllSet") return parse_bits(op, Bits::Rule::all_set, operand);
  if (name == "$bitsAllClear") return parse_bits(op, Bits::Rule::all_clear, operand);
  if (name == "$bitsAnySet") return parse_bits(op, Bits::Rule::any_set, operand);
  if (name == "$bitsAnyClear") return parse_bits(op, Bits::Rule::any_clear, operand);
  if (name == "$not") return parse_not(op, operand);
  refuse_unknown(op);
}

// Above paths

/// A filter's place: what messages call it, and what $expr may be there.
struct Above {
  std::string_view what;
  FilterOf of;
  std::span<const std::string> variables;
};

Condition parse_object(const Value& object, const Above& place);

Condition parse_logical(Kind kind, const Member& member, const Above& place) {
  const bool listed = member.value.is_array() && !member.value.array().empty();
  if (!listed) refuse_filter(place.what, text(member.name, " needs an array of one or more filters"));
  Condition c;
  c.kind = kind;
  for (const Value& filter : member.value.array()) {
    if (!filter.is_object()) refuse_filter(place.what, text(member.name, " needs filters, which are objects"));
    Condition child = simplified(parse_object(filter, place));
    kind == Kind::all_of ? add(c, std::move(child)) : c.children.push_back(std::move(child));
  }
  return c;
}

Condition parse_always(const Member& member, Kind kind, std::string_view what) {
  if (whole_number(member.value) != 1) refuse_filter(what, text(member.name, " needs the number 1"));
  Condition c;
  c.kind = kind;
  return c;
}

Condition parse_expression(const Value& expression, const Above& place) {
  if (place.of == FilterOf::element)
    refuse_filter(place.what, "$expr is about whole documents, and stands beside paths, not below one");
  return leaf(Kind::expr, Path(), {}, Expression::parse(expression, text(place.what, ", $expr"), place.variables));
}

Condition parse_above_paths(const Member& member, const Above& place) {
  const std::string_view what = place.what;
  const std::string& name = member.name;
  if (name == "$and") return parse_logical(Kind::all_of, member, place);
  if (name == "$or") return parse_logical(Kind::any_of, member, place);
  if (name == "$nor") return parse_logical(Kind::none_of, member, place);
  if (name == "$expr") return parse_expression(member.value, place);
  if (name == "$jsonSchema")
    return leaf(Kind::json_schema, Path(), {}, Schema::parse(member.value, text(what, ", $jsonSchema")));
  if (name == "$comment") return {};
  if (name == "$alwaysTrue") return parse_always(member, Kind::all_of, what);
  if (name == "$alwaysFalse") return parse_always(member, Kind::any_of, what);
  if (one_of(not_offered_on_top, name))
    fail(ErrorCode::unsupported, text(what, ": the operator ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", name}, {"path", ""}});
  fail(ErrorCode::invalid,
       text(what, ": unknown operator ", name,
            "; known: $and $or $nor $expr $jsonSchema $comment; others stand below a path: {\"path\": {\"$gt\": 5}}"),
       {{"reason", "UnknownOperator"}, {"operator", name}, {"path", ""}});
}

Condition parse_object(const Value& object, const Above& place) {
  Condition all;
  for (const Member& member : object.object()) {
    if (member.name.starts_with('$'))
      add(all, parse_above_paths(member, place));
    else if (is_operators(member.value))
      add(all, parse_conditions(Path(member.name), member.value, place.what));
    else
      all.children.push_back(parse_value(Path(member.name), member.value, place.what));
  }
  return all;
}

}  // namespace

bool speaks_of_members(const Value& condition) {
  return !is_operators(condition) || one_of(above_paths, condition.object()[0].name);
}

bool is_operators(const Value& value) {
  return value.is_object() && !value.object().empty() && value.object()[0].name.starts_with('$');
}

Condition parse_conditions(const Path& path, const Value& operators, std::string_view what) {
  Condition all;
  for (const Member& member : operators.object()) {
    if (!member.name.starts_with('$'))
      refuse_filter(what, text("path \"", path.text(), "\" mixes operators with the name \"", member.name, '"'));
    if (member.name == "$options") {
      if (!operators.find("$regex")) PathOperator{path, member.name, what}.refuse("needs $regex beside it");
      continue;
    }
    add(all, parse_operator({path, member.name, what}, member.value, operators));
  }
  return simplified(std::move(all));
}

Filter Filter::of(const Value& object, std::string_view what, FilterOf of, std::span<const std::string> variables) {
  if (!object.is_object()) refuse_filter(what, R"(it must be an object, such as {"author": "Ada"}; {} matches everything)");
  Filter filter;
  filter.root_ = parse_object(object, {what, of, variables});
  filter.find_needed();
  return filter;
}

Filter Filter::parse(std::string_view json, const json::Limits& limits) {
  return of(model::parse(json::minify(json, limits, "filter")), "filter");
}

}  // namespace stele::model
