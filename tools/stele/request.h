// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One line of `stele exec`, taken apart. Every accessor says in its error which field is wrong, what it must
// be, and shows a right request.
#pragma once

#include <stele/options.h>

#include "tools/stele/raw_json.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tool {

struct Operation;

class Request {
 public:
  static constexpr std::size_t line_bytes_max = 32u << 20;
  static constexpr std::uint32_t depth_max = 130;  // a document of 128 inside {"docs":[…]}

  /// Validates the whole line.
  explicit Request(std::string_view line);
  Request(const Request&) = delete;  // members view the text

  /// JSON text; empty: none was given.
  std::string_view id() const;
  std::string name() const;  // of the operation

  /// Refuses fields that the operation does not have. From here on messages name the operation.
  void check_fields(const Operation& operation);

  bool has(std::string_view field) const { return find(field) != nullptr; }
  std::string_view raw(std::string_view field) const;    // any JSON value; required
  std::string text(std::string_view field) const;        // required
  std::string name_field(std::string_view field) const;  // required, not empty
  bool boolean(std::string_view field, bool otherwise) const;
  std::optional<std::uint64_t> number(std::string_view field) const;  // an integer >= 0
  std::vector<std::string_view> array(std::string_view field) const;  // required
  std::string_view object(std::string_view field) const;              // required
  std::string_view object(std::string_view field, std::string_view otherwise) const;

  std::optional<std::chrono::milliseconds> deadline() const;
  std::optional<Durability> durability() const;

  /// `invalid`: the field's value breaks the rule.
  [[noreturn]] void refuse(std::string_view field, std::string_view rule) const;

 private:
  const std::string_view* find(std::string_view field) const;
  std::string_view required(std::string_view field, std::string_view kind) const;

  std::string text_;
  std::vector<RawMember> members_;
  const Operation* operation_ = nullptr;
};

}  // namespace stele::tool
