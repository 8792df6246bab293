// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/store.h"

#include "engine/base/error.h"
#include "engine/base/step.h"
#include "engine/storage/registry.h"
#include "engine/transaction/sql_text.h"
#include "engine/transaction/tier_reader.h"

#include <pthread.h>

#include <algorithm>
#include <thread>

namespace stele::transaction {

namespace {

std::atomic<unsigned> fork_generation{0};

void watch_forks() {
  static const int once = ::pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1); });
  (void)once;
}

/// The newest state, with the store's numbers for the catalog's cache.
class LatestReader final : public TierReader {
 public:
  LatestReader(Store& store, Use use, bool one_moment, const Interrupt& interrupt)
      : LatestReader(store, std::move(use), store.order().published.load(), one_moment, interrupt) {}
  std::uint64_t moment() override { return at() ? moment_ : order_.published.load(); }
  std::uint64_t meta_changed() const override { return order_.meta_changed.load(); }
  std::int64_t time_us() const override { return clock_.now_us(); }

 private:
  // The moment is read before the snapshot is taken: it may be an earlier one, never a later.
  LatestReader(Store& store, Use use, std::uint64_t moment, bool one_moment, const Interrupt& interrupt)
      : TierReader(store.key_value(), one_moment ? store.key_value().snapshot() : nullptr, interrupt),
        order_(store.order()),
        clock_(store.clock()),
        moment_(moment),
        use_(std::move(use)) {}

  const CommitOrder& order_;
  const StoreClock& clock_;
  const std::uint64_t moment_;
  Use use_;
};

/// The stores whose write() this thread is inside of.
thread_local std::vector<const Store*> writing_here;

void require_capabilities(const storage::Capabilities& capabilities, const std::string& backend, bool in_memory) {
  if (!in_memory && !(capabilities.durable_log && capabilities.append_barrier))
    fail(ErrorCode::unsupported, text("open: the key_value backend \"", backend,
                                      "\" has no durable log with an append barrier, so it cannot hold a database on "
                                      "disk; use Database::in_memory"));
  if (!capabilities.snapshots)
    fail(ErrorCode::unsupported, text("open: the key_value backend \"", backend, "\" has no snapshots"));
}

}  // namespace

// ---- open and close

std::shared_ptr<Store> Store::open(const std::string& directory, const Options& options, const Tuning& tuning) {
  watch_forks();
  // Before anything is made.
  storage::registry().relational(options.relational);
  storage::registry().vector_index(options.vector_index);
  require_capabilities(storage::registry().capabilities(options.key_value), options.key_value, tuning.in_memory);
  std::shared_ptr<Store> store(new Store(options, tuning));
  store->fork_generation_ = fork_generation.load();
  store->directory_ = std::make_unique<Directory>(
      Directory::Request{directory, options.create_if_missing, options.relational, options.key_value});
  store->large_ = std::make_unique<LargeFiles>(store->directory_->file("large"), &store->health_);
  if (store->directory_->creating()) store->create_tiers();
  store->open_tiers();
  store->start();
  return store;
}

storage::RelationalOptions Store::relational_options(bool create) const {
  storage::RelationalOptions relational;
  relational.path = directory_->file("relational.db");
  relational.create = create;
  relational.readers_max = options_.readers_max;
  relational.memory_bytes = options_.memory_bytes * 15 / 100;
  return relational;
}

storage::KeyValueOptions Store::key_value_options(bool create) {
  storage::KeyValueOptions key_value;
  if (!tuning_.in_memory) key_value.path = directory_->file("kv");
  key_value.create = create;
  key_value.memory_bytes = options_.memory_bytes * 75 / 100;
  key_value.write_buffer_bytes = tuning_.write_buffer_bytes;
  key_value.log_buffer_bytes = tuning_.log_buffer_bytes;
  key_value.before_append = [this] { return !sync_ || sync_->before_append(); };
  key_value.on_failure = [this](const Error& error) { health_.poison(error.message()); };
  return key_value;
}

