// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// JSON text that grows a value at a time. Texts from outside may hold anything: what is no UTF-8 becomes '?'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::tool {

class JsonObject {
 public:
  void add_json(std::string_view name, std::string_view json);
  void add_text(std::string_view name, std::string_view value);
  void add_texts(std::string_view name, const std::vector<std::string>& values);
  void add(std::string_view name, std::uint64_t number) { add_json(name, std::to_string(number)); }
  void add_signed(std::string_view name, std::int64_t number) { add_json(name, std::to_string(number)); }
  /// The members of a JSON object.
  void add_members(std::string_view object);
  void add_boolean(std::string_view name, bool value) { add_json(name, value ? "true" : "false"); }

  bool empty() const { return members_.empty(); }
  const std::string& members() const { return members_; }  // without the braces
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

/// Throws too_large when it grows beyond bytes_max.
class JsonArray {
 public:
  static constexpr std::size_t bytes_max = 256u << 20;

  void add(std::string_view json);
  std::string str() && { return std::move(out_ += ']'); }

 private:
  std::string out_ = "[";
};

}  // namespace stele::tool
