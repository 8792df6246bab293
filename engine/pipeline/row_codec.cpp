// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A value: code, and what the code says. A code with 0x80 has the value's spelling in front of that.
#include "engine/pipeline/row_codec.h"

#include "engine/base/error.h"

namespace stele::pipeline {
namespace {

using model::Value;

enum Code : unsigned char {
  null,
  no,
  yes,
  whole,
  real,
  spelled_real,
  string,
  array,
  object,
  date,
  binary,
  oid,
  regex,
  with_spelling = 0x80
};

[[noreturn]] void fail_damaged() {
  fail(ErrorCode::corrupt, "a temporary file of a pipeline came back changed; the disk or its driver is at fault");
}

void check(bool read) {
  if (!read) fail_damaged();
}

std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

std::uint64_t bits(double number) { return std::bit_cast<std::uint64_t>(number); }

Code code_of(const Value& value) {
  switch (value.type()) {
    case model::Type::null: return null;
    case model::Type::boolean: return value.boolean() ? yes : no;
    case model::Type::number: return value.is_integer() ? whole : value.real().literal.empty() ? real : spelled_real;
    case model::Type::string: return string;
    case model::Type::array: return array;
    case model::Type::object: return object;
    case model::Type::date: return date;
    case model::Type::binary: return binary;
    case model::Type::oid: return oid;
    case model::Type::regex: return regex;
  }
  return null;
}

std::size_t read_count(ByteReader& bytes) {
  std::uint64_t count;
  check(bytes.varint(count) && count <= bytes.rest().size());
  return static_cast<std::size_t>(count);
}

std::string_view read_sized(ByteReader& bytes) {
  std::string_view out;
  check(bytes.sized(out));
  return out;
}

double read_double(ByteReader& bytes) {
  std::uint64_t number;
  check(bytes.fixed(number));
  return std::bit_cast<double>(number);
}

std::int64_t read_integer(ByteReader& bytes) {
  std::uint64_t number;
  check(bytes.varint(number));
  return unzigzag(number);
}

Value read_content(ByteReader& bytes, unsigned char code) {
  switch (code) {
    case null: return {};
    case no: return false;
    case yes: return true;
    case whole: return read_integer(bytes);
    case real: return read_double(bytes);
    case spelled_real: {
      const double number = read_double(bytes);
      return model::Double{number, std::string(read_sized(bytes))};
    }
    case string: return read_sized(bytes);
    case date: return model::Date{read_integer(bytes)};
    case binary: {
      unsigned char subtype;
      check(bytes.fixed(subtype));
      return model::Binary{subtype, std::string(read_sized(bytes))};
    }
    case oid: {
      model::Oid id;
      std::string_view content;
      check(bytes.bytes(12, content));
      content.copy(id.bytes.data(), 12);
      return id;
    }
    case regex: {
      std::string source(read_sized(bytes));
      return model::Pattern{std::move(source), std::string(read_sized(bytes))};
    }
    case array: {
      model::Array elements(read_count(bytes));
      for (Value& element : elements) read_row(bytes, element);
      return elements;
    }
    case object: {
      model::Object members(read_count(bytes));
      for (model::Member& member : members) {
        member.name = read_sized(bytes);
        read_row(bytes, member.value);
      }
      return members;
    }
    default: fail_damaged();
  }
}

}  // namespace

void append_row(std::string& out, const Value& value) {
  const Code code = code_of(value);
  const std::string_view spelling = value.spelling();
  out += static_cast<char>(spelling.empty() ? code : code | with_spelling);
  if (!spelling.empty()) append_sized(out, spelling);
  switch (code) {
    case whole: return append_varint(out, zigzag(value.integer()));
    case real: return append_fixed(out, bits(value.real().number));
    case spelled_real: append_fixed(out, bits(value.real().number)); return append_sized(out, value.real().literal);
    case string: return append_sized(out, value.string());
    case date: return append_varint(out, zigzag(value.date().milliseconds));
    case binary: append_fixed(out, value.binary().subtype); return append_sized(out, value.binary().bytes);
    case oid: out.append(value.oid().bytes.data(), 12); return;
    case regex: append_sized(out, value.pattern().source); return append_sized(out, value.pattern().options);
    case array:
      append_varint(out, value.array().size());
      for (const Value& element : value.array()) append_row(out, element);
      return;
    case object:
      append_varint(out, value.object().size());
      for (const model::Member& member : value.object()) {
        append_sized(out, member.name);
        append_row(out, member.value);
      }
      return;
    default: return;
  }
}

void read_row(ByteReader& bytes, Value& row) {
  unsigned char code;
  check(bytes.fixed(code));
  if ((code & with_spelling) == 0) {
    row = read_content(bytes, code);
    return;
  }
  const std::string_view spelling = read_sized(bytes);
  row = read_content(bytes, code & ~with_spelling);
  row.set_spelling(std::string(spelling));
}

std::size_t bytes_in_memory(const Value& value) {
  std::size_t bytes = sizeof(Value) + value.spelling().size();
  if (value.is_string()) {
    bytes += value.string().size();
  } else if (value.is_array()) {
    for (const Value& element : value.array()) bytes += bytes_in_memory(element);
  } else if (value.is_object()) {
    for (const model::Member& member : value.object())
      bytes += sizeof member.name + member.name.size() + bytes_in_memory(member.value);
  } else if (value.type() == model::Type::binary) {
    bytes += value.binary().bytes.size();
  } else if (value.type() == model::Type::regex) {
    bytes += value.pattern().source.size() + value.pattern().options.size();
  }
  return bytes;
}

}  // namespace stele::pipeline
