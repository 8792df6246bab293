// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/committer.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/base/step.h"

#include <algorithm>
#include <map>
#include <thread>

namespace stele::transaction {

/// A proposal in the form in which it goes to the stores; built before any lock is taken.
struct Committer::Prepared {
  storage::Batch batch;            // own writes, then late operations; the marker comes last
  std::string encoded;             // own writes as the outbox carries them
  storage::Batch late;             // resolved late operations, a second time for the outbox, beside a file
  std::optional<LargeFile> file;   // instead of `encoded`
  std::unique_ptr<Alone> keep_order;  // while late operations are resolved ahead of time
  bool resolved = false;           // ahead of time: `encoded` or `file` holds them, too
  bool late_writes = false;        // there are any
  std::shared_ptr<CommitRecord> record = std::make_shared<CommitRecord>();
  std::map<std::string, std::string, std::less<>> states;  // what late writes have set, by keyspace and key

  bool key_value() const { return !batch.empty(); }
  bool changes_meta() const {  // the batch is ordered by keyspace, and meta is the first
    const bool key = !record->keys.empty() && static_cast<Keyspace>(record->keys.front()) == Keyspace::meta;
    return key || (!record->ranges.empty() && record->ranges.front().keyspace == Keyspace::meta);
  }
};

Committer::Committed Committer::commit(const Proposal& proposal) {
  // 1. Admission and preparation, without a lock of the order. A crash up to step 6 leaves nothing behind but,
  //    perhaps, a file in DIR/large that no row names; opening removes it.
  health_.check();
  std::shared_lock<std::shared_mutex> admission;
  if (!proposal.sql && !proposal.alone) {
    if (alone_thread_.load() == std::this_thread::get_id())
      fail(ErrorCode::busy, "busy: this thread's Database::write runs alone and cannot wait for itself; commit through its transaction",
           {{"reason", "same_thread"}});
    { std::lock_guard wait_for_who_runs_alone(turnstile_); }
    admission = std::shared_lock(admission_);
  }
  bool committed = false;
  std::uint64_t gseq = 0;
  Prepared prepared;
  // Given up only after the handlers below: whoever comes next finds the store poisoned and the number used.
  std::unique_lock order(order_.lock, std::defer_lock);
  std::optional<Publication> publication;
  try {
    prepare(proposal, prepared);
    step("commit.prepared");
    // 2. First stage of validation: most of the work, without the order lock.
    const bool serializable = proposal.isolation == Isolation::serializable;
    const Footprint footprint{proposal.reads, proposal.writes, serializable,
                              serializable && !proposal.sql && !proposal.holds_writer_lock};
    const std::uint64_t validated = proposal.pinned ? recent_.validate(footprint, proposal.snapshot) : 0;

    // 3. The outbox slot must be free (its row's entries durable in the key-value log) and the tail short enough to
    //    carry. The flusher sees to both ahead of time. Only the holder of the writer lock takes slots: no race.
    if (proposal.sql && (order_.ring_last[order_.next_slot()] > sync_.key_value_durable() ||
                         order_.tail_bytes.load() > limits_.tail_carry_bytes_max))
      sync_.sync_key_value();
    if (proposal.sql) admit_batch(prepared.batch.bytes());

    order.lock();
    health_.check();
    gseq = order_.gseq + 1;

    // 4. Second stage: what committed since the first. From here on nothing can come in between.
    if (proposal.pinned) recent_.validate(footprint, validated);
    for (Attached* attached : proposal.attached) attached->validate(serializable);
    if (!prepared.resolved) resolve_late_operations(*proposal.writes, gseq, prepared);

    // 5. The outbox row: the tail of earlier key-value commits, then our own batch. It is part of SQLite's
    //    transaction, so a crash here takes it along.
    if (proposal.sql) put_outbox_row(prepared, gseq);
    step("commit.before_commit_point");

    publication.emplace(order_);
    // Before anything becomes visible: too early only makes a reader look for itself.
    if (prepared.changes_meta()) order_.meta_changed.store(gseq);
    // 6. The commit point. With SQL: SQLite's COMMIT. A crash after it finds all of it in SQLite's log (the process
    //    dying), or all or nothing (power loss: it is not synced yet, and nobody was told).
    if (proposal.sql) {
      commit_sql(prepared, gseq);
      committed = true;
      step("commit.sql_committed");
    }
    // 7. The key-value tier. Without SQL this is the commit point: one write to RocksDB's log, all or nothing. With
    //    SQL the transaction is committed already: a crash before or in this is repaired from the outbox.
    if (prepared.key_value()) {
      prepared.batch.put(Keyspace::meta, marker_key, encode(Marker{gseq, proposal.sql ? gseq : order_.last_sql}));
      committed = true;  // or perhaps not: a failed write may have reached the log
      key_value_.apply(prepared.batch);
      if (prepared.file) large_.release_at(*prepared.file, gseq);
      step("commit.key_value_applied");
    }
    // 8. Visible, as a whole, when the publication closes.
    const bool in_memory_only = !prepared.key_value();
    publish(proposal, prepared, gseq);
    commits_.fetch_add(1, std::memory_order_relaxed);
    return {gseq, proposal.sql ? Log::sql : Log::either, proposal.sql || !in_memory_only, urgent()};
    // 9. The caller gives the writer lock to the next, then calls acknowledge().
  } catch (const Error& error) {
    // After the commit point nothing can be taken back, whatever failed.
    if (committed) unknown_outcome(gseq, error);
    if (error.code() == ErrorCode::conflict) count_conflict();
    if (error.code() == ErrorCode::io) health_.poison(error.message());
    if (prepared.file && error.code() != ErrorCode::unknown_outcome) large_.discard(*prepared.file);
    throw;
  } catch (const std::exception& error) {
    if (committed) unknown_outcome(gseq, error);
    if (prepared.file) large_.discard(*prepared.file);
    throw;
  }
}

void Committer::acknowledge(const Committed& committed, Durability durability) {
  if (durability == Durability::sync && committed.logged) sync_.wait(committed.gseq, committed.log);
  step("commit.acknowledged");
}

void Committer::prepare(const Proposal& proposal, Prepared& prepared) {
  const WriteSet& writes = *proposal.writes;
  if (writes.bytes() > limits_.transaction_bytes_max)
    fail(ErrorCode::too_large,
         text("the transaction writes ", writes.bytes(), " bytes to documents and events; the limit is ",
              limits_.transaction_bytes_max, " (Options::transaction_bytes_max): load in several transactions"),
         {{"size", std::to_string(writes.bytes())}, {"limit", std::to_string(limits_.transaction_bytes_max)}});
  prepared.batch = writes.batch();
  CommitRecord& record = *prepared.record;
  prepared.batch.for_each([&](const storage::Batch::Operation& operation) {
    if (operation.kind == storage::Batch::Operation::Kind::erase_range) {
      record.ranges.push_back({operation.keyspace, std::string(operation.key), std::string(operation.value)});
    } else {
      record.add_key(operation.keyspace, operation.key);
    }
  });
  record.tables = proposal.tables_written;
  record.all_tables = proposal.schema_changed;

  if (proposal.sql && writes.bytes() > limits_.large_bytes && !writes.late().empty()) {
    // Events travel in the file, too. Their offsets are settled here, ahead of the order lock, and cannot change: we hold
    // the writer lock, and `keep_order` keeps everybody else out until we have committed.
    if (!proposal.alone) prepared.keep_order = std::make_unique<Alone>(*this);
    std::lock_guard order(order_.lock);
    resolve_late_operations(writes, order_.gseq + 1, prepared);
    prepared.resolved = true;
  }
  if (proposal.sql) prepared.batch.encode(prepared.encoded);
  if (prepared.encoded.size() > limits_.large_bytes) {
    prepared.file = large_.write(prepared.encoded);
    prepared.encoded.clear();
    storage::Batch().encode(prepared.encoded);
  }
}

/// Late writes of one commit, into its batch.
class Committer::Resolution final : public LateWrites {
 public:
  Resolution(const CommitOrder& order, storage::KeyValueStore& store, std::uint64_t gseq, Prepared& prepared)
      : order_(order), store_(store), gseq_(gseq), prepared_(prepared) {}

