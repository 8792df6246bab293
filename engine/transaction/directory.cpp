// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/directory.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/step.h"
#include "engine/base/uuid.h"
#include "engine/model/value.h"
#include "engine/storage/keyspace.h"
#include "engine/storage/registry.h"
#include "engine/transaction/outbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <filesystem>
#include <set>
#include <variant>

namespace stele::transaction {

namespace {

constexpr std::int64_t format_version = 1;
constexpr std::size_t path_bytes_max = 480;  // SQLite names files of up to 512 bytes

std::string program_name() {
  char target[4096];
  const ssize_t n = ::readlink("/proc/self/exe", target, sizeof target);
  return n > 0 ? std::string(target, static_cast<std::size_t>(n)) : "unknown";
}

void check_owner(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) fail_errno("stat", path, errno);
  if (S_ISLNK(info.st_mode))
    fail(ErrorCode::invalid, text(path, ": is a symbolic link; open the directory it points to"),
         {{"reason", "NotAStore"}});
  if (!S_ISDIR(info.st_mode))
    fail(ErrorCode::invalid, text(path, ": is not a directory; a database is a directory of its own"),
         {{"reason", "NotAStore"}});
  if (info.st_uid != ::geteuid())
    fail(ErrorCode::invalid,
         text(path, ": belongs to user ", info.st_uid, ", not to the user of this process (", ::geteuid(), ")"),
         {{"reason", "owner"}});
  if (info.st_mode & (S_IWGRP | S_IWOTH))
    fail(ErrorCode::invalid, text(path, ": is writable by group or others; chmod go-w it first"), {{"reason", "mode"}});
}

std::string to_json(const Manifest& manifest) {
  std::string out = text("{\"format\":", format_version, ",\"store_id\":");
  json::append_quoted(out, manifest.identity.store_id);
  out += text(",\"epoch\":", manifest.identity.epoch, ",\"backends\":{\"relational\":");
  json::append_quoted(out, manifest.relational);
  out += ",\"key_value\":";
  json::append_quoted(out, manifest.key_value);
  out += "},\"keyspaces\":[";
  for (std::size_t i = 0; i < storage::keyspace_count; ++i) {
    if (i) out += ',';
    json::append_quoted(out, storage::keyspace_names[i]);
  }
  return out + "]}\n";
}

const model::Value& member(const model::Value& object, std::string_view name) {
  const model::Value* found = object.is_object() ? object.find(name) : nullptr;
  if (!found) fail(ErrorCode::corrupt, text("\"", name, "\" is missing"));
  return *found;
}

[[noreturn]] void fail_damaged(const std::string& manifest, std::string_view how) {
  fail(ErrorCode::corrupt,
       text(manifest, ": is damaged (", how, "); run `stele check`; restore the whole directory from a backup"),
       {{"file", "stele.json"}});
}

[[noreturn]] void fail_lost_manifest(const std::string& path) {
  fail(ErrorCode::invalid,
       text(path,
            ": looks like a database that has lost its stele.json; nothing was changed: run `stele check`; "
            "restore the whole directory from a backup"),
       {{"reason", "NotAStore"}});
}

[[noreturn]] void fail_absent(const std::string& path) {
  fail(ErrorCode::not_found, text(path,
                                  ": there is no database here, and it may not be created; name another "
                                  "directory, or allow to create it"));
}

/// The newest commit in the tiers that an unfinished creation left. A tier that is cut off half-way holds none.
std::uint64_t newest_commit(const std::string& path, const Directory::Request& request) {
  std::uint64_t newest = 0;
  const auto look = [](auto&& body) {
    try {
      body();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt && error.code() != ErrorCode::not_found &&
          error.code() != ErrorCode::invalid && error.code() != ErrorCode::version)
        throw;
    }
  };
  look([&] {
    storage::RelationalOptions options;
    options.path = path + "/relational.db";
    options.read_only = true;
    const auto relational = storage::registry().relational(request.relational)(options);
    const auto connection = relational->extra_connection();
    if (!relational->identity(*connection)) return;
    for (const storage::OutboxRow& row : relational->outbox(*connection)) newest = std::max(newest, row.gseq);
  });
  look([&] {
    storage::KeyValueOptions options;
    options.path = path + "/kv";
    options.read_only = true;
    std::string marker;
    if (storage::registry().key_value(request.key_value)(options)->get(Keyspace::meta, marker_key, nullptr, marker))
      newest = std::max(newest, decode_marker(marker).gseq);
  });
  return newest;
}

