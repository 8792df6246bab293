// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/live_index.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/storage/registry.h"
#include "engine/vectors/truth.h"

#include <algorithm>

namespace stele::vectors {

using namespace std::chrono_literals;
using transaction::Follower;

namespace {
constexpr std::size_t caught_up_under_lock = 64;
constexpr std::uint64_t changes_kept_max = 10'000;
constexpr auto after_failure = 5s;
constexpr auto without_progress = 10s;
}  // namespace

LiveIndex::LiveIndex(transaction::Store& store, std::uint64_t id, const storage::VectorShape& shape,
                     const storage::VectorIndexBackend& backend)
    : store_(store), id_(id), shape_(shape), backend_(backend), files_(store, id, shape, backend) {}

// ---- the thread

void LiveIndex::start() {
  const std::lock_guard ends(ends_);
  if (thread_.joinable()) return;
  {
    const std::lock_guard guard(mutex_);
    stop_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void LiveIndex::stop() noexcept {
  if (store_.forked()) {  // the thread is the parent's
    if (thread_.joinable()) new std::thread(std::move(thread_));
    return;
  }
  const std::lock_guard ends(ends_);
  {
    const std::lock_guard guard(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  progress_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool LiveIndex::stopping() const {
  const std::lock_guard guard(mutex_);
  return stop_;
}

void LiveIndex::stop_if_asked() const {
  if (stopping()) fail(ErrorCode::interrupted, "vector index: the database is being closed");
}

void LiveIndex::run() noexcept {
  for (;;) {
    bool failed = false;
    try {
      while (!stopping() && work()) progress_.notify_all();
    } catch (const std::exception& error) {
      failed = true;
      lose(error.what());
    }
    progress_.notify_all();
    std::unique_lock guard(mutex_);
    if (stop_) return;
    idle_ = true;
    if (failed) {
      wake_.wait_for(guard, after_failure, [this] { return stop_; });
    } else {
      wake_.wait(guard, [this] { return stop_ || more_; });
    }
    idle_ = more_ = false;
    if (stop_) return;
  }
}

/// There is something to do. Under mutex_.
void LiveIndex::wake() noexcept {
  more_ = true;
  if (std::exchange(idle_, false)) wake_.notify_all();
}

bool LiveIndex::work() {
  std::shared_ptr<Generation> current, next;
  bool check = false;
  {
    const std::lock_guard guard(mutex_);
    if (lost_) {
      current_ = next_ = nullptr;
      lost_ = false;
    }
    current = current_;
    next = next_;
    check = check_wanted_;
  }
  if (!current) {
    load(Install::current);
    return true;
  }
  if (check) {
    std::optional<std::string> found = current->check();
    const std::lock_guard guard(mutex_);
    check_wanted_ = false;
    checked_ = std::move(found);
    return true;
  }
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  if (next || current->worn()) return remake(next, threads);
  if (current->step(threads)) return true;
  current->settle();
  current->calibrate();
  keep_files(*current);
  return false;
}

/// The next generation is read, gets its graph, and takes the place of the worn one; what fails is tried again later.
bool LiveIndex::remake(const std::shared_ptr<Generation>& next, unsigned threads) {
  try {
    if (!next) {
      load(Install::next);
      return true;
    }
    if (next->step(threads) && next->pending() > 0) return true;
  } catch (const std::exception& error) {
    const std::lock_guard guard(mutex_);
    if (!stop_) failure_ = error.what();
    next_ = nullptr;
    capturing_ = false;
    missed_.clear();
    return false;
  }
  const std::lock_guard guard(mutex_);
  if (lost_) return true;
  current_ = std::move(next_);
  failure_.clear();
  ++rebuilds_;
  return true;
}

// ---- following commits

void LiveIndex::changed(std::string_view id_element, const Follower::Floats& vector, std::uint64_t gseq) noexcept {
  const std::lock_guard guard(mutex_);
  try {
    if (capturing_) missed_.push_back({std::string(id_element), vector, gseq});
    const float* const floats = vector ? vector->data() : nullptr;
    if (current_) current_->change(id_element, floats, gseq);
    if (next_) next_->change(id_element, floats, gseq);
    if (current_ || lost_) wake();
  } catch (const std::exception& error) {
    failure_ = error.what();
    // Nothing in memory may be asked any more; the thread reads it anew.
    lost_ = true;
    current_ = nullptr;
    wake();
  }
}

void LiveIndex::touched(std::uint64_t gseq) noexcept {
  const std::lock_guard guard(mutex_);
  for (const auto& generation : {current_, next_})
    if (generation) generation->touch(gseq);
  touched_ = gseq;
}

void LiveIndex::lose(const std::string& why) noexcept {
  const std::lock_guard guard(mutex_);
  if (!stop_) failure_ = why;
  current_ = next_ = nullptr;
  capturing_ = false;
  missed_.clear();
}

// ---- reading what is in the store

void LiveIndex::load(Install as) {
  {
    const std::lock_guard guard(mutex_);
    capturing_ = true;  // before the moment is taken: between the two of them nothing is lost
    missed_.clear();
  }
  WriteOptions options;
  options.isolation = Isolation::snapshot;
  const auto reader = store_.begin(options);
  const std::shared_ptr<Generation> generation = read(*reader);
  reader->rollback();
  catch_up(generation, as);
}

std::shared_ptr<Generation> LiveIndex::read(transaction::Reader& reader) {
  // Only once: what lost its rows later may still be searched, over the file's vectors.
  if (!std::exchange(loaded_, true)) {
    IndexFiles::Loaded loaded = files_.load(reader);
    const std::lock_guard guard(mutex_);
    rebuilt_because_ = loaded.why_not;
    if (loaded.generation) {
      saved_changes_ = loaded.why_not.empty() ? changes(*loaded.generation) : 0;
      return std::move(loaded.generation);
    }
  }
  saved_changes_ = 0;
  auto generation = std::make_shared<Generation>(shape_, backend_, reader.moment(), files_.new_floats_path());
  std::size_t read = 0;
  for_each(
      reader, id_, shape_.dimensions,
      [&](std::string_view id_element, std::span<const float> vector) {
        if (++read % 256 == 0) stop_if_asked();
        generation->change(id_element, storage::prepare(shape_, vector).data(), 0);
      },
      transaction::ScanRecord::none);
  return generation;
}

/// What was committed while the generation was read; the last of it under the lock, so that it then follows by itself.
void LiveIndex::catch_up(const std::shared_ptr<Generation>& generation, Install as) {
  const auto apply = [&](const std::vector<Missed>& changes) {
    for (const Missed& change : changes)
      if (change.gseq > generation->base())
        generation->change(change.id_element, change.vector ? change.vector->data() : nullptr, change.gseq);
  };
  for (;;) {
    std::vector<Missed> some;
    std::unique_lock guard(mutex_);
    if (lost_) fail(ErrorCode::io, "vector index: following commits failed");
    missed_.swap(some);
    if (some.size() > caught_up_under_lock) {
      guard.unlock();
      apply(some);
      continue;
    }
    apply(some);
    capturing_ = false;
    generation->touch(std::max(touched_, generation->base()));
    (as == Install::current ? current_ : next_) = generation;
    if (as == Install::current) failure_.clear();
    return;
  }
}

// ---- saving

/// Counts what commits did to it: rows that came and rows that ended.
std::uint64_t LiveIndex::changes(const Generation& generation) const {
  return std::uint64_t{generation.versions().count()} + generation.versions().ended();
}

/// Saves when a quarter has changed. What is too small for a file needs no changes to catch up with either.
void LiveIndex::keep_files(Generation& generation) {
  const std::uint64_t count = changes(generation), since = count - std::min(count, saved_changes_);
  if (files_.kept() && count >= Generation::graph_from) {
    if (since * 4 > count) save(generation);
  } else if (since > changes_kept_max) {
    trim(moment_now());
    saved_changes_ = count;
  }
}

/// A moment up to which everything was followed.
std::uint64_t LiveIndex::moment_now() {
  WriteOptions options;
  options.isolation = Isolation::snapshot;
  const auto reader = store_.begin(options);
  const std::uint64_t gseq = reader->moment();
  reader->rollback();
  return gseq;
}

void LiveIndex::save(Generation& generation) {
  const std::uint64_t changes_now = changes(generation);
  const std::uint64_t gseq = moment_now();
  store_.wait_durable(gseq);  // a file is never ahead of the store
  files_.save(generation, gseq);
  saved_changes_ = changes_now;
  {
    const std::lock_guard guard(mutex_);
    saved_gseq_ = gseq;
  }
  trim(gseq);
}

/// The changes that the saved rows hold need not be kept.
void LiveIndex::trim(std::uint64_t gseq) {
  static std::atomic<int> lock_first{0};
  WriteOptions options;
  options.durability = Durability::relaxed;
  store_.write(options, lock_first, [&](const auto& own) {
    own->statement([&] {
      std::string value;
      if (!own->get(Keyspace::vectors, made_key(id_), value, transaction::Record::binding))
        return;  // dropped meanwhile
      own->writes().erase_range(Keyspace::vectors, changes_key(id_, 0), changes_key(id_, gseq + 1));
      value.clear();
      append_fixed(value, gseq);
      own->writes().put(Keyspace::vectors, trimmed_key(id_), value);
    });
  });
}

void LiveIndex::save() noexcept {
  try {
    std::shared_ptr<Generation> current;
    {
      const std::lock_guard guard(mutex_);
      if (!lost_) current = current_;
    }
    if (!files_.kept() || !current) return;
    const std::uint64_t count = changes(*current);
    if (count >= Generation::graph_from && count != saved_changes_) save(*current);
  } catch (const std::exception& error) {
    const std::lock_guard guard(mutex_);
    failure_ = error.what();
  }
}

// ---- for readers and writers

std::shared_ptr<const Generation> LiveIndex::at(std::uint64_t moment) const {
  const std::lock_guard guard(mutex_);
  return current_ && current_->base() <= moment ? current_ : nullptr;
}

std::size_t LiveIndex::pending() const {
  const std::lock_guard guard(mutex_);
  return missed_.size() + (current_ ? current_->pending() : 0);
}

void LiveIndex::admit() {
  std::size_t least = SIZE_MAX;
  auto give_up = std::chrono::steady_clock::now();
  for (std::size_t now = pending(); now > pending_max; now = pending()) {
    // Nobody is kept waiting when it does not get less: the thread may itself wait for whom we keep waiting.
    if (now < least) give_up = std::chrono::steady_clock::now() + without_progress;
    least = std::min(least, now);
    if (std::chrono::steady_clock::now() > give_up) return;
    Interrupt::poll();
    std::unique_lock guard(mutex_);
    if (stop_ || !failure_.empty()) return;
    progress_.wait_for(guard, 10ms);
  }
}

bool LiveIndex::wait_applied(const Interrupt& interrupt) {
  for (;;) {
    std::shared_ptr<Generation> current;
    bool remaking = false;
    {
      const std::lock_guard guard(mutex_);
      if (stop_ || (!current_ && !failure_.empty())) return false;
      current = current_;
      remaking = next_ != nullptr;
    }
    // Not under the lock, which commits take: the graph's figures may wait for it to be enlarged.
    if (current && !remaking && current->pending() == 0 && !current->figures().hidden) return true;
    {
      std::unique_lock guard(mutex_);
      wake();
      progress_.wait_for(guard, 5ms);
    }
    if (interrupt.cancel().stop_requested()) interrupt.check();
    if (interrupt.raised()) return false;
  }
}

LiveIndex::Figures LiveIndex::figures() const {
  Figures out;
  std::shared_ptr<Generation> current;
  bool remaking = false;
  {
    const std::lock_guard guard(mutex_);
    out.failure = failure_;
    out.rebuilds = rebuilds_;
    out.saved_gseq = saved_gseq_;
    out.rebuilt_because = rebuilt_because_;
    current = current_;
    remaking = next_ != nullptr;
  }
  if (!current) {
    out.state = "loading";
    return out;
  }
  out.rows = current->figures();
  out.calibration = current->calibration();
  out.state = remaking ? "rebuilding" : !out.rows.graph ? "exact" : out.rows.hidden ? "building" : "ready";
  return out;
}

std::optional<std::string> LiveIndex::check(const Interrupt& interrupt) {
  std::unique_lock guard(mutex_);
  checked_.reset();
  check_wanted_ = true;
  while (!checked_ && !stop_ && failure_.empty()) {
    wake();
    progress_.wait_for(guard, 10ms);
    interrupt.check();
  }
  return checked_ ? *checked_ : std::nullopt;
}

}  // namespace stele::vectors
