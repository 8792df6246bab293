// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A document, or a part of one, in memory. Written back, a value that was read gives the same
// bytes: doubles keep their digits (`1e3`, `1.10`, `-0.0`), strings their escapes, Extended JSON
// its spelling; only a member's name that was spelled with escapes comes back without needless ones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stele::model {

class Value;
struct Member;
using Array = std::vector<Value>;
using Object = std::vector<Member>;  // in document order, names unique

struct Double {
  double number = 0;
  std::string literal;  // as read; empty: the shortest that gives the number
};

struct Date {
  std::int64_t milliseconds = 0;  // since 1970-01-01 UTC
};

struct Binary {
  unsigned char subtype = 0;
  std::string bytes;
};

struct Oid {
  std::array<char, 12> bytes;
};

/// A regular expression as a value: what it matches is in regex.h.
struct Pattern {
  std::string source;
  std::string options;  // letters in order, each once
};

/// The types in their order (details of comparing: compare.h).
enum class Type : std::uint8_t { null, number, string, object, array, binary, oid, boolean, date, regex };

/// The type's name in messages: "string".
std::string_view name(Type type);

class Value {
 public:
  Value();
  // Out of line: inline they cost every file that copies a Value a second of compiling.
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  Value(std::nullptr_t);
  Value(bool v);
  Value(int v);
  Value(std::int64_t v);
  Value(double v);
  Value(Double v);
  Value(const char* v);
  Value(std::string_view v);
  Value(std::string v);
  Value(Date v);
  Value(Binary v);
  Value(Oid v);
  Value(Pattern v);
  Value(Array v);
  Value(Object v);

  Type type() const;
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_number() const { return is_integer() || std::holds_alternative<Double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }

  // The content, only of the type that is there.
  bool boolean() const { return std::get<bool>(data_); }
  std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  const Double& real() const { return std::get<Double>(data_); }
  double number() const { return is_integer() ? static_cast<double>(integer()) : real().number; }  // may round
  const std::string& string() const { return std::get<std::string>(data_); }
  const Array& array() const { return std::get<Array>(data_); }
  const Object& object() const { return std::get<Object>(data_); }
  Array& array() { return std::get<Array>(data_); }
  Object& object() { return std::get<Object>(data_); }
  Date date() const { return std::get<Date>(data_); }
  const Binary& binary() const { return std::get<Binary>(data_); }
  const Oid& oid() const { return std::get<Oid>(data_); }
  const Pattern& pattern() const { return std::get<Pattern>(data_); }

  /// The object's member, or null.
  const Value* find(std::string_view name) const;
  Value* find(std::string_view name);

  /// The JSON text it was read from, where writing the content would give another; empty: none.
  std::string_view spelling() const { return spelling_ ? std::string_view(*spelling_) : std::string_view(); }
  void set_spelling(std::string text) { spelling_ = std::make_shared<const std::string>(std::move(text)); }

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, Double, std::string, Array, Object, Date, Binary, Oid, Pattern> data_;
  std::shared_ptr<const std::string> spelling_;
};

struct Member {
  std::string name;
  Value value;
};

// Here, because a Value can be made only when a Member is known.
inline Value::Value() = default;
inline Value::Value(std::nullptr_t) {}
inline Value::Value(bool v) : data_(v) {}
inline Value::Value(int v) : data_(std::int64_t{v}) {}
inline Value::Value(std::int64_t v) : data_(v) {}
inline Value::Value(double v) : data_(Double{v, {}}) {}
inline Value::Value(Double v) : data_(std::move(v)) {}
inline Value::Value(const char* v) : data_(std::string(v)) {}
inline Value::Value(std::string_view v) : data_(std::string(v)) {}
inline Value::Value(std::string v) : data_(std::move(v)) {}
inline Value::Value(Date v) : data_(v) {}
inline Value::Value(Binary v) : data_(std::move(v)) {}
inline Value::Value(Oid v) : data_(v) {}
inline Value::Value(Pattern v) : data_(std::move(v)) {}
inline Value::Value(Array v) : data_(std::move(v)) {}
inline Value::Value(Object v) : data_(std::move(v)) {}

/// The integer that a number is, also of 2.0.
std::optional<std::int64_t> whole_number(const Value& value);

void append_json(std::string& out, const Value& value);
std::string to_json(const Value& value);

/// Containers inside each other: 0 for a scalar, 1 for `{}`.
std::uint32_t depth(const Value& value);

/// Reads JSON text that passed json::minify(). Objects that spell a date, binary, object id, regular expression or
/// number as Extended JSON become that value; malformed ones are `invalid`, other types of
/// Extended JSON `unsupported`. Text that is not valid JSON after all (a damaged store) is `corrupt`.
Value parse(std::string_view minified);

/// A parser with its buffers, for reading many documents. One thread at a time.
class Parser {
 public:
  Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;
  ~Parser();

  Value parse(std::string_view minified);
  /// Of a document, the top-level members with these names only, in document order.
  void parse_members(std::string_view minified, std::span<const std::string> names, Value& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stele::model
