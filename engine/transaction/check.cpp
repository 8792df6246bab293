// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/check.h"

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/uuid.h"
#include "engine/storage/registry.h"
#include "engine/transaction/large_files.h"
#include "engine/transaction/recovery.h"

#include <sys/stat.h>
#include <algorithm>
#include <cerrno>

namespace stele::transaction {

// ---- Findings

namespace {

/// What the engine advises who meets damage: no help to who is running that check.
constexpr std::string_view advice = "run `stele check`";
constexpr std::string_view restore = "restore the whole directory from a backup";

void replace_advice(std::string& message) {
  const std::size_t at = message.find(advice);
  if (at == std::string::npos) return;
  const std::string_view rest = std::string_view(message).substr(at + advice.size());
  if (rest.starts_with("; ") || rest.starts_with(", ")) {
    message.erase(at, advice.size() + 2);
  } else {
    message.replace(at, advice.size(), restore);
  }
}

bool names_a_cure(std::string_view message) {
  return message.find("restore") != std::string_view::npos || message.find("backup") != std::string_view::npos;
}

}  // namespace

void Findings::damage(std::string_view part, std::string found) {
  replace_advice(found);
  if (!names_a_cure(found)) found += text("; ", restore);
  add(Finding::Severity::damage, part, found);
}

void Findings::damage(std::string_view part, std::string_view found, std::string_view cure) {
  add(Finding::Severity::damage, part, text(found, "; ", cure));
}

bool Findings::is_read_only_disk(const Error& error) {
  const auto number = error.detail().find("errno");
  return number != error.detail().end() && number->second == std::to_string(EROFS);
}

void Findings::add_error(std::string_view part, const Error& error) {
  switch (error.code()) {
    case ErrorCode::version: return add(Finding::Severity::damage, part, error.message());  // it names the cure
    case ErrorCode::io:
    case ErrorCode::full: return damage(part, error.message(), "mend what the operating system complains of");
    default: return damage(part, error.message());
  }
}

void Findings::add(Finding::Severity severity, std::string_view part, const std::string& message) {
  if (findings_.size() < kept) {
    findings_.push_back({severity, std::string(part), message});
  } else {
    ++more_;
  }
}

std::vector<Finding> Findings::take() {
  if (more_ > 0)
    findings_.push_back(
        {Finding::Severity::damage, "check", text("and ", more_, " more findings, which are not listed")});
  more_ = 0;
  return std::move(findings_);
}

namespace {

void require_store_directory(const std::string& directory) {
  struct stat info;
  if (directory.empty() || ::lstat(directory.c_str(), &info) != 0) {
    if (!directory.empty() && errno != ENOENT && errno != ENOTDIR) fail_errno("stat", directory, errno);
    fail(ErrorCode::not_found,
         text("\"", directory, "\": there is no such directory; give the directory of a database"));
  }
  if (!S_ISDIR(info.st_mode))
    fail(ErrorCode::invalid,
         text(directory, S_ISLNK(info.st_mode) ? ": is a symbolic link; check the directory it points to"
                                               : ": is not a directory; a database is a directory of its own"),
         {{"reason", "NotAStore"}});
  const auto names = list_directory(directory);
  const auto there = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  if (!there("stele.json") && !there("relational.db") && !there("kv") && !there("new"))
    fail(ErrorCode::invalid, text(directory, ": holds nothing of a Stele database; nothing was changed"),
         {{"reason", "NotAStore"}});
}

/// On a disk that cannot be written to, nobody else writes either.
File lock_if_possible(const std::string& directory, Findings& findings) {
  try {
    return lock_directory(directory);
  } catch (const Error& error) {
    if (!Findings::is_read_only_disk(error)) throw;
    findings.note("lock", "the directory is on a read-only file system, so it was checked without its lock");
    return {};
  }
}

std::unique_ptr<storage::RelationalStore> open_relational(const std::string& directory, const Manifest& manifest) {
  storage::RelationalOptions options;
  options.path = directory + "/relational.db";
  options.read_only = true;
  options.readers_max = 4;
  return storage::registry().relational(manifest.relational)(options);
}

std::unique_ptr<storage::KeyValueStore> open_key_value(const std::string& directory, const Manifest& manifest) {
  storage::KeyValueOptions options;
  options.path = directory + "/kv";
  options.read_only = true;
  return storage::registry().key_value(manifest.key_value)(options);
}

/// Which store each part says it is of.
void check_identities(const std::optional<storage::Identity>& expected, storage::RelationalStore* relational,
                      storage::KeyValueStore* key_value, Findings& findings) {
  std::optional<std::string> named = expected ? std::optional(encode_identity(*expected)) : std::nullopt;
  const auto compare = [&](std::string_view part, const std::optional<std::string>& id) {
    if (!id)
      return findings.damage(part,
                             "carries no store id, so it is not a part of a Stele database; restore the right one");
    if (!named) {
      named = id;  // stele.json cannot say it: then the parts are compared with each other
    } else if (*id != *named) {
      findings.damage(part, text("belongs to store ", *id, " (id and epoch), the other parts to ", *named,
                                 "; restore all parts of one backup"));
    }
  };
  if (relational)
    findings.expect("relational.db", [&] {
      const auto connection = relational->extra_connection();
      const auto identity = relational->identity(*connection);
      compare("relational.db", identity ? std::optional(encode_identity(*identity)) : std::nullopt);
    });
  if (key_value)
    findings.expect("kv", [&] {
      std::string id;
      const bool found = key_value->get(Keyspace::meta, identity_key, nullptr, id);
      compare("kv", found ? std::optional(id) : std::nullopt);
    });
}

LogState logs_of(storage::RelationalStore& relational, storage::KeyValueStore& key_value, const Floor& floor,
                 const std::optional<Origin>& origin) {
  const auto connection = relational.extra_connection();
  connection->begin_read();
  return read_logs(relational, *connection, key_value, floor, origin);
}

void check_logs(const LogState& state, Findings& findings) {
  if (const auto problem = contradiction(state)) findings.damage("logs", *problem);
  for (const OutboxRow& row : state.decoded)
    for (const OutboxEntry& entry : row.entries)
      findings.expect("relational.db", [&] { storage::Batch::decode(entry.batch, text("outbox entry ", entry.gseq)); });
}

/// Files of large transactions: those the key-value tier still needs, and leftovers.
void check_large_files(const std::string& directory, const LogState& state, Findings& findings) {
  const std::string path = directory + "/large";
  if (!is_directory(path)) return findings.damage("large", "the directory is missing", "create it (mode 0700), empty");
  const LargeFiles files(path);
  std::vector<std::string> referred;
  for (const OutboxRow& row : state.decoded)
    for (const OutboxEntry& entry : row.entries) {
      if (!entry.file || entry.gseq <= state.marker.gseq) continue;
      referred.push_back(entry.file->name);
      findings.expect("large", [&] { files.read(*entry.file); });
    }
  for (const std::string& name : list_directory(path))
    if (!is_uuid(name)) {
      findings.note("large", text("large/", name, " is not Stele's; it is left alone"));
    } else if (std::ranges::find(referred, name) == referred.end()) {
      findings.note("large", text("large/", name, " belongs to no pending commit; the next open removes it"));
    }
}

void verify_engines(storage::RelationalStore* relational, storage::KeyValueStore* key_value,
                    const CheckOptions& options, const Interrupt& interrupt, Findings& findings) {
  interrupt.check();
  if (relational)
    findings.expect("relational.db", [&] {
      for (const std::string& line : relational->verify(interrupt)) findings.damage("relational.db", line);
    });
  if (key_value && options.deep) findings.expect("kv", [&] { key_value->verify(interrupt); });
}

}  // namespace

OpenedTiers open_to_check(const std::string& directory, Findings& findings) {
  require_store_directory(directory);
  OpenedTiers tiers;
  bool as_they_must_be = true;
  for (const std::string_view part : store_names()) {
    if (const auto wrong = wrong_kind(directory, part)) {
      findings.expect(part, [&] { throw *wrong; });
      as_they_must_be = false;
    }
  }
  if (!as_they_must_be) return tiers;  // opening the others could follow them
  tiers.lock = lock_if_possible(directory, findings);
  const auto file = [&](std::string_view name) { return directory + "/" + std::string(name); };

  if (!exists(file("stele.json")) && exists(file("new"))) {
    findings.note("stele.json", "the database was never finished being created; the next open starts over");
    return tiers;
  }
  if (!exists(file("stele.json"))) {
    findings.damage("stele.json", "is missing; restore it from a backup");
  } else {
    findings.expect("stele.json", [&] { tiers.manifest = read_manifest(file("stele.json")); });
    if (exists(file("new"))) findings.note("new", "is left over from the creation; the next open removes it");
  }
  Manifest backends;
  backends.relational = tiers.manifest ? tiers.manifest->relational : Options().relational;
  backends.key_value = tiers.manifest ? tiers.manifest->key_value : Options().key_value;

  if (!exists(file("relational.db"))) {
    findings.damage("relational.db", "is missing; restore all parts of one backup");
  } else {
    findings.expect("relational.db", [&] { tiers.relational = open_relational(directory, backends); });
  }
  if (exists(file("relational.db-journal")))
    findings.note("relational.db-journal", "is not the database's, which has a log; it is left alone and never applied");
  if (!exists(file("kv"))) {
    findings.damage("kv", "is missing; restore all parts of one backup");
  } else {
    findings.expect("kv", [&] { tiers.key_value = open_key_value(directory, backends); });
  }
  if (!exists(file("durable"))) {
    findings.damage("durable",
                    "is missing, so nothing says how far commits were acknowledged; restore it from the same backup");
  } else if (tiers.manifest) {
    findings.expect("durable", [&] { tiers.floor = DurableFloor::look(file("durable"), tiers.manifest->identity); });
  }
  return tiers;
}

void check_tiers(const std::string& directory, OpenedTiers& tiers, const CheckOptions& options, const Interrupt& interrupt,
                 Findings& findings) {
  const auto identity = tiers.manifest ? std::optional(tiers.manifest->identity) : std::nullopt;
  check_identities(identity, tiers.relational.get(), tiers.key_value.get(), findings);
  const auto origin = identity ? std::optional(origin_of(*identity)) : std::nullopt;
  if (tiers.relational && tiers.key_value)
    findings.expect("logs", [&] {
      const LogState state = logs_of(*tiers.relational, *tiers.key_value, tiers.floor, origin);
      check_logs(state, findings);
      check_large_files(directory, state, findings);
    });
  verify_engines(tiers.relational.get(), tiers.key_value.get(), options, interrupt, findings);
}

void check_tiers(Store& store, const CheckOptions& options, const Interrupt& interrupt, Findings& findings) {
  store.check_open();
  check_identities(store.directory().manifest().identity, &store.relational(), &store.key_value(), findings);
  findings.expect("logs", [&] {
    LogState state;
    {
      std::lock_guard guard(store.order().lock);
      state = logs_of(store.relational(), store.key_value(), {}, store.order().origin);
    }
    check_logs(state, findings);
  });
  if (const std::string cause = store.health().cause(); !cause.empty())
    findings.damage("store", text("takes no more writes after a failure: ", cause),
                    "close it, mend the cause and open it again");
  if (const std::uint64_t foreign = store.foreign_commits(); foreign > 0)
    findings.damage("relational.db", text(foreign, " commits since it was opened were made by another program"),
                    "only read the file with other programs, and write through Stele");
  verify_engines(&store.relational(), &store.key_value(), options, interrupt, findings);
}

}  // namespace stele::transaction
