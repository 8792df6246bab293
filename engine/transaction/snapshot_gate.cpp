// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/snapshot_gate.h"

#include "engine/base/error.h"

#include <thread>

namespace stele::transaction {

void SnapshotGate::check_whole() const {
  if (!order_.torn.load()) return;
  fail(ErrorCode::poisoned,
       "a commit failed in the middle, so that rows, documents and events do not fit together; close the database, mend "
       "the cause and open it again: recovery puts them right",
       {{"cause", "a commit failed in the middle"}});
}

SnapshotGate::Moment SnapshotGate::pin(storage::Connection* sql) {
  check_whole();
  Moment moment;
  auto take = [&] {
    moment.gseq = order_.published.load();
    if (sql) sql->begin_read();
    moment.key_value = key_value_.snapshot();
  };
  for (int attempt = 0; attempt < tries_max; ++attempt) {
    const std::uint64_t before = order_.publication.load();
    if (before % 2 == 0) {
      take();
      if (order_.publication.load() == before) {
        check_whole();
        return moment;
      }
      moment.key_value.reset();
      if (sql) sql->rollback();
    } else {
      std::this_thread::yield();
    }
    retries_.fetch_add(1, std::memory_order_relaxed);
  }
  std::lock_guard order(order_.lock);
  check_whole();
  take();
  return moment;
}

bool SnapshotGate::pin_sql_at(storage::Connection& sql, std::uint64_t gseq) {
  check_whole();
  for (int attempt = 0; attempt < tries_max; ++attempt) {
    const std::uint64_t before = order_.publication.load();
    if (before % 2 == 0) {
      if (order_.published_sql.load() > gseq) return false;
      sql.begin_read();
      if (order_.publication.load() == before) return true;
      sql.rollback();
    } else {
      std::this_thread::yield();
    }
    retries_.fetch_add(1, std::memory_order_relaxed);
  }
  std::lock_guard order(order_.lock);
  if (order_.published_sql.load() > gseq) return false;
  sql.begin_read();
  return true;
}

}  // namespace stele::transaction
