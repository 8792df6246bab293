// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/type_set.h"

#include "engine/base/error.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>

namespace stele::model {
namespace {

struct Named {
  std::string_view name;
  int number;
};

constexpr Named types[] = {
    {"double", 1},    {"string", 2},     {"object", 3},      {"array", 4},    {"binData", 5},
    {"undefined", 6}, {"objectId", 7},   {"bool", 8},        {"date", 9},     {"null", 10},
    {"regex", 11},    {"dbPointer", 12}, {"javascript", 13}, {"symbol", 14},  {"javascriptWithScope", 15},
    {"int", 16},      {"timestamp", 17}, {"long", 18},       {"decimal", 19}, {"minKey", -1},
    {"maxKey", 127}};

[[noreturn]] void refuse_type(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidType"}});
}

std::uint32_t bit(int number) {
  if (number == -1) return 1u << 20;
  if (number == 127) return 1u << 21;
  return 1u << number;
}

std::uint32_t bit_of(std::string_view name) { return bit(std::ranges::find(types, name, &Named::name)->number); }

int number_of(const Value& value) {
  using Int = std::numeric_limits<std::int32_t>;
  switch (value.type()) {
    case Type::null: return 10;
    case Type::number:
      if (!value.is_integer()) return 1;
      return value.integer() >= Int::min() && value.integer() <= Int::max() ? 16 : 18;
    case Type::string: return 2;
    case Type::object: return 3;
    case Type::array: return 4;
    case Type::binary: return 5;
    case Type::oid: return 7;
    case Type::boolean: return 8;
    case Type::date: return 9;
    case Type::regex: return 11;
  }
  return 0;
}

std::uint32_t of_name(std::string_view name, std::string_view what) {
  if (name == "number") return bit_of("int") | bit_of("long") | bit_of("double") | bit_of("decimal");
  const auto at = std::ranges::find(types, name, &Named::name);
  if (at == std::end(types))
    refuse_type(what, text("unknown type \"", name,
                      "\"; known: double string object array binData objectId bool date null regex int long number"));
  return bit(at->number);
}

std::uint32_t of_number(const Value& number, std::string_view what) {
  const auto at = std::ranges::find_if(types, [&](const Named& type) { return number.number() == type.number; });
  if (at == std::end(types)) refuse_type(what, text("no type has the number ", to_json(number)));
  return bit(at->number);
}

std::uint32_t of_one(const Value& type, std::string_view what) {
  if (type.is_string()) return of_name(type.string(), what);
  if (type.is_number()) return of_number(type, what);
  refuse_type(what, text("needs the name or number of a type, or an array of them, not ", name(type.type())));
}

std::uint32_t of_json_name(const Value& type, std::string_view what) {
  if (!type.is_string()) refuse_type(what, text("needs the name of a type, or an array of names, not ", name(type.type())));
  const std::string& name = type.string();
  if (name == "boolean") return bit_of("bool");
  if (name == "number") return of_name(name, what);
  if (name == "object" || name == "array" || name == "string" || name == "null") return bit_of(name);
  if (name == "integer")
    fail(ErrorCode::unsupported, text(what, R"(: the type "integer" is not offered; write bsonType: ["int", "long"])"),
         {{"reason", "Schema"}});
  refuse_type(what, text("unknown type \"", name, "\"; known: object array number boolean string null; more with bsonType"));
}

template <class Read>
std::uint32_t of_one_or_many(const Value& spec, std::string_view what, Read read) {
  if (!spec.is_array()) return read(spec, what);
  if (spec.array().empty()) refuse_type(what, "needs at least one type");
  std::uint32_t bits = 0;
  for (const Value& type : spec.array()) bits |= read(type, what);
  return bits;
}

}  // namespace

std::string_view type_name(const Value& value) {
  return std::ranges::find(types, number_of(value), &Named::number)->name;
}

TypeSet TypeSet::parse(const Value& spec, std::string_view what) { return TypeSet(of_one_or_many(spec, what, of_one)); }

TypeSet TypeSet::parse_json_types(const Value& spec, std::string_view what) {
  return TypeSet(of_one_or_many(spec, what, of_json_name));
}

bool TypeSet::has(const Value& value) const { return bits_ & bit(number_of(value)); }

std::string TypeSet::names() const {
  std::string out;
  for (const Named& type : types)
    if (bits_ & bit(type.number)) out += text(out.empty() ? "" : ", ", type.name);
  return out;
}

}  // namespace stele::model
