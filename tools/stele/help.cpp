// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/help.h"

#include "tools/stele/operation.h"

namespace stele::tool {

const char* const main_help = R"(Stele keeps SQL tables, JSON documents and event streams in one directory,
under one transaction: what is committed together is there together, or not at all.
No server: a C++ library, and this program.

usage: stele COMMAND DIR [options]

  exec    answers requests, one JSON object a line, in any language
            stele exec shop <<'END'
            {"op":"sql","sql":"CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT) STRICT"}
            {"op":"insert","collection":"articles","docs":[{"title":"Stones","tags":["slab"]}]}
            {"op":"append","stream":"activity","events":[{"did":"publish"}]}
            {"op":"find","collection":"articles","filter":{"tags":"slab"}}
            END
  check   looks for damage, changes nothing
            stele check shop --deep

  stele COMMAND --help tells more. --version prints the version.

What lies in DIR:
  stele.json      which store this is, and its format
  relational.db   the SQL tables: an SQLite file, which sqlite3 may read at any time
  kv/             documents and events (RocksDB)
  durable, large/ what recovery needs after a crash
  lock            the process that has it open; one at a time

Exit codes: 0 fine, 1 something to put right, 2 wrong arguments, 3 i/o error or damage, 75 in use by another process.
)";

const char* const check_help =
    R"(stele check DIR: looks for damage in a database that no process has open. Changes nothing.

usage: stele check DIR [--deep] [--json]

  --deep   also reads everything: checksums, every document, every event
  --json   prints {"ok":…,"findings":[{"severity","part","message"}]}

It works on a database that cannot be opened, too, and says what is missing: all parts there and of one
store, logs that continue each other up to what was acknowledged, SQLite's structure and foreign keys,
the catalog, streams without gaps.

example: stele check shop --deep
Exit codes: 0 sound, 1 findings, 2 wrong arguments, 3 i/o error, 75 in use by another process.
)";

std::string exec_help() {
  std::string out = R"(stele exec DIR: reads one JSON request a line, prints one JSON answer a line, in order.

usage: stele exec DIR [--no-create] [--durability sync|relaxed]

  --no-create    DIR must be a database already; otherwise it is made
  --durability   when a commit is acknowledged: sync (default), after it is on disk; relaxed, before:
                 the last 100 ms may be lost with the power

Answers: {"ok":true,…} or {"ok":false,"error":{"code":"conflict","message":"…"}}. A bad line is an error
answer, never the end. At the end of input open transactions are rolled back.
Every request takes "id" (comes back in the answer) and "deadline_ms"; writing ones "durability".
{"op":"begin"} answers {"ok":true,"tx":1}; requests with "tx":1 belong to that transaction until commit or rollback.
begin also takes "isolation" ("serializable" or "snapshot") and "read_only".
Up to 60 may be open, but only one may have written SQL. While it is open, SQL writes outside it are answered with
`busy` at once: nothing else could run that they would wait for. Where another program writes to relational.db, they
wait lock_timeout (5 seconds), then `busy`. Documents and events are written by many; who commits second may get `conflict`.
aggregate runs MongoDB's pipelines over "collection":"articles", or over "source":{"stream":"activity"}, whose events are
{"offset","time","key","data"}, or "source":{"sql":"SELECT …","parameters":[…]}; "from" of $lookup takes these, too.
An event is any JSON; with a key or a time it is {"$event":{"key":"ada","time":{"$date":"…"},"data":…}}.
Lines may have 32 MB, answers 256 MB, JSON 130 levels. Each answer is written as soon as it is known.
SIGINT (Ctrl-C) cancels the request in flight, which answers `interrupted` and changes nothing (SQL that was
writing in a transaction takes that with it: the next request of it is `aborted`); a second one, before the program has read more input, ends it: open transactions are rolled back. A third ends it as a kill would.

Operations, each with an example:
)";
  for (const Operation* operation : operations()) out += "  " + std::string(operation->example) + "\n";
  return out +
         "\nExit codes: 0 end of input, 1 DIR is no database, or nobody reads the answers, 2 wrong arguments,\n"
         "3 i/o error or damage, 75 in use by another process, 130 ended by SIGINT.\n";
}

}  // namespace stele::tool
