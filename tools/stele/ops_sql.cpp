// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SQL values as JSON: NULL null · INTEGER a number without fraction · REAL a number with fraction or
// exponent, or {"$numberDouble":"Infinity"} · TEXT a string · BLOB, and TEXT that is no UTF-8,
// {"$binary":{"base64":"…","subType":"00"}}. As parameters also true and false, for 1 and 0.
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/extended_json.h"
#include "engine/model/value.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

#include <cmath>

namespace stele::tool {

namespace {

std::string binary_json(std::string_view bytes) {
  std::string out;
  model::append_extended_json(out, model::Binary{0, std::string(bytes)});
  return out;
}

std::string real_json(double value) {
  if (std::isfinite(value)) return model::to_json(model::Value(value));
  return text(R"({"$numberDouble":")", value > 0 ? "Infinity" : "-Infinity", "\"}");
}

std::string value_json(const Value& value) {
  struct Visitor {
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return real_json(number); }
    std::string operator()(const std::string& bytes) const {
      if (!is_utf8(bytes)) return binary_json(bytes);
      std::string out;
      json::append_quoted(out, bytes);
      return out;
    }
    std::string operator()(const Blob& bytes) const {
      return binary_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  };
  return std::visit(Visitor(), value.data());
}

/// Infinite reals, which documents refuse.
std::optional<double> infinity(std::string_view json) {
  if (json == R"({"$numberDouble":"Infinity"})") return HUGE_VAL;
  if (json == R"({"$numberDouble":"-Infinity"})") return -HUGE_VAL;
  return std::nullopt;
}

Value parameter(const Request& request, std::string_view which, std::string_view json) {
  if (const auto real = infinity(json)) return *real;
  const model::Value value = model::parse(json);
  switch (value.type()) {
    case model::Type::null: return nullptr;
    case model::Type::boolean: return value.boolean();
    case model::Type::number: return value.is_integer() ? Value(value.integer()) : Value(value.real().number);
    case model::Type::string: return value.string();
    case model::Type::binary: {
      const std::string& bytes = value.binary().bytes;
      return Value(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
    default:
      request.refuse("params", text("holds ", model::name(value.type()), " as parameter ", which,
                                    ", which SQL has no type for: pass it as a string (or a date as a number)"));
  }
}

struct Result {
  std::vector<std::string> columns;
  std::string rows;
  std::int64_t changes = 0;
  std::int64_t last_insert_rowid = 0;
};

Result collect(Rows rows) {
  Result result;
  result.columns = rows.columns();
  JsonArray all;
  std::string one;
  for (const Row& row : rows) {
    one = "[";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) one += ',';
      one += value_json(row.get<Value>(i));
    }
    all.add(one += ']');
  }
  result.rows = std::move(all).str();
  result.changes = rows.changes();
  result.last_insert_rowid = rows.last_insert_rowid();
  return result;
}

template <class Parameters>
Result run(Session& session, const Request& request, const std::string& statement, const Parameters& parameters) {
  const auto span = std::span(std::as_const(parameters));
  // Alone, the statement says by itself whether it writes.
  if (request.has("tx")) return collect(session.transaction(request).run_sql(statement, span));
  return collect(session.database().run_sql(statement, span, session.write_options(request)));
}

Result run_with_parameters(Session& session, const Request& request, const std::string& statement) {
  if (!request.has("params")) return run(session, request, statement, std::vector<Value>());
  const std::string_view given = request.raw("params");
  if (given.front() == '{') {
    std::vector<NamedValue> named;
    for (const RawMember& member : members(given))
      named.emplace_back(member.name, parameter(request, member.name, member.value));
    return run(session, request, statement, named);
  }
  if (given.front() != '[')
    request.refuse("params", text("must be an array or an object of names, not ", kind_of(given)));
  std::vector<Value> positional;
  for (const std::string_view element : elements(given))
    positional.push_back(parameter(request, std::to_string(positional.size() + 1), element));
  return run(session, request, statement, positional);
}

void sql(Session& session, const Request& request, Answer& answer) {
  const Result result = run_with_parameters(session, request, request.text("sql"));
  answer.add_texts("columns", result.columns);
  answer.add_json("rows", result.rows);
  answer.add_signed("changes", result.changes);
  answer.add_signed("last_insert_rowid", result.last_insert_rowid);
}

}  // namespace

std::span<const Operation> sql_operations() {
  static const Operation operations[] = {
      {"sql",
       Operation::Tx::may,
       true,
       {"sql", "params"},
       {},
       R"({"op":"sql","sql":"SELECT name FROM users WHERE id = ?","params":[17]})",
       sql},
  };
  return operations;
}

}  // namespace stele::tool