void Store::create_tiers() {
  const storage::Identity& identity = directory_->manifest().identity;
  {
    auto relational = storage::registry().relational(options_.relational)(relational_options(true));
    relational->create(identity);
    step("create.relational");
    auto key_value = storage::registry().key_value(options_.key_value)(key_value_options(true));
    storage::Batch batch;
    batch.put(Keyspace::meta, identity_key, encode_identity(identity));
    batch.put(Keyspace::meta, marker_key, encode(Marker{}));
    key_value->apply(batch);
    key_value->flush_log();
    key_value->sync_log();
    step("create.key_value");
    if (tuning_.in_memory) key_value_ = std::move(key_value);  // it would be gone
  }
  DurableFloor::create(directory_->file("durable"), identity);
  sync_directory(directory_->path());
  step("create.floor");
  directory_->finish_creation();
}

void Store::open_tiers() {
  for (const char* part : {"relational.db", "kv", "durable", "large"}) {
    const bool kept_in_memory = tuning_.in_memory && std::string_view(part) == "kv";
    if (kept_in_memory || exists(directory_->file(part))) continue;
    fail(ErrorCode::corrupt,
         text(directory_->file(part), ": is missing, so the database is not complete; put it back from a backup of the "
                                      "whole directory (`stele check` says what else is missing)"),
         {{"file", part}});
  }
  relational_ = storage::registry().relational(options_.relational)(relational_options(false));
  step("recovery.sql_opened");
  if (!planted("no_recovery_sync")) relational_->sync_log();
  step("recovery.sql_synced");

  sync_ = std::make_unique<SyncGroup>(order_, *relational_, health_, watches_);
  if (!key_value_) key_value_ = storage::registry().key_value(options_.key_value)(key_value_options(false));
  step("recovery.key_value_opened");

  check_identity(directory_->manifest().identity, *relational_, *key_value_);
  floor_ = std::make_unique<DurableFloor>(directory_->file("durable"), directory_->manifest().identity);
  clock_ = std::make_unique<StoreClock>(floor_->found().time_us);
  order_.origin = origin_of(directory_->manifest().identity);
  recovered_ = recover(*relational_, *key_value_, floor_->found(), *large_, order_);
  sync_->attach(*key_value_);
  sync_->start_at(recovered_.gseq, order_.last_key_value);
}

void Store::start() {
  gate_ = std::make_unique<SnapshotGate>(order_, *key_value_);
  Committer::Limits limits;
  limits.transaction_bytes_max = options_.transaction_bytes_max;
  limits.large_bytes = tuning_.large_bytes;
  committer_ = std::make_unique<Committer>(order_, recent_, *sync_, health_, *large_, *relational_, *key_value_, watches_, limits);
  data_version_ = relational_->writer().data_version();
  background_ = std::make_unique<Background>(*this);
}

bool Store::forked() const { return fork_generation_ != fork_generation.load(std::memory_order_relaxed); }

void Store::check_open() const {
  gatekeeper_.check_open();
  if (forked())
    fail(ErrorCode::closed, "this is a forked child: the database belongs to the parent process; open it here only after "
                            "the parent has closed it",
         {{"reason", "fork"}});
}

void Store::close() {
  check_open();
  release_warm_readers();
  if (!gatekeeper_.close())
    fail(ErrorCode::busy, text("close: ", gatekeeper_.users(), " transactions, snapshots or cursors are open; end them first"));
  shut_down();
}

void Store::shut_down() {
  follower_.reset();  // its threads read the store
  if (background_) background_->stop();
  release_warm_readers();
  std::optional<Error> failure;
  if (committer_ && !health_.poisoned()) {
    try {
      sync_->sync_key_value();
      if (sync_->sql_durable() < order_.sql_logged.load()) sync_->sync_sql();
      floor_->raise({sync_->durable(), clock_->now_us()});
      move_log();
    } catch (const Error& error) {
      failure = error;
    }
  }
  background_.reset();
  key_value_.reset();  // before what its barrier calls
  committer_.reset();
  sync_.reset();
  relational_.reset();
  const std::string path = directory_ ? directory_->path() : "";
  directory_.reset();
  if (tuning_.in_memory && !path.empty()) remove_tree(path);
  if (failure) throw *failure;
}

