// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/check.h"
#include "tools/stele/findings_json.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

void check(Session& session, const Request& request, Answer& answer) {
  CheckOptions options;
  options.deep = request.boolean("deep", false);
  const Interrupt interrupt = session.interrupt(request);
  interrupt.check();
  answer.add_json("findings", findings_json(detail::check_open_database(session.core(), options, interrupt)));
}

void stats(Session& session, const Request& request, Answer& answer) {
  if (request.has("collection")) {
    const std::string name = request.name_field("collection");
    answer.add_members(session.read(request, [&](const Snapshot& at) { return at.collection(name).stats(); }));
    return;
  }
  const Stats stats = session.database().stats();
  answer.add("commits", stats.commits);
  answer.add("conflicts", stats.conflicts);
  answer.add("syncs", stats.syncs);
  answer.add("snapshot_retries", stats.snapshot_retries);
  answer.add("barrier_syncs", stats.barrier_syncs);
  answer.add("foreign_commits", stats.foreign_commits);
  answer.add("gseq", stats.gseq);
  answer.add("durable_gseq", stats.durable_gseq);
  answer.add("wal_bytes", stats.wal_bytes);
  answer.add("tail_bytes", stats.tail_bytes);
  answer.add("key_value_memory_bytes", stats.key_value_memory_bytes);
  answer.add_text("poisoned", stats.poisoned);
  answer.add_text("maintenance_error", stats.maintenance_error);
}

}  // namespace

std::span<const Operation> store_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"check", none, false, {"deep"}, {}, R"({"op":"check","deep":true})", check},
      {"stats", may, false, {"collection"}, {}, R"({"op":"stats","collection":"articles"})", stats},
  };
  return operations;
}

}  // namespace stele::tool
