// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/sql_source.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/extended_json.h"
#include "engine/transaction/sql_text.h"

#include <algorithm>
#include <cmath>

namespace stele::detail {
namespace {

using storage::ColumnType;

Value parameter(const model::Value& value, std::size_t number) {
  switch (value.type()) {
    case model::Type::null: return nullptr;
    case model::Type::boolean: return std::int64_t{value.boolean()};
    case model::Type::number: return value.is_integer() ? Value(value.integer()) : Value(value.real().number);
    case model::Type::string: return value.string();
    case model::Type::binary: {
      const std::string& bytes = value.binary().bytes;
      return Value(std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
    default:
      fail(ErrorCode::invalid,
           text("sql: parameter ", number, " is of type ", model::name(value.type()),
                ", which SQL has none for: pass it as a string, or a date as a number"),
           {{"reason", "ParameterType"}});
  }
}

class SelectCursor final : public pipeline::Cursor {
 public:
  SelectCursor(std::shared_ptr<transaction::SqlCursor> rows, const model::Filter& filter)
      : rows_(std::move(rows)), filter_(filter) {
    std::vector<std::string> names = rows_->columns();
    for (const std::string& name : names) {
      members_.emplace_back(members_.empty() ? "{" : ",");
      json::append_quoted(members_.back(), name);
      members_.back() += ':';
    }
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end())
      fail(ErrorCode::invalid,
           text("sql: two columns are named \"", *twice, "\", and a document's members differ; name one with AS"),
           {{"reason", "ColumnName"}, {"column", *twice}});
  }

  std::optional<std::string_view> next() override {
    while (rows_->next()) {
      Interrupt::poll();
      text_.clear();
      for (std::size_t i = 0; i < members_.size(); ++i) {
        text_ += members_[i];
        append_value(i);
      }
      text_ += '}';
      if (filter_.empty() || filter_.matches_json(text_, scratch_)) return text_;
    }
    return std::nullopt;
  }

 private:
  void append_value(std::size_t column) {
    switch (rows_->type(column)) {
      case ColumnType::null: text_ += "null"; return;
      case ColumnType::integer: text_ += std::to_string(rows_->integer(column)); return;
      case ColumnType::real: return append_real(column);
      case ColumnType::text: {
        const std::string_view value = rows_->text(column);
        if (!is_utf8(value)) return model::append_extended_json(text_, model::Binary{0, std::string(value)});
        return json::append_quoted(text_, value);
      }
      case ColumnType::blob: {
        const auto bytes = rows_->blob(column);
        return model::append_extended_json(
            text_, model::Binary{0, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
      }
    }
  }

  void append_real(std::size_t column) {
    const double number = rows_->real(column);
    if (!std::isfinite(number))
      fail(ErrorCode::invalid,
           text("sql: column \"", rows_->columns()[column], "\" holds an infinite number, which documents have no form for"),
           {{"reason", "Infinite"}, {"column", rows_->columns()[column]}});
    model::append_json(text_, model::Value(number));
  }

  const std::shared_ptr<transaction::SqlCursor> rows_;
  const model::Filter& filter_;
  std::vector<std::string> members_;  // {"id":   ,"name":
  std::string text_;
  model::Scratch scratch_;
};

}  // namespace

pipeline::Opened open_select(transaction::Transaction& transaction, const pipeline::SourceName& select,
                             const pipeline::Request& request) {
  if (!transaction::is_query(select.text))
    fail(ErrorCode::invalid,
         text("sql: \"", select.text.substr(0, 100), "\" is no SELECT, as the source of a pipeline must be"),
         {{"reason", "NotASelect"}});
  std::vector<Value> parameters;
  for (const model::Value& value : select.parameters) parameters.push_back(parameter(value, parameters.size() + 1));
  auto rows = transaction.select(select.text, {parameters, {}, false});
  pipeline::Opened opened;
  opened.how = model::Object{{"plan", "select"}};
  opened.cursors.push_back(std::make_unique<SelectCursor>(std::move(rows), request.filter));
  return opened;
}

}  // namespace stele::detail
