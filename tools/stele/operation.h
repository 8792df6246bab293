// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace stele::tool {

class Session;
class Request;
class Answer;

/// An operation of `stele exec`. All take op, id and deadline_ms.
struct Operation {
  enum class Tx : unsigned char { none, may, must };

  std::string_view name;
  Tx tx;
  bool writes;  // takes durability
  std::vector<std::string_view> fields;
  std::vector<std::string_view> later_fields;  // of the protocol, and not offered yet
  std::string_view example;
  void (*run)(Session&, const Request&, Answer&);
};

std::span<const Operation> document_operations();
std::span<const Operation> aggregate_operations();
std::span<const Operation> collection_operations();
std::span<const Operation> sql_operations();
std::span<const Operation> event_operations();
std::span<const Operation> group_operations();
std::span<const Operation> window_operations();
std::span<const Operation> cache_operations();
std::span<const Operation> vector_operations();
std::span<const Operation> transaction_operations();
std::span<const Operation> store_operations();

/// All of them, as the help lists them.
std::vector<const Operation*> operations();
/// Null when there is none of that name.
const Operation* find_operation(std::string_view name);
/// True for an operation of the protocol that this version does not offer.
bool is_later_operation(std::string_view name);

}  // namespace stele::tool
