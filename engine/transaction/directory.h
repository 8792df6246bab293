// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The store's directory: who may open it, what it is, how it comes into being.
//
//   DIR/lock        flock'd while open; "pid program" of the holder
//   DIR/stele.json  {"format":1,"store_id":…,"epoch":…,"backends":{…},"keyspaces":[…]}; written last at creation
//   DIR/new         there only while the store is being created
//   DIR/relational.db (-wal, -shm) · DIR/kv/ · DIR/large/ · DIR/spill/ · DIR/durable · DIR/vectors/
//
// Creation: directory, lock, `new`; both engines, `durable` and `large` made and synced; stele.json (temporary
// name, fsync, rename, directory fsync); `new` removed. A crash before stele.json leaves `new`, and the next open starts over,
// unless the tiers hold commits;
// a directory with neither that is not empty is somebody else's (or has lost its stele.json) and is not touched.
#pragma once

#include "engine/base/files.h"
#include "engine/storage/relational.h"

#include <stele/error.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace stele::transaction {

/// What stele.json says.
struct Manifest {
  storage::Identity identity;
  std::string relational;  // backend names
  std::string key_value;
};

/// `version` for a format that is not ours, `corrupt` for what Stele did not write.
Manifest read_manifest(const std::string& path);

/// Why that part of the store cannot be opened as what it must be: a symbolic link (`invalid`: it could lead what we
/// write and delete out of the directory), a directory in place of a file, a pipe (`corrupt`); of a directory also that
/// it holds a link. Absent is fine.
std::optional<Error> wrong_kind(const std::string& directory, std::string_view part);
/// The names that a store's directory holds.
const std::set<std::string_view>& store_names();

/// Takes the store's lock and leaves this process's id in it; `locked`, naming the holder, when another has it.
File lock_directory(const std::string& directory);

class Directory {
 public:
  struct Request {
    std::string path;
    bool create_if_missing = true;
    std::string relational;
    std::string key_value;
  };

  /// Checks the directory, takes its lock and reads stele.json, or prepares a new store. Throws
  /// not_found, invalid (not a store, wrong owner or mode), locked, version, corrupt; changes
  /// nothing but the lock file then.
  explicit Directory(const Request& request);
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  const Manifest& manifest() const { return manifest_; }
  /// True while the store is being created: the tiers are to be made, then finish_creation() called.
  bool creating() const { return creating_; }
  void finish_creation();

 private:
  std::string path_;
  Manifest manifest_;
  bool creating_ = false;
  File lock_;
};

}  // namespace stele::transaction