  std::uint64_t gseq() const override { return gseq_; }

  const std::string* state(Keyspace keyspace, std::string_view key) override {
    name(keyspace, key);
    if (const auto set = prepared_.states.find(key_); set != prepared_.states.end()) return &set->second;
    if (const std::string* known = order_.late_states.find(key_)) return known;
    return store_.get(keyspace, key, nullptr, read_) ? &read_ : nullptr;
  }

  void set_state(Keyspace keyspace, std::string_view key, std::string value) override {
    name(keyspace, key);
    prepared_.states.insert_or_assign(key_, std::move(value));
  }

  void add(Keyspace keyspace, std::string_view key, std::string_view value) override {
    prepared_.batch.put(keyspace, key, value);
    if (prepared_.file) prepared_.late.put(keyspace, key, value);
  }

  /// The states as they are in the end.
  void write_states() {
    for (const auto& [key, value] : prepared_.states) {
      const auto keyspace = static_cast<Keyspace>(key.front());
      add(keyspace, std::string_view(key).substr(1), value);
      prepared_.record->add_key(keyspace, std::string_view(key).substr(1));
    }
  }

 private:
  void name(Keyspace keyspace, std::string_view key) {
    key_.assign(1, static_cast<char>(keyspace));
    key_ += key;
  }

