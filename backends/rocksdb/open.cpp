// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/open.h"

#include "backends/rocksdb/errors.h"
#include "backends/rocksdb/logger.h"
#include "backends/rocksdb/store.h"
#include "engine/base/error.h"
#include "engine/base/files.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

namespace stele::rocks {

namespace {

[[noreturn]] void fail_incomplete(const std::string& path, std::string_view why, const std::string& file) {
  fail(ErrorCode::corrupt,
       text("key-value store ", path, ": ", why, "; run `stele check`; restore the whole directory from a backup"),
       {{"store", "rocksdb"}, {"file", file}});
}

void check_directory(const storage::KeyValueOptions& options) {
  const std::string& path = options.path;
  if (path.empty()) fail(ErrorCode::invalid, "key-value store: RocksDB needs a directory, and the path is empty");
  if (options.create && !options.read_only) return;
  if (!exists(path))
    fail(ErrorCode::not_found, text("key-value store ", path, ": there is no such directory"), {{"file", path}});
  if (!is_directory(path)) fail_incomplete(path, "is not a directory, so it holds no RocksDB store", path);
  if (!exists(path + "/CURRENT"))
    fail_incomplete(path, "the file CURRENT is missing, so it holds no RocksDB store", path + "/CURRENT");
}

[[noreturn]] void fail_open(const rocksdb::Status& status, const Opened& opened) {
  const std::string& path = opened.path;
  if (opened.gate->lock_refused)
    fail(ErrorCode::locked,
         text("key-value store ", path, ": it is open already, in this process or another; close it there"),
         {{"store", "rocksdb"}, {"file", path + "/LOCK"}});
  if (opened.gate->failure.happened()) opened.gate->failure.throw_cause();
  if (status.IsInvalidArgument() && opened.gate->read_refused)
    fail(ErrorCode::io, text("key-value store ", path, ": open: a file cannot be read (", status.ToString(), ")"),
         {{"store", "rocksdb"}, {"operation", "open"}, {"file", path}, {"rocksdb", status.ToString()}});
  if (status.IsPathNotFound())  // of an open nothing but its own files is looked for
    fail_incomplete(path, text("open: a file of it is missing (", status.ToString(), ")"), path);
  if (status.IsInvalidArgument())  // keyspaces unknown to us, or ours missing
    fail(ErrorCode::version,
         text("key-value store ", path, ": it was written by another version (", status.ToString(), ")"),
         {{"store", "rocksdb"}, {"rocksdb", status.ToString()}});
  throw error_of(status, "open", path);
}

}  // namespace

std::unique_ptr<storage::KeyValueStore> open_rocksdb(const storage::KeyValueOptions& options) {
  check_directory(options);
  if (options.create && !options.read_only && !is_directory(options.path)) make_directory(options.path);

  Opened opened;
  opened.path = options.path;
  opened.read_only = options.read_only;
  opened.sizing = make_sizing(options);
  opened.gate = std::make_shared<FileGate>(options.before_append, options.on_failure, options.read_only);
  opened.load = std::make_shared<Load>();
  opened.logger = make_logger();
  opened.env = rocksdb::NewCompositeEnv(make_file_system(opened.gate));

  rocksdb::DBOptions db_options = make_database_options(options, opened.sizing);
  db_options.env = opened.env.get();
  db_options.info_log = opened.logger;
  db_options.listeners.push_back(make_listener(opened.gate, opened.load, opened.path));

  const auto families = make_column_families(opened.sizing);
  const rocksdb::Status status =
      options.read_only ? rocksdb::DB::OpenForReadOnly(db_options, opened.path, families, &opened.families, &opened.db)
                        : rocksdb::DB::Open(db_options, opened.path, families, &opened.families, &opened.db);
  if (!status.ok()) fail_open(status, opened);
  auto store = make_store(std::move(opened));
  return store;
}

}  // namespace stele::rocks