/// It would be created in a directory that is there.
void check_parent(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  std::error_code unreadable;
  if (std::filesystem::is_directory(parent, unreadable)) return;
  if (unreadable && unreadable != std::errc::no_such_file_or_directory && unreadable != std::errc::not_a_directory)
    fail_errno("stat", parent, unreadable.value());
  fail(ErrorCode::not_found,
       text(path, ": cannot be created, because ", parent,
            stele::exists(parent) ? " is not a directory" : " does not exist", "; create that directory first"),
       {{"file", parent}});
}

}  // namespace

const std::set<std::string_view>& store_names() {
  static const std::set<std::string_view> names = {"lock",
                                                   "new",
                                                   "stele.json",
                                                   "stele.json.tmp",
                                                   "relational.db",
                                                   "relational.db-wal",
                                                   "relational.db-shm",
                                                   "relational.db-journal",
                                                   "kv",
                                                   "durable",
                                                   "large",
                                                   "spill",
                                                   "vectors"};
  return names;
}

namespace {

Error link_error(const std::string& path, std::string part) {
  return Error(ErrorCode::invalid,
               text(path,
                    ": is a symbolic link, and none is followed inside a database's directory; nothing was "
                    "changed: put what it points to in its place, or restore the whole directory from a backup"),
               {{"file", std::move(part)}});
}

}  // namespace

std::optional<Error> wrong_kind(const std::string& directory, std::string_view part) {
  const std::string path = text(directory, "/", part);
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::nullopt;
    fail_errno("stat", path, errno);
  }
  if (S_ISLNK(info.st_mode)) return link_error(path, std::string(part));
  const bool directory_wanted = part == "kv" || part == "large" || part == "spill" || part == "vectors";
  if (directory_wanted ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
    return Error(ErrorCode::corrupt,
                 text(path, directory_wanted ? ": is not a directory" : ": is not a regular file",
                      "; nothing was changed: restore the whole directory from a backup"),
                 {{"file", std::string(part)}});
  if (!directory_wanted) return std::nullopt;
  std::error_code gone;  // another process may have the store open
  for (std::filesystem::directory_iterator entry(path, gone), end; !gone && entry != end; entry.increment(gone)) {
    if (std::error_code ignored; entry->is_symlink(ignored))
      return link_error(entry->path().string(), text(part, "/", entry->path().filename().string()));
  }
  return std::nullopt;
}

Manifest read_manifest(const std::string& path) {
  try {
    const model::Value value = model::parse(json::minify(read_file(path), {}, "stele.json"));
    if (const std::int64_t format = member(value, "format").integer(); format != format_version)
      fail(ErrorCode::version, text(path, ": format ", format, "; this library knows format ", format_version,
                                    ": use the version of Stele that wrote it"));
    Manifest manifest;
    manifest.identity.store_id = member(value, "store_id").string();
    if (!is_uuid(manifest.identity.store_id)) fail(ErrorCode::corrupt, "\"store_id\" is no UUID");
    manifest.identity.epoch = static_cast<std::uint64_t>(member(value, "epoch").integer());
    manifest.relational = member(member(value, "backends"), "relational").string();
    manifest.key_value = member(member(value, "backends"), "key_value").string();
    std::vector<std::string> keyspaces;
    for (const auto& keyspace : member(value, "keyspaces").array()) keyspaces.emplace_back(keyspace.string());
    if (!std::ranges::equal(keyspaces, storage::keyspace_names))
      fail(ErrorCode::version,
           text(path, ": the keyspaces are not this library's; use the version of Stele that wrote it"));
    return manifest;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::version || error.code() == ErrorCode::io) throw;
    fail_damaged(path, error.message());
  } catch (const std::bad_variant_access&) {
    fail_damaged(path, "a member has another type than Stele wrote");
  }
}