  const CommitOrder& order_;
  storage::KeyValueStore& store_;
  const std::uint64_t gseq_;
  Prepared& prepared_;
  std::string key_;
  std::string read_;
};

void Committer::resolve_late_operations(const WriteSet& writes, std::uint64_t gseq, Prepared& prepared) {
  Resolution resolution(order_, key_value_, gseq, prepared);
  for (const WriteSet::Late& late : writes.late()) late.write->resolve(resolution);
  resolution.write_states();
  prepared.late_writes = !writes.late().empty();
  for (std::size_t i = 0; i < storage::keyspace_count; ++i) {
    const auto keyspace = static_cast<Keyspace>(i);
    for (const auto& [merge_key, delta] : writes.merges(keyspace)) {
      std::string current;
      // The transaction's own write of the key counts as its current value.
      if (writes.find(keyspace, merge_key, current) == WriteSet::Found::no) {
        if (!key_value_.get(keyspace, merge_key, nullptr, current)) current.clear();
      }
      std::string value;
      append_fixed(value, merged(delta.kind, current, delta.operand));
      resolution.add(keyspace, merge_key, value);
      prepared.record->add_key(keyspace, merge_key);
      prepared.late_writes = true;
    }
  }
}

bool Committer::carries(const Prepared& prepared) const {
  return prepared.key_value() || !planted("sql_only_outside_order");
}

void Committer::put_outbox_row(const Prepared& prepared, std::uint64_t gseq) {
  if (!carries(prepared)) return;
  order_.trim_tail(sync_.key_value_durable());  // what is durable need not be carried
  OutboxRow row{gseq, order_.last_key_value, sync_.durable(), sync_.key_value_floor(), {}};
  row.origin = order_.origin;
  std::vector<std::string> encoded;  // what the row's entries view
  encoded.reserve(order_.tail.size() + 1);
  if (!order_.tail.empty() && !planted("no_tail_carry")) {
    row.prev = order_.tail.front().previous_key_value;
    for (const TailEntry& entry : order_.tail) {
      entry.batch.encode(encoded.emplace_back());
      row.entries.push_back({entry.gseq, entry.previous_sql, {}, encoded.back()});
    }
  }
  if (prepared.key_value()) {
    std::string_view own = prepared.encoded;
    if (prepared.late_writes && !prepared.resolved) {
      // Late operations were resolved only now: with the own writes in one batch, or beside them when they are in a file.
      (prepared.file ? prepared.late : prepared.batch).encode(encoded.emplace_back());
      own = encoded.back();
    }
    row.entries.push_back({gseq, gseq, prepared.file, own});
  }
  const std::size_t slot = row.entries.empty() ? 0 : order_.next_slot();
  relational_.put_outbox(static_cast<std::int64_t>(slot), gseq, encode(row));
}

void Committer::commit_sql(const Prepared& prepared, std::uint64_t gseq) {
  storage::Connection& writer = relational_.writer();
  try {
    writer.commit();
  } catch (const Error& error) {
    // A constraint checked at COMMIT leaves the transaction open; a full disk has rolled it back. In both cases
    // nothing was committed, the number is not used and the tail stays. Anything else may have reached the log.
    const auto engine_code = error.detail().find("sqlite");
    const bool full = engine_code != error.detail().end() && engine_code->second.starts_with("SQLITE_FULL");
    if (writer.in_transaction() || full) {
      writer.rollback();
      throw;
    }
    unknown_outcome(gseq, error);
  }
  // Before the key-value write: from here the barrier keeps its bytes back until SQLite's log is synced.
  order_.sql_logged.store(gseq);
  if (!carries(prepared)) return;
  if (prepared.key_value() || !order_.tail.empty()) {
    order_.ring_last[order_.next_slot()] = prepared.key_value() ? gseq : order_.tail.back().gseq;
    ++order_.ring_next;
  }
  order_.tail.clear();
  order_.tail_bytes = 0;
}

/// Under the order lock, in an open publication.
void Committer::unknown_outcome(std::uint64_t gseq, const std::exception& error) {
  order_.gseq = gseq;  // never given twice
  order_.torn.store(true);
  health_.poison(error.what());
  fail(ErrorCode::unknown_outcome,
       text("unknown outcome: commit ", gseq, " failed in the middle (", error.what(),
            "); reopening the database decides whether it is there"),
       {{"cause", error.what()}, {"gseq", std::to_string(gseq)}});
}

void Committer::publish(const Proposal& proposal, Prepared& prepared, std::uint64_t gseq) {
  order_.gseq = gseq;
  if (prepared.changes_meta() && watches_.any()) watches_.published({}, gseq);
  if (!prepared.record->ranges.empty()) order_.late_states.clear();  // some may be erased
  for (auto& [key, value] : prepared.states) {
    if (watches_.any()) watches_.published(std::string_view(key).substr(1), gseq);
    order_.late_states.set(key, std::move(value));
  }
  CommitRecord& record = *prepared.record;
  record.gseq = gseq;
  const bool key_value = prepared.key_value();
  if (proposal.sql) {
    order_.last_sql = gseq;
    order_.published_sql.store(gseq);
  } else if (key_value) {
    order_.trim_tail(sync_.key_value_durable());  // or a store without SQL commits would keep every batch
    order_.tail_bytes += prepared.batch.bytes();
    order_.tail.push_back({gseq, order_.last_sql, order_.last_key_value, std::move(prepared.batch)});
  }
  if (key_value) order_.last_key_value = gseq;
  order_.published.store(gseq);
  for (const WriteSet::Late& late : proposal.writes->late()) late.write->published();
  recent_.add(std::move(prepared.record));
}

bool Committer::urgent() const {
  const std::size_t half_a_ring_on = (order_.next_slot() - 1 + CommitOrder::ring_slots / 2) % CommitOrder::ring_slots + 1;
  return order_.tail_bytes.load() > limits_.tail_flush_bytes ||
         order_.ring_last[half_a_ring_on] > sync_.key_value_durable();
}

void Committer::admit(std::size_t bytes, const Interrupt* interrupt) {
  using namespace std::chrono_literals;
  // The store never stalls by itself after the commit point; so we wait here, where nothing is held.
  for (double level = key_value_.pressure().level; level >= 1.0; level = key_value_.pressure().level) {
    health_.check();
    if (interrupt) interrupt->check();
    std::this_thread::sleep_for(1ms);
  }
  admit_batch(bytes);
}

void Committer::admit_batch(std::size_t bytes) {
  if (key_value_.needs_room(bytes)) {
    // Synced first, so that writing the buffers out does not make the barrier sync.
    if (order_.sql_logged.load() > sync_.sql_durable()) sync_.sync_sql();
    key_value_.make_room();
  }
}

}  // namespace stele::transaction