/// On a full disk the log stays: it is durable, and the next opening moves it.
void Store::move_log() {
  try {
    relational_->checkpoint();
    relational_->truncate_log();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::full) throw;
  }
}

Store::~Store() {
  if (gatekeeper_.closed() || forked()) return;
  try {
    shut_down();
  } catch (const std::exception&) {
    // close() is the way to hear of it; what was acknowledged is on disk.
  }
}

// ---- transactions

std::shared_ptr<Transaction> Store::begin(const WriteOptions& options) {
  check_open();
  Transaction::Begin begin;
  begin.isolation = options.isolation;
  begin.durability = options.durability.value_or(options_.durability);
  begin.interrupt = Interrupt::within(options.deadline, options.cancel);
  begin.writes_sql = options.writes_sql;
  return std::make_shared<Transaction>(shared_from_this(), begin);
}

std::shared_ptr<Transaction> Store::snapshot(const ReadOptions& options) {
  check_open();
  Transaction::Begin begin;
  begin.kind = Transaction::Kind::snapshot;
  begin.interrupt = Interrupt::within(options.deadline, options.cancel);
  return std::make_shared<Transaction>(shared_from_this(), begin);
}

std::shared_ptr<SqlCursor> Store::sql(std::string_view text, const Parameters& parameters, const WriteOptions& options) {
  check_open();
  const Use use(gatekeeper_);
  const Interrupt interrupt = Interrupt::within(options.deadline, options.cancel);
  const Interrupt::Here here(interrupt);
  Interrupt::poll();
  if (!writes_by_first_word(text)) {
    auto pin = warm_reader();
    auto statement = pin->connection->prepare(text, storage::Author::caller);
    if (!statement->facts().writes) {
      if (parameters.by_name) {
        statement->bind(parameters.named);
      } else {
        statement->bind(parameters.positional);
      }
      return std::make_shared<SqlCursor>(std::move(statement), std::move(pin), interrupt);
    }
  }
  static std::atomic<int> lock_first{0};
  std::shared_ptr<SqlCursor> cursor;
  write(options, lock_first, [&](const std::shared_ptr<Transaction>& transaction) {
    cursor = transaction->statement([&] { return transaction->sql(text, parameters); });
    cursor->drain();  // its rows, if any, outlive the transaction
  });
  return cursor;
}

std::unique_ptr<Reader> Store::latest(bool one_moment, const Interrupt& interrupt) {
  Use use(gatekeeper_);
  return std::make_unique<LatestReader>(*this, std::move(use), one_moment, interrupt);
}

