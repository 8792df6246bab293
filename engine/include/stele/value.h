// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A value of SQLite's five storage classes, as bound to a statement and as read from a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace stele {

using Blob = std::vector<std::byte>;

/// NULL, INTEGER, REAL, TEXT or BLOB. Owns its bytes.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : data_(std::int64_t{v}) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8 &&
             !(std::is_unsigned_v<T> && sizeof(T) == 8))
  Value(T v) : data_(static_cast<std::int64_t>(v)) {}
  template <class T>
    requires(std::is_unsigned_v<T> && sizeof(T) == 8 && !std::is_same_v<T, bool>)
  Value(T v) = delete;  // would not fit SQLite's 64-bit signed INTEGER: convert knowingly
  Value(double v) : data_(v) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(Blob v) : data_(std::move(v)) {}
  Value(std::span<const std::byte> v) : data_(Blob(v.begin(), v.end())) {}
  Value(std::span<const float> v)  // a vector: its bytes, little-endian float32
      : Value(std::as_bytes(v)) {}

  using Data = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;
  const Data& data() const noexcept { return data_; }
  bool is_null() const noexcept { return data_.index() == 0; }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Data data_ = nullptr;
};

/// A named parameter: {":name", "Ada"}; the prefix ':' , '@' or '$' may be left out.
using NamedValue = std::pair<std::string, Value>;

}  // namespace stele
