// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/resolve.h"

#include "tools/demo/dependency.h"
#include "tools/demo/schema.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stele::demo {
namespace {

constexpr std::size_t batch_updates = 20'000;

struct Candidate {
  std::int64_t package_id;
  std::string version;  // of the package, or with which the name is provided; may then be empty
  std::string architecture;
};
using Candidates = std::unordered_map<std::string, std::vector<Candidate>>;

struct Dependency {
  std::int64_t package_id;
  std::string kind;
  std::int64_t group_no, alternative_no;
  std::string package_architecture;
  std::string name, comparison, version, architecture;  // comparison … architecture may be empty
};

struct Update {
  Dependency dependency;
  Value target_id, provider_id;
};

/// Breaks, Conflicts and Replaces never mean the package itself, though it may provide the name.
bool excludes_itself(std::string_view kind) { return kind == "Breaks" || kind == "Conflicts" || kind == "Replaces"; }

bool fits_architecture(const Candidate& candidate, const Dependency& wanted) {
  if (wanted.architecture == "any" || candidate.architecture == "all") return true;
  if (!wanted.architecture.empty() && wanted.architecture != "native")
    return candidate.architecture == wanted.architecture;
  return wanted.package_architecture == "all" || candidate.architecture == wanted.package_architecture;
}

bool fits_version(const Candidate& candidate, const Dependency& wanted) {
  if (wanted.comparison.empty()) return true;
  return !candidate.version.empty() && satisfies(candidate.version, wanted.comparison, wanted.version);
}

const Candidate* best(const Candidates& candidates, const Dependency& wanted) {
  const auto found = candidates.find(wanted.name);
  if (found == candidates.end()) return nullptr;
  const Candidate* chosen = nullptr;
  for (const Candidate& candidate : found->second) {
    if (!fits_architecture(candidate, wanted) || !fits_version(candidate, wanted)) continue;
    if (excludes_itself(wanted.kind) && candidate.package_id == wanted.package_id) continue;
    if (!chosen || compare_versions(candidate.version, chosen->version) > 0) chosen = &candidate;
  }
  return chosen;
}

Candidates read_candidates(const Snapshot& at, const std::string& select) {
  Candidates candidates;
  for (const Row& row : at.sql(select))
    candidates[row.get<std::string>(0)].push_back(
        {row.get<std::int64_t>(1), row.get<std::string>(2), row.get<std::string>(3)});
  return candidates;
}

Dependency read_dependency(const Row& row) {
  return {row.get<std::int64_t>(0), row.get<std::string>(1), row.get<std::int64_t>(2),
          row.get<std::int64_t>(3), row.get<std::string>(4), row.get<std::string>(5),
          row.get<std::string>(6),  row.get<std::string>(7), row.get<std::string>(8)};
}

void write_updates(Database& db, const Names& names, const std::vector<Update>& updates, const Resolved& so_far) {
  const std::string update = "UPDATE " + names.dependencies +
                             " SET target_id = ?, provider_id = ? "
                             "WHERE package_id = ? AND kind = ? AND group_no = ? AND alternative_no = ?";
  const std::string event = "{\"direct\":" + std::to_string(so_far.direct) +
                            ",\"by_provider\":" + std::to_string(so_far.by_provider) +
                            ",\"unresolved\":" + std::to_string(so_far.unresolved) + "}";
  WriteOptions options;
  options.writes_sql = true;
  db.write(options, [&](Transaction& tx) {
    for (const auto& [dependency, target_id, provider_id] : updates)
      tx.sql(update, target_id, provider_id, dependency.package_id, dependency.kind, dependency.group_no,
             dependency.alternative_no);
    tx.stream(names.stream).append(NewEvent{"resolve", event, {}});
  });
}

}  // namespace

Resolved resolve_dependencies(Database& db, const std::function<void(const Resolved&)>& progress) {
  const Names names("");
  Resolved resolved;
  std::vector<Update> updates;
  const auto flush = [&] {
    write_updates(db, names, updates, resolved);
    updates.clear();
    progress(resolved);
  };
  // The cursor stays at its moment while the batches commit beside it.
  db.read([&](const Snapshot& at) {
    const Candidates packages = read_candidates(at, "SELECT name, id, version, architecture FROM " + names.packages);
    const Candidates providers =
        read_candidates(at, "SELECT v.name, p.id, ifnull(v.version, ''), p.architecture FROM " + names.provides +
                                " v JOIN " + names.packages + " p ON p.id = v.package_id ORDER BY p.name");
    for (const Row& row : at.sql("SELECT d.package_id, d.kind, d.group_no, d.alternative_no, p.architecture, d.name, "
                                 "ifnull(d.comparison, ''), ifnull(d.version, ''), ifnull(d.architecture, '') FROM " +
                                 names.dependencies + " d JOIN " + names.packages + " p ON p.id = d.package_id")) {
      Dependency dependency = read_dependency(row);
      if (const Candidate* target = best(packages, dependency)) {
        ++resolved.direct;
        updates.push_back({std::move(dependency), target->package_id, {}});
      } else if (const Candidate* provider = best(providers, dependency)) {
        ++resolved.by_provider;
        updates.push_back({std::move(dependency), {}, provider->package_id});
      } else {
        ++resolved.unresolved;
      }
      if (updates.size() == batch_updates) flush();
    }
  });
  flush();
  return resolved;
}

}  // namespace stele::demo
