// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One question each, as users of Stele, SQLite and PostgreSQL write it.
#pragma once

#include <cstddef>
#include <span>

namespace stele::bench {

struct AggregationQuery {
  const char* name;
  const char* source;  // Stele's, JSON
  const char* pipeline;
  std::span<const char* const> columns;  // members of Stele's rows that stand for the first columns of the others'
  bool ordered;                          // the rows' order is part of the answer
  const char* sqlite;
  const char* postgres;
  double goal;  // Stele's rate over SQLite's
};

std::span<const AggregationQuery> aggregation_queries();

/// Of SQLite and PostgreSQL; Stele's tables of the same names are collections and a stream.
inline constexpr const char* sqlite_tables =
    "CREATE TABLE docs(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE groups(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, key TEXT NOT NULL, time INT NOT NULL, data TEXT NOT NULL);";
inline constexpr const char* sqlite_indexes =
    "CREATE INDEX docs_score ON docs(json_extract(body, '$.score'));"
    "CREATE INDEX groups_grp ON groups(json_extract(body, '$.grp'));"
    "ANALYZE;";
inline constexpr const char* postgres_tables =
    "CREATE TABLE docs(id text PRIMARY KEY, body jsonb NOT NULL);"
    "CREATE TABLE groups(id text PRIMARY KEY, body jsonb NOT NULL);"
    "CREATE TABLE events(id bigint PRIMARY KEY, key text NOT NULL, time bigint NOT NULL, data jsonb NOT NULL);";
inline constexpr const char* postgres_indexes =
    "CREATE INDEX docs_score ON docs(((body->'score')::int));"
    "CREATE INDEX groups_grp ON groups(((body->'grp')::int));"
    "VACUUM ANALYZE;";

}  // namespace stele::bench
