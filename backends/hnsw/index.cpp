// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/hnsw/index.h"

#include "backends/hnsw/open.h"
#include "backends/hnsw/reach.h"
#include "engine/base/error.h"

#include <algorithm>
#include <exception>
#include <thread>

namespace stele::hnsw {

using namespace storage;

namespace {

constexpr Row first_capacity = 1024;
constexpr Row rows_max = 0x7fff'fff0;

}  // namespace

/// Exclusive use of the structure for a moment. std::shared_mutex prefers readers, who could keep it for ever.
class HnswIndex::Inserting {
 public:
  explicit Inserting(HnswIndex& index) : index_(index) { set(true); }
  ~Inserting() { set(false); }

  void alone(const auto& body) {
    const std::lock_guard turn(index_.turn_);
    index_.waiting_.store(true, std::memory_order_relaxed);
    {
      const std::lock_guard lock(index_.structure_);
      body();
    }
    index_.waiting_.store(false, std::memory_order_relaxed);
  }

 private:
  void set(bool inserting) {
    alone([&] { index_.inserting_ = inserting; });
  }
  HnswIndex& index_;
};

HnswIndex::HnswIndex(const VectorShape& shape, VectorRows over, distance::Codec codec)
    : over_(over),
      shape_(shape),
      codec_(std::move(codec)),
      graph_(codec_, shape.m, shape.ef_construction, first_capacity) {}

void HnswIndex::add(Row until) {
  if (until <= rows()) return;
  if (failed_) fail(ErrorCode::io, "vector index: an insert failed before; the graph is to be built anew");
  Inserting inserting(*this);
  std::vector<char> record(codec_.record_bytes());
  try {
    if (until > graph_.capacity()) inserting.alone([&] { make_room(until); });
    for (Row row = rows(); row < until; ++row) {
      codec_.encode(over_.vectors.at(row), record.data());
      graph_.insert<Reading::alone>(row, record.data(), row);
      publish(row + 1);
    }
  } catch (...) {
    failed_ = true;
    throw;
  }
}

void HnswIndex::build(Row until, unsigned threads) {
  if (threads <= 1) {
    add(until);
    repair();
    return;
  }
  make_room(until);
  std::atomic<Row> next{rows()};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&] {
    try {
      std::vector<char> record(codec_.record_bytes());
      for (Row row; !stop && (row = next++) < until;) {
        codec_.encode(over_.vectors.at(row), record.data());
        graph_.insert<Reading::locked>(row, record.data(), until);
      }
    } catch (...) {
      stop = true;
      const std::lock_guard lock(failure_mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }
  failed_ = failure != nullptr;
  if (failure) std::rethrow_exception(failure);
  graph_.repair(until);
  publish(until);
}

Row HnswIndex::repair() {
  const Inserting inserting(*this);
  return graph_.repair(rows());
}

bool HnswIndex::make_room(Row rows) {
  if (rows <= graph_.capacity()) return false;
  if (rows > rows_max)
    fail(ErrorCode::full, text("vector index: it has ", graph_.capacity(), " rows, and at most ", rows_max));
  graph_.reserve(static_cast<Row>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(rows, std::uint64_t{graph_.capacity()} * 3 / 2), rows_max)));
  return true;
}

void HnswIndex::publish(Row rows) {
  const Entry entry = graph_.entry();
  entry_.store(static_cast<std::uint64_t>(entry.level) << 32 | entry.row, std::memory_order_release);
  rows_.store(rows, std::memory_order_release);
}

VectorHits HnswIndex::search(const VectorQuery& query) const {
  if (waiting_.load(std::memory_order_relaxed)) const std::lock_guard wait(turn_);
  const std::shared_lock lock(structure_);
  const Row rows = this->rows();
  const bool all_seen = over_.versions.all_visible(query.at);
  const std::uint64_t ended = all_seen ? 0 : std::min<std::uint64_t>(over_.versions.ended(), rows);
  std::uint64_t count = query.allowed ? query.allowed->count() : rows;
  // How many of the allowed have ended is not known; as many as of all.
  count -= static_cast<std::uint64_t>(static_cast<double>(count) * static_cast<double>(ended) / std::max<Row>(rows, 1));
  const Choice choice = choose(query, codec_.dimensions(), count, rows, query.allowed != nullptr);
  if (choice.strategy == Strategy::exact) return scan_exactly(query, codec_, over_, rows);
  if (choice.strategy == Strategy::scan || rows == 0) return scan(query, rows);

  std::vector<std::uint64_t> bits;
  if (query.allowed) bits = query.allowed->bits(rows);
  const Allowed allowed{query.allowed ? bits.data() : nullptr, all_seen ? nullptr : &over_.versions, query.at, count};
  return walk(query, choice, allowed, rows, inserting_);
}

VectorHits HnswIndex::walk(const VectorQuery& query, const Choice& choice, Allowed allowed, Row rows,
                           bool beside) const {
  thread_local Seen seen;
  thread_local Nearest beam;
  seen.forget(graph_.capacity());
  beam.reset(choice.ef);
  const char* const target = encoded(codec_, query.vector);
  Walk walk{graph_.view(), codec_, target, rows, seen};
  const bool filled =
      beside ? fill<Reading::locked>(walk, choice, allowed, beam) : fill<Reading::alone>(walk, choice, allowed, beam);
  VectorHits found;
  if (filled) expand(walk, allowed, query.k, beam);
  if (filled && beam.size() >= std::min<std::uint64_t>(query.k, allowed.count)) {
    found.hits = final_order(query, codec_, over_.vectors, beam);
    found.strategy = choice.strategy;
  }
  // Fewer than asked for may be all there are, or all that the walk came by: reading them all decides.
  if (found.hits.size() < query.k) found = scan(query, rows);
  found.visited += walk.visited;
  return found;
}

