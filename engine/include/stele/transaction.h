// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A Snapshot is one moment over all tiers. A Transaction is a snapshot that also sees its own
// writes and can commit them, all or nothing. Both read through the same interface: code that
// takes `const Snapshot&` works with either.
//
// Move-only; a transaction that is dropped without commit() is rolled back. One thread at a time: it may be handed to
// another thread between two calls, also one that has written SQL, and be committed there; used by two at once it is
// `invalid`. While it is open the database cannot be closed (`busy`), and one that has written SQL keeps other SQL
// writers waiting, so end it soon.
#pragma once

#include <stele/cache.h>
#include <stele/documents.h>
#include <stele/events.h>
#include <stele/options.h>
#include <stele/rows.h>
#include <stele/value.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace stele {

class Database;

class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<detail::Scope> scope) : scope_(std::move(scope)) {}
  Snapshot(Snapshot&&) noexcept = default;
  Snapshot& operator=(Snapshot&&) noexcept;
  ~Snapshot();

  /// Runs one statement that reads; one that writes is `readonly` here. Parameters by position
  /// (`?`, `?2`) or by name (`:name`).
  template <class... P>
  Rows sql(std::string_view statement, const P&... parameters) const {
    if constexpr (sizeof...(P) == 0) {
      return run_sql(statement, std::span<const Value>());
    } else {
      const Value values[] = {Value(parameters)...};
      return run_sql(statement, std::span<const Value>(values));
    }
  }
  Rows sql(std::string_view statement, std::initializer_list<NamedValue> parameters) const {
    return run_sql(statement, std::span<const NamedValue>(parameters.begin(), parameters.size()));
  }
  Rows run_sql(std::string_view statement, std::span<const Value> parameters) const;
  Rows run_sql(std::string_view statement, std::span<const NamedValue> parameters) const;

  /// A pipeline over a collection, a stream or a SELECT (stele/aggregate.h).
  Documents aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options = {}) const;
  std::string explain_aggregate(std::string_view source, std::string_view pipeline,
                                const AggregateOptions& options = {}) const;

  CollectionReader collection(std::string_view name) const;
  StreamReader stream(std::string_view name) const;
  CacheReader cache(std::string_view name) const;
  std::vector<std::string> collections() const;
  std::vector<std::string> streams() const;
  std::vector<std::string> caches() const;

  /// The number of the last commit this snapshot sees.
  std::uint64_t gseq() const;

 protected:
  friend class Database;
  const std::shared_ptr<detail::Scope>& scope() const;  // `invalid` when moved from
  std::shared_ptr<detail::Scope> scope_;
};

class Transaction : public Snapshot {
 public:
  using Snapshot::Snapshot;

  // sql() of a Transaction also runs statements that write. Refused, with the cure named: BEGIN, COMMIT and SAVEPOINT
  // (the transaction is this object), ATTACH, VACUUM, TEMP objects, pragmas that set state (but user_version), and
  // Stele's own tables (`_stele_*`).

  /// A pipeline that may write, by $out or $merge. A $lookup from a SELECT reads it as the rows are taken: read them
  /// to the end before the transaction writes SQL.
  Documents aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options = {});

  Collection collection(std::string_view name);
  Stream stream(std::string_view name);
  Cache cache(std::string_view name);

  /// Savepoints over all tiers. Names nest as in SQL; an unknown name is not_found.
  void savepoint(std::string_view name);
  void rollback_to(std::string_view name);
  void release(std::string_view name);

  /// Commits; returns the commit's number. Durable when it returns, unless relaxed. On `conflict`
  /// nothing was written; on unknown_outcome reopening the database decides. Inside the body of
  /// Database::write, which ends the transaction itself, both are `invalid`.
  std::uint64_t commit();
  void rollback();
};

}  // namespace stele
