// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace stele::model {
namespace {

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_bytes(std::string_view a, std::string_view b) { return a.compare(b); }  // as unsigned char

int compare_numbers(const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) return order(a.integer(), b.integer());
  if (a.is_integer()) return compare_mixed(a.integer(), b.real().number);
  if (b.is_integer()) return -compare_mixed(b.integer(), a.real().number);
  return order(a.real().number, b.real().number);
}

int compare_arrays(const Array& a, const Array& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i)
    if (const int c = compare(a[i], b[i])) return c;
  return order(a.size(), b.size());
}

int compare_objects(const Object& a, const Object& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int c = order(a[i].value.type(), b[i].value.type())) return c;
    if (const int c = compare_bytes(a[i].name, b[i].name)) return c;
    if (const int c = compare(a[i].value, b[i].value)) return c;
  }
  return order(a.size(), b.size());
}

int compare_binaries(const Binary& a, const Binary& b) {
  if (const int c = order(a.bytes.size(), b.bytes.size())) return c;
  if (const int c = order(a.subtype, b.subtype)) return c;
  return compare_bytes(a.bytes, b.bytes);
}

}  // namespace

int compare_mixed(std::int64_t a, double b) {
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  const double whole = std::floor(b);  // fits int64 now
  if (const int c = order(a, static_cast<std::int64_t>(whole))) return c;
  return b > whole ? -1 : 0;
}

int compare(const Value& a, const Value& b) {
  if (const int c = order(a.type(), b.type())) return c;
  switch (a.type()) {
    case Type::null: return 0;
    case Type::number: return compare_numbers(a, b);
    case Type::string: return compare_bytes(a.string(), b.string());
    case Type::object: return compare_objects(a.object(), b.object());
    case Type::array: return compare_arrays(a.array(), b.array());
    case Type::binary: return compare_binaries(a.binary(), b.binary());
    case Type::oid: return std::memcmp(a.oid().bytes.data(), b.oid().bytes.data(), 12);
    case Type::boolean: return order(a.boolean(), b.boolean());
    case Type::date: return order(a.date().milliseconds, b.date().milliseconds);
    case Type::regex:
      if (const int c = compare_bytes(a.pattern().source, b.pattern().source)) return c;
      return compare_bytes(a.pattern().options, b.pattern().options);
  }
  return 0;
}

}  // namespace stele::model
