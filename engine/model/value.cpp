// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/value.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/model/extended_json.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <simdjson.h>

namespace stele::model {

Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

namespace {

namespace ondemand = simdjson::ondemand;

void append_double(std::string& out, const Double& value) {
  if (!value.literal.empty()) {
    out += value.literal;
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.number).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";  // or it would come back as an integer
}

[[noreturn]] void fail_damaged(simdjson::error_code error) {
  fail(ErrorCode::corrupt,
       text("a stored document is not valid JSON (", simdjson::error_message(error), "); run `stele check`"));
}

template <class T>
T checked(simdjson::simdjson_result<T> result) {
  T value;
  if (const auto error = std::move(result).get(value)) fail_damaged(error);
  return value;
}

Value read_number(ondemand::value& json) {
  std::string_view token = json.raw_json_token();
  token = token.substr(0, token.find_last_of("0123456789") + 1);
  if (token.find_first_of(".eE") != std::string_view::npos)
    return Double{json::to_double(token), std::string(token)};
  Value value(checked(json.get_int64()));
  if (token == "-0") value.set_spelling("-0");
  return value;
}

Value read_string(ondemand::value& json) {
  const std::string_view token = json.raw_json_token();
  const std::string_view content = checked(json.get_string());
  Value value(content);
  const bool escaped = std::memchr(token.data(), '\\', token.size()) != nullptr;
  if (escaped) value.set_spelling(std::string(token.substr(0, token.rfind('"') + 1)));
  return value;
}

Value read(ondemand::value json) {
  switch (checked(json.type())) {
    case ondemand::json_type::null: return {};
    case ondemand::json_type::boolean: return checked(json.get_bool());
    case ondemand::json_type::number: return read_number(json);
    case ondemand::json_type::string: return read_string(json);
    case ondemand::json_type::array: {
      Array array;
      for (auto element : checked(json.get_array())) array.push_back(read(checked(std::move(element))));
      return array;
    }
    case ondemand::json_type::object: break;
  }
  Object object;
  for (auto field : checked(json.get_object())) {
    std::string name(checked(field.unescaped_key()));
    object.push_back({std::move(name), read(checked(field.value()))});
  }
  return from_extended_json(std::move(object));
}

}  // namespace

struct Parser::Impl {
  ondemand::parser parser;
  std::string buffer;
  ondemand::document document;

  // The text goes into our own buffer, inside an array: simdjson reads beyond the end, and treats
  // an outermost scalar differently.
  ondemand::value begin(std::string_view json) {
    buffer.clear();
    buffer.reserve(json.size() + 2 + simdjson::SIMDJSON_PADDING);
    buffer += '[';
    buffer += json;
    buffer += ']';
    document = checked(parser.iterate(simdjson::padded_string_view(buffer.data(), buffer.size(), buffer.capacity())));
    for (auto element : checked(document.get_array())) return checked(std::move(element));
    fail_damaged(simdjson::EMPTY);
  }
};

Parser::Parser() : impl_(std::make_unique<Impl>()) {}
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;
Parser::~Parser() = default;

Value Parser::parse(std::string_view minified) { return read(impl_->begin(minified)); }

void Parser::parse_members(std::string_view minified, std::span<const std::string> names, Value& out) {
  if (!out.is_object()) out = Object();
  out.object().clear();
  ondemand::value document = impl_->begin(minified);
  for (auto field : checked(document.get_object())) {
    const std::string_view name = checked(field.unescaped_key());
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    std::string owned(name);
    out.object().push_back({std::move(owned), read(checked(field.value()))});
    if (out.object().size() == names.size()) return;
  }
}

Value parse(std::string_view minified) {
  thread_local Parser parser;
  return parser.parse(minified);
}

std::string_view name(Type type) {
  constexpr std::string_view names[] = {"null", "number", "string", "object", "array", "binary", "oid", "bool", "date", "regex"};
  return names[static_cast<std::size_t>(type)];
}

Type Value::type() const {
  constexpr Type types[] = {Type::null,  Type::boolean, Type::number, Type::number, Type::string,
                            Type::array, Type::object,  Type::date,   Type::binary, Type::oid,    Type::regex};
  return types[data_.index()];
}

const Value* Value::find(std::string_view name) const {
  for (const Member& member : object())
    if (member.name == name) return &member.value;
  return nullptr;
}

Value* Value::find(std::string_view name) { return const_cast<Value*>(std::as_const(*this).find(name)); }

std::optional<std::int64_t> whole_number(const Value& value) {
  if (value.is_integer()) return value.integer();
  if (!value.is_number() || !(value.number() >= -0x1p63 && value.number() < 0x1p63)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(value.number());
  return static_cast<double>(whole) == value.number() ? std::optional(whole) : std::nullopt;
}

void append_json(std::string& out, const Value& value) {
  if (!value.spelling().empty()) {
    out += value.spelling();
    return;
  }
  switch (value.type()) {
    case Type::null: out += "null"; break;
    case Type::boolean: out += value.boolean() ? "true" : "false"; break;
    case Type::number:
      if (value.is_integer())
        out += std::to_string(value.integer());
      else
        append_double(out, value.real());
      break;
    case Type::string: json::append_quoted(out, value.string()); break;
    case Type::array: {
      out += '[';
      bool first = true;
      for (const Value& element : value.array()) {
        if (!first) out += ',';
        first = false;
        append_json(out, element);
      }
      out += ']';
      break;
    }
    case Type::object: {
      out += '{';
      bool first = true;
      for (const Member& member : value.object()) {
        if (!first) out += ',';
        first = false;
        json::append_quoted(out, member.name);
        out += ':';
        append_json(out, member.value);
      }
      out += '}';
      break;
    }
    case Type::date:
    case Type::binary:
    case Type::regex:
    case Type::oid: append_extended_json(out, value); break;
  }
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::uint32_t depth(const Value& value) {
  std::uint32_t inner = 0;
  if (value.is_array()) {
    for (const Value& element : value.array()) inner = std::max(inner, depth(element));
  } else if (value.is_object()) {
    for (const Member& member : value.object()) inner = std::max(inner, depth(member.value));
  } else {
    return 0;
  }
  return inner + 1;
}

}  // namespace stele::model
