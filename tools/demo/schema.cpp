// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/schema.h"

namespace stele::demo {

void create_tables(Database& db, const Names& names) {
  const std::string packages = names.packages, maintainers = names.maintainers, dependencies = names.dependencies;
  db.write([&](Transaction& tx) {
    tx.sql("CREATE TABLE IF NOT EXISTS " + maintainers + R"((
      id     INTEGER PRIMARY KEY,
      name   TEXT NOT NULL,
      email  TEXT NOT NULL,
      UNIQUE (email, name)
    ) STRICT)");
    tx.sql("CREATE TABLE IF NOT EXISTS " + packages + R"((
      id                   INTEGER PRIMARY KEY,
      name                 TEXT NOT NULL,
      version              TEXT NOT NULL,
      architecture         TEXT NOT NULL,
      section              TEXT,
      priority             TEXT,
      size_bytes           INTEGER CHECK (size_bytes >= 0),
      installed_kilobytes  INTEGER CHECK (installed_kilobytes >= 0),
      maintainer_id        INTEGER REFERENCES )" +
           maintainers + R"((id),
      document_id          TEXT NOT NULL UNIQUE,  -- the stanza's document in the collection
      batch                INTEGER NOT NULL,      -- the import's transaction, as in its events
      UNIQUE (name, version, architecture)
    ) STRICT)");
    tx.sql("CREATE INDEX IF NOT EXISTS " + packages + "_maintainer ON " + packages + "(maintainer_id)");
    tx.sql("CREATE TABLE IF NOT EXISTS " + dependencies + R"((
      package_id      INTEGER NOT NULL REFERENCES )" +
           packages + R"((id) ON DELETE CASCADE,
      kind            TEXT NOT NULL,     -- Depends, Recommends, Breaks, …
      group_no        INTEGER NOT NULL,  -- all groups of a package are needed,
      alternative_no  INTEGER NOT NULL,  -- of each one alternative
      name            TEXT NOT NULL,
      comparison      TEXT CHECK (comparison IN ('<<', '<=', '=', '>=', '>>')),
      version         TEXT CHECK ((version IS NULL) = (comparison IS NULL)),
      architecture    TEXT,              -- of name:any
      -- NULL in both: nothing in this universe satisfies it
      target_id       INTEGER REFERENCES )" +
           packages + R"((id),  -- the package of that name
      provider_id     INTEGER REFERENCES )" +
           packages + R"((id),  -- virtual: a package that provides the name
      PRIMARY KEY (package_id, kind, group_no, alternative_no)
    ) STRICT, WITHOUT ROWID)");
    tx.sql("CREATE INDEX IF NOT EXISTS " + dependencies + "_target ON " + dependencies +
           "(target_id) WHERE target_id IS NOT NULL");
    tx.sql("CREATE INDEX IF NOT EXISTS " + dependencies + "_provider ON " + dependencies +
           "(provider_id) WHERE provider_id IS NOT NULL");
    tx.sql("CREATE TABLE IF NOT EXISTS " + names.provides + R"((
      package_id  INTEGER NOT NULL REFERENCES )" +
           packages + R"((id) ON DELETE CASCADE,
      number      INTEGER NOT NULL,
      name        TEXT NOT NULL,
      version     TEXT,
      PRIMARY KEY (package_id, number)
    ) STRICT, WITHOUT ROWID)");
  });
}

}  // namespace stele::demo
