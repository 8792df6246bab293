// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The rows a SQL statement returns, read one at a time while the statement runs.
//
//   for (const auto& row : db.sql("SELECT id, name FROM users WHERE plan = ?", "pro"))
//     use(row.get<int64_t>(0), row.get<std::string>(1));
//   auto n = db.sql("SELECT count(*) FROM users").one<int64_t>();
//
// A SELECT inside a transaction stays at the moment at which it was called: later writes of that
// transaction do not show in it. A statement that writes has run completely when sql() returns.
// Rows belong to one thread at a time and end with their transaction (then: error `closed`).
#pragma once

#include <stele/error.h>
#include <stele/value.h>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace stele {

namespace detail {
class RowSource;  // what stands behind Rows; engine/database implements it
}

/// The current row. Text views live until the next row is read.
class Row {
 public:
  std::size_t size() const;

  bool is_null(std::size_t column) const;
  /// int64_t, double, bool, std::string, std::string_view, Blob, Value, or std::optional of one of
  /// them for a column that may be NULL. A value of another storage class, or NULL without
  /// optional, is `invalid`; INTEGER reads as double.
  template <class T>
  T get(std::size_t column) const;

  template <class... T>
  std::tuple<T...> as() const {
    return as_impl<T...>(std::index_sequence_for<T...>{});
  }

 private:
  friend class Rows;
  explicit Row(detail::RowSource* source) : source_(source) {}
  template <class... T, std::size_t... I>
  std::tuple<T...> as_impl(std::index_sequence<I...>) const {
    return std::tuple<T...>{get<T>(I)...};
  }
  detail::RowSource* source_;
};

template <> std::int64_t Row::get<std::int64_t>(std::size_t) const;
template <> int Row::get<int>(std::size_t) const;  // `out_of_range` when it does not fit
template <> bool Row::get<bool>(std::size_t) const;
template <> double Row::get<double>(std::size_t) const;
template <> std::string Row::get<std::string>(std::size_t) const;
template <> std::string_view Row::get<std::string_view>(std::size_t) const;
template <> Blob Row::get<Blob>(std::size_t) const;
template <> Value Row::get<Value>(std::size_t) const;

namespace detail {
template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};
}  // namespace detail

template <class T>
T Row::get(std::size_t column) const {
  static_assert(detail::is_optional<T>::value, "Row::get: not a type a SQL column reads as");
  if constexpr (detail::is_optional<T>::value) {
    if (is_null(column)) return std::nullopt;
    return get<typename T::value_type>(column);
  }
}

class Rows {
 public:
  explicit Rows(std::unique_ptr<detail::RowSource> source);
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  const std::vector<std::string>& columns() const;

  /// Moves to the next row; false after the last.
  bool next();
  Row row() const { return Row(source_.get()); }

  /// Rows changed by the statement (0 for a SELECT) and the newest rowid of its connection.
  std::int64_t changes() const;
  std::int64_t last_insert_rowid() const;

  /// The single row's columns: a T for one type, a tuple for several. No row: not_found; more than
  /// one row: `invalid`.
  template <class... T>
  auto one() {
    auto found = maybe_one<T...>();
    if (!found) throw Error(ErrorCode::not_found, "Rows::one: the statement returned no row");
    return *std::move(found);
  }

  /// As one(), empty when there is no row.
  template <class... T>
  auto maybe_one() {
    using Result = decltype(convert<T...>(row()));
    std::optional<Result> found;
    if (next()) {
      found.emplace(convert<T...>(row()));
      if (next())
        throw Error(ErrorCode::invalid,
                    "Rows::one: the statement returned more than one row; add LIMIT 1 or use all()");
    }
    return found;
  }

  template <class... T>
  auto all() {
    std::vector<decltype(convert<T...>(row()))> result;
    while (next()) result.push_back(convert<T...>(row()));
    return result;
  }

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    Row operator*() const { return rows_->row(); }
    iterator& operator++() {
      if (!rows_->next()) rows_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return rows_ == nullptr; }

   private:
    friend class Rows;
    explicit iterator(Rows* rows) : rows_(rows) {}
    Rows* rows_ = nullptr;
  };
  iterator begin() { return iterator(next() ? this : nullptr); }
  std::default_sentinel_t end() const { return {}; }

 private:
  template <class... T>
  static auto convert(const Row& row) {
    static_assert(sizeof...(T) > 0, "name the column types: one<int64_t>()");
    if constexpr (sizeof...(T) == 1) {
      return row.get<T...>(0);
    } else {
      return row.as<T...>();
    }
  }
  std::unique_ptr<detail::RowSource> source_;
};

}  // namespace stele