File lock_directory(const std::string& directory) {
  const std::string path = directory + "/lock";
  File lock = open_file(path, O_RDWR | O_CREAT);
  if (::flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail_errno("flock", path, errno);
    const std::string holder = read_file(path);
    const auto space = holder.find(' ');
    const std::string pid = holder.substr(0, space);
    const std::string program =
        space == std::string::npos ? "" : holder.substr(space + 1, holder.find('\n') - space - 1);
    fail(ErrorCode::locked,
         text(directory, ": is open in process ", pid, " (", program,
              "); one process writes at a time: close it there first"),
         {{"pid", pid}, {"program", program}});
  }
  const std::string holder = text(::getpid(), " ", program_name(), "\n");
  if (::ftruncate(lock.fd(), 0) != 0) fail_errno("truncate", path, errno);
  write_all_at(lock, path, holder, 0);
  return lock;
}

Directory::Directory(const Request& request) : path_(request.path) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (path_.empty() || path_.find('\0') != std::string::npos)
    fail(ErrorCode::invalid, "open: the directory's name is empty or holds a NUL byte");
  path_ = std::filesystem::absolute(path_).lexically_normal().string();  // a later chdir() must not move the store
  if (path_.size() > path_bytes_max)
    fail(ErrorCode::invalid, text(path_, ": the path has ", path_.size(), " bytes; the limit is ", path_bytes_max,
                                  ", so that the files in it can be named; choose a shorter one"));
  if (!stele::exists(path_)) {
    if (!request.create_if_missing) fail_absent(path_);
    check_parent(path_);
    make_directory(path_);
    step("create.directory");
  }
  check_owner(path_);

  const auto names = list_directory(path_);
  const bool has_manifest = std::ranges::find(names, "stele.json") != names.end();
  const bool unfinished = std::ranges::find(names, "new") != names.end();
  const bool only_lock = std::ranges::all_of(names, [](const auto& name) { return name == "lock"; });
  const bool only_ours = std::ranges::all_of(names, [](const auto& name) { return store_names().contains(name); });
  if (!has_manifest && only_ours && !only_lock && !unfinished) fail_lost_manifest(path_);
  if (!has_manifest && !only_lock && !(unfinished && only_ours))
    fail(ErrorCode::invalid,
         text(path_,
              ": is not empty and holds no stele.json, so it is not a Stele database; nothing was changed: choose "
              "an empty or new directory"),
         {{"reason", "NotAStore"}});
  if (!has_manifest && !request.create_if_missing) fail_absent(path_);
  for (const std::string_view part : store_names()) {
    if (const auto wrong = wrong_kind(path_, part)) throw *wrong;
  }

  lock_ = lock_directory(path_);
  // Another process may have finished creating it meanwhile.
  if (stele::exists(file("stele.json"))) {
    manifest_ = read_manifest(file("stele.json"));
    auto same = [&](std::string_view role, const std::string& made, const std::string& asked) {
      if (made != asked)
        fail(ErrorCode::version, text(path_, ": was made with the ", role, " backend \"", made, "\", not \"", asked,
                                      "\"; open it with the one it was made with"));
    };
    same("relational", manifest_.relational, request.relational);
    same("key_value", manifest_.key_value, request.key_value);
    if (stele::exists(file("new"))) {
      remove_file(file("new"));
      sync_directory(path_);  // or it may come back, and with stele.json lost would stand for an unfinished creation
    }
    return;
  }
  if (unfinished && newest_commit(path_, request) > 0) fail_lost_manifest(path_);
  creating_ = true;
  manifest_.identity.store_id = uuid_v4();
  manifest_.identity.epoch = 1;
  manifest_.relational = request.relational;
  manifest_.key_value = request.key_value;
  if (!stele::exists(file("new"))) create_synced_file(file("new"), "this database is being created\n");
  step("create.marked");
  for (const char* leftover : {"stele.json.tmp", "relational.db", "relational.db-journal", "relational.db-wal",
                               "relational.db-shm", "durable"})
    remove_file(file(leftover));
  for (const char* leftover : {"kv", "large", "spill", "vectors"}) remove_tree(file(leftover));
  make_directory(file("large"));
  step("create.cleaned");
}

Directory::~Directory() {
  // Explicitly: a forked child holds the same lock through its copy of the descriptor, and would keep it.
  if (lock_) ::flock(lock_.fd(), LOCK_UN);
}

void Directory::finish_creation() {
  replace_file(file("stele.json"), to_json(manifest_));
  step("create.named");
  remove_file(file("new"));
  sync_directory(path_);
  creating_ = false;
}

}  // namespace stele::transaction