/// Beyond readers_max waits for somebody to end, as writers wait for the lock.
std::shared_ptr<ReadPin> Store::read_pin() {
  auto pin = std::make_shared<ReadPin>();
  const auto give_up = std::chrono::steady_clock::now() + options_.lock_timeout;
  for (bool again = false; !pin->connection; again = true) {
    try {
      pin->connection = relational_->reader();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::busy || std::chrono::steady_clock::now() >= give_up) throw;
      Interrupt::poll();
      release_warm_readers();
      if (again) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  register_pin(*pin);
  return pin;
}

std::shared_ptr<ReadPin> Store::warm_reader() {
  constexpr auto warm_for = std::chrono::milliseconds(5);
  const auto now = std::chrono::steady_clock::now();
  // Read before pinning: the pinned moment is this one or a later one.
  const std::uint64_t sql_gseq = order_.published_sql.load();
  WarmReader reader;
  {
    std::lock_guard guard(warm_mutex_);
    if (!warm_.empty()) {
      reader = std::move(warm_.back());
      warm_.pop_back();
    }
  }
  std::shared_ptr<ReadPin> pin;
  if (!reader.connection) {
    pin = read_pin();
  } else {
    pin = std::make_shared<ReadPin>();
    pin->connection = std::move(reader.connection);
    pin->sql_gseq = reader.sql_gseq;
    pin->pinned_at = reader.pinned_at;
    register_pin(*pin);
  }
  if (!pin->connection->in_transaction() || pin->sql_gseq != sql_gseq || now - pin->pinned_at > warm_for) {
    pin->connection->rollback();
    pin->connection->begin_read();
    pin->sql_gseq = sql_gseq;
    pin->pinned_at = now;
  }
  pin->use = Use(gatekeeper_);
  pin->warm = true;
  return pin;
}

void Store::give_back_warm(ReadPin& pin) {
  constexpr std::size_t warm_max = 4;
  std::lock_guard guard(warm_mutex_);
  if (gatekeeper_.closed() || warm_.size() >= warm_max) return;
  warm_.push_back({std::move(pin.connection), pin.sql_gseq, pin.pinned_at});
}

void Store::release_warm_readers() {
  std::vector<WarmReader> released;  // rolled back by the pool, outside the lock
  std::lock_guard guard(warm_mutex_);
  released.swap(warm_);
}

void Store::register_pin(ReadPin& pin) {
  pin.store = shared_from_this();
  std::lock_guard guard(pins_mutex_);
  pins_.push_back(&pin);
}

void Store::pin_ended(ReadPin& pin) noexcept {
  {
    std::lock_guard guard(pins_mutex_);
    std::erase(pins_, &pin);
  }
  if (pin.warm && !pin.expired) give_back_warm(pin);
}

void Store::expire_oldest_snapshot() {
  std::lock_guard guard(pins_mutex_);
  const auto oldest = std::ranges::find_if(pins_, [](const ReadPin* pin) { return !pin->given_up; });
  if (oldest != pins_.end()) (*oldest)->expire();
}

void Store::check_log_bound(const Interrupt& interrupt) {
  using namespace std::chrono_literals;
  const std::uint64_t limit = 2 * options_.wal_bytes_max;
  std::uint64_t bytes = relational_->log_bytes();
  // Whoever kept the log may be gone meanwhile, and no commit would tell the checkpointer.
  for (const auto end = std::chrono::steady_clock::now() + 1s; bytes > limit && std::chrono::steady_clock::now() < end;
       bytes = relational_->log_bytes()) {
    interrupt.check();
    background_->checkpoint_soon();
    std::this_thread::sleep_for(2ms);
  }
  if (bytes <= limit) return;
  fail(ErrorCode::full,
       text("relational.db-wal has ", bytes, " bytes, twice Options::wal_bytes_max (", options_.wal_bytes_max,
            "): a reader, perhaps another program that has relational.db open, keeps it from being emptied; end that reader"),
       {{"file", "relational.db-wal"}, {"size", std::to_string(bytes)}, {"limit", std::to_string(2 * options_.wal_bytes_max)}});
}

std::uint64_t Store::enter() {
  std::lock_guard guard(open_mutex_);
  // Never 0, which stands for "not registered".
  const std::uint64_t moment = order_.published.load() + 1;
  open_.insert(moment);
  return moment;
}

void Store::move(std::uint64_t& registered, std::uint64_t gseq) {
  std::lock_guard guard(open_mutex_);
  open_.erase(open_.find(registered));
  registered = gseq + 1;
  open_.insert(registered);
}

void Store::leave(std::uint64_t registered) noexcept {
  std::uint64_t oldest;
  {
    std::lock_guard guard(open_mutex_);
    open_.erase(open_.find(registered));
    oldest = open_.empty() ? order_.published.load() : *open_.begin() - 1;
  }
  recent_.forget_through(oldest);
}

void Store::note_foreign_commit() {
  const std::uint64_t version = relational_->writer().data_version();
  if (version == data_version_) return;
  data_version_ = version;
  foreign_commits_.fetch_add(1, std::memory_order_relaxed);
  // It has no row in the outbox; it takes its place in the order so that who read SQL before it conflicts.
  std::lock_guard guard(order_.lock);
  Publication publication(order_);
  auto record = std::make_shared<CommitRecord>();
  record->gseq = ++order_.gseq;
  record->all_tables = true;
  order_.published_sql.store(order_.gseq);
  order_.published.store(order_.gseq);
  recent_.add(std::move(record));
}

void Store::after_commit(const Committer::Committed& committed) {
  background_->note_commit(committed.urgent);
  if (committed.log == Log::sql) background_->note_log_bytes(relational_->log_bytes());
}

/// The writer lock, for an attempt that runs alone. False: somebody held it all the time, and a body that writes no SQL
/// is not to hear of that; it tries once more among the others.
bool Store::lock_alone(const Transaction::Begin& begin, bool wrote_sql) {
  try {
    writer_lock_.lock(options_.lock_timeout, &begin.interrupt);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::busy || wrote_sql) throw;
    return false;
  }
}