template <Reading reading>
bool HnswIndex::fill(Walk& walk, const Choice& choice, const Allowed& allowed, Nearest& beam) const {
  const std::uint64_t entry = entry_.load(std::memory_order_acquire);
  const auto start = walk.descend<reading>({static_cast<Row>(entry), static_cast<int>(entry >> 32)}, 0);
  FilteredWalk<reading> filtered(walk, allowed, beam);
  switch (choice.strategy) {
    case Strategy::in_traversal: return filtered.in_traversal(start);
    case Strategy::two_hop: return filtered.two_hop(start);
    default: break;
  }
  walk.widen<reading>(start, 0, beam);
  return true;
}

/// From nodes to the rows that count: those of their twins that are allowed, as many as can be asked for.
void HnswIndex::expand(const Walk& walk, const Allowed& allowed, std::size_t k, Nearest& beam) const {
  thread_local std::vector<Nearest::Entry> rows;
  rows.clear();
  const std::size_t enough = rescored(k);
  for (const auto& node : beam) {
    if (rows.size() >= enough) break;
    walk.graph.any_twin(node.row, walk.limit, [&](Row row) {
      if (allowed(row)) rows.push_back({node.distance, row});
      return rows.size() >= enough;
    });
  }
  beam.reset(rows.size());
  for (const auto& entry : rows) beam.append(entry);
}

VectorHits HnswIndex::scan(const VectorQuery& query, Row rows) const {
  return scan_records(query, codec_, over_, rows,
                      {.first = graph_.view().record(0), .stride = graph_.view().node_bytes});
}

bool HnswIndex::save(const std::string& path, std::string_view tag) const {
  const std::shared_lock lock(structure_);
  if (rows() == 0) return false;
  VectorShape shape = shape_;
  shape.quantization = codec_.quantization();
  write_snapshot(path, {shape, rows(), graph_.entry(), std::string(tag), codec_.mean()}, graph_);
  return true;
}

std::optional<std::string> HnswIndex::restore(SnapshotReader& snapshot) {
  make_room(snapshot.header()->rows);
  if (auto wrong = snapshot.read_into(graph_)) return wrong;
  publish(snapshot.header()->rows);
  return std::nullopt;
}

VectorFigures HnswIndex::figures() const {
  const std::shared_lock lock(structure_);
  return {rows(), graph_.bytes(rows()), codec_.quantization()};
}

std::optional<std::string> HnswIndex::check() const {
  const std::shared_lock lock(structure_);
  const Row rows = this->rows();
  if (rows == 0) return std::nullopt;
  for (Row row = 0; row < rows; ++row)
    for (int level = 0; level <= graph_.level_of(row); ++level) {
      const Links<Reading::locked> links(graph_.view(), row, level);
      if (links.end() - links.begin() > (level == 0 ? 2 : 1) * static_cast<int>(shape_.m))
        return text("row ", row, " has ", links.end() - links.begin(), " links on level ", level);
      for (const Row link : links) {
        if (link == row) return text("row ", row, " links to itself on level ", level);
        if (link < rows && graph_.level_of(link) < level)
          return text("row ", row, " links to row ", link, " on level ", level, ", where it is not");
      }
    }
  Reach reach(graph_.view(), rows);
  reach.explore(static_cast<Row>(entry_.load(std::memory_order_acquire)));
  if (reach.count() < rows) return text(rows - reach.count(), " of ", rows, " rows cannot be reached");
  return std::nullopt;
}

std::unique_ptr<VectorIndex> make_hnsw(const VectorShape& shape, VectorRows over, std::span<const Row> sample) {
  check(shape);
  return std::make_unique<HnswIndex>(shape, over, trained_codec(shape, over.vectors, sample));
}

LoadedVectorIndex load_hnsw(const VectorShape& shape, VectorRows over, const std::string& path, std::string_view tag) {
  check(shape);
  SnapshotReader snapshot(path);
  if (!snapshot.header()) return {nullptr, snapshot.why_not()};
  const SnapshotHeader& header = *snapshot.header();
  if (header.tag != tag) return {nullptr, "it is of another index or another moment"};
  if (header.shape.dimensions != shape.dimensions || header.shape.metric != shape.metric || header.shape.m != shape.m ||
      header.shape.ef_construction != shape.ef_construction || header.shape.quantization > shape.quantization)
    return {nullptr, "it is of an index with other parameters"};
  if (header.rows > over.versions.count()) return {nullptr, "it has rows that are not there"};
  distance::Codec codec(shape.metric, shape.dimensions, header.shape.quantization, header.mean);
  auto index = std::make_unique<HnswIndex>(shape, over, std::move(codec));
  if (auto wrong = index->restore(snapshot)) return {nullptr, *wrong};
  return {std::move(index), ""};
}

}  // namespace stele::hnsw