void Store::write(const WriteOptions& options, std::atomic<int>& lock_first,
                  const std::function<void(const std::shared_ptr<Transaction>&)>& body) {
  check_open();
  if (std::ranges::find(writing_here, this) != writing_here.end())
    fail(ErrorCode::invalid,
         "a write inside the body of Database::write would wait for itself; use the transaction that the body was given",
         {{"reason", "nested"}});
  writing_here.push_back(this);
  struct Leave {
    ~Leave() { writing_here.pop_back(); }
  } leave;

  Transaction::Begin begin;
  begin.isolation = options.isolation;
  begin.durability = options.durability.value_or(options_.durability);
  begin.interrupt = Interrupt::within(options.deadline, options.cancel);
  bool wrote_sql = false;
  std::uint64_t jitter = 0x9E3779B97F4A7C15u ^ reinterpret_cast<std::uintptr_t>(&begin);
  for (int attempt = 1;; ++attempt) {
    const bool hinted = attempt == 1 && lock_first.load(std::memory_order_relaxed) > 0;
    begin.writes_sql = options.writes_sql || wrote_sql || hinted;
    begin.alone = attempt > tuning_.alone_after;

    // Alone: writers are out by their lock, key-value commits by the committer's.
    std::unique_ptr<Committer::Alone> alone;
    struct Unlock {
      WriterLock* lock = nullptr;
      ~Unlock() { if (lock) lock->unlock(); }
    } unlock;
    if (begin.alone && !lock_alone(begin, wrote_sql)) begin.alone = false;
    if (begin.alone) {
      unlock.lock = &writer_lock_;
      alone = std::make_unique<Committer::Alone>(*committer_);
    }

    const auto transaction = std::make_shared<Transaction>(shared_from_this(), begin);
    try {
      body(transaction);
      transaction->commit();
      if (hinted) {
        if (transaction->wrote_sql()) {
          lock_first.store(64, std::memory_order_relaxed);
        } else {
          lock_first.fetch_sub(1, std::memory_order_relaxed);
        }
      }
      return;
    } catch (const Error& error) {
      const bool again = error.code() == ErrorCode::conflict || transaction->conflicted_at_first_sql_write();
      wrote_sql = wrote_sql || transaction->wrote_sql() || transaction->conflicted_at_first_sql_write();
      if (transaction->conflicted_at_first_sql_write()) lock_first.store(64, std::memory_order_relaxed);
      transaction->rollback();
      if (!again) throw;
    } catch (...) {
      transaction->rollback();
      throw;
    }
    begin.interrupt.check();
    jitter = jitter * 6364136223846793005u + 1442695040888963407u;
    std::this_thread::sleep_for(std::chrono::microseconds((jitter >> 33) % (50u << std::min(attempt, 8))));
  }
}

// ---- the rest

void Store::sync_now() {
  check_open();
  const Use use(gatekeeper_);
  health_.check();
  wait_durable(order_.published.load());
}

void Store::wait_durable(std::uint64_t gseq) {
  const Use use(gatekeeper_);
  // Both: an SQL commit among them is durable only through SQLite's log.
  sync_->wait(std::min(gseq, order_.sql_logged.load()), Log::sql);
  sync_->wait(gseq, Log::either);
}

void Store::compact() {
  check_open();
  const Use use(gatekeeper_);
  health_.check();
  writer_lock_.lock(options_.lock_timeout, nullptr);
  struct Unlock {
    WriterLock& lock;
    ~Unlock() { lock.unlock(); }
  } unlock{writer_lock_};
  note_foreign_commit();
  release_warm_readers();
  try {
    relational_->compact();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) health_.poison(error.message());
    throw;
  }
  data_version_ = relational_->writer().data_version();
  background_->note_log_bytes(relational_->log_bytes());
}

}  // namespace stele::transaction
