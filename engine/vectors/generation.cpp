// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/generation.h"

#include "engine/base/checksum.h"
#include "engine/storage/registry.h"
#include "engine/storage/row_scan.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <random>

namespace stele::vectors {

using namespace storage;

namespace {

constexpr Row sample_max = 2'048;
constexpr Row queries_max = 32;  // of a calibration
constexpr Row added_a_step = 128;
constexpr Row built_a_step = 8'192;
constexpr Row worth_threads = 16'384;  // so many pending are built by all threads, when they are half of what there is
constexpr Row ready_when_pending = 512;

}  // namespace

Generation::Generation(const VectorShape& shape, const VectorIndexBackend& backend, Sequence base,
                       const std::string& floats_path)
    : shape_(shape),
      backend_(backend),
      base_(base),
      floats_path_(floats_path),
      exact_codec_(shape.metric, shape.dimensions, Quantization::none),
      exact_(floats_path.empty() ? ExactVectors(shape.dimensions) : ExactVectors(shape.dimensions, floats_path)),
      touched_(base) {}

void Generation::change(std::string_view id_element, const float* vector, Sequence at) {
  if (at > touched()) touch(at);
  if (const auto before = ids_.newest(id_element)) versions_.end(*before, at);
  if (!vector) return;
  const Row row = versions_.count();
  exact_.put(row, vector);
  ids_.add(row, id_element);
  versions_.add(at);
}

VectorHits Generation::search(const VectorQuery& query) const {
  VectorHits found;
  Row from = 0;
  bool walked = false;
  if (visible_.load(std::memory_order_acquire)) {
    const std::shared_lock lock(use_);
    if (visible_.load(std::memory_order_acquire)) {
      from = graph_->rows();  // what is added from here on is searched twice rather than not at all
      found = graph_->search(query);
      walked = true;
    }
  }
  const Row count = versions_.count();
  if (from >= count) return found;
  VectorHits pending = scan_exactly(query, exact_codec_, {exact_, versions_}, count, from);
  if (!walked) return pending;
  // Of what was added while the graph was searched the exact search knows more.
  std::erase_if(found.hits, [from](const VectorHit& hit) { return hit.row >= from; });
  std::vector<VectorHit> merged;
  merged.reserve(found.hits.size() + pending.hits.size());
  std::ranges::merge(found.hits, pending.hits, std::back_inserter(merged), [](const VectorHit& a, const VectorHit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  });
  merged.resize(std::min(merged.size(), query.k));
  found.hits = std::move(merged);
  found.visited += pending.visited;
  return found;
}

Generation::Rows Generation::known(std::string_view filter, Sequence at) const {
  const std::lock_guard guard(known_mutex_);
  const Sequence touched = this->touched();
  const auto found = std::ranges::find_if(
      known_, [&](const Known& known) { return known.filter == filter && known.touched == touched && touched <= at; });
  if (found == known_.end()) return nullptr;
  std::rotate(known_.begin(), found, found + 1);
  return known_.front().rows;
}

void Generation::keep(std::string_view filter, Sequence touched, Rows rows) const {
  if (touched != this->touched() || rows->bytes() + filter.size() > known_bytes_max) return;
  const std::lock_guard guard(known_mutex_);
  std::erase_if(known_, [&](const Known& known) { return known.touched != touched || known.filter == filter; });
  if (known_.size() == known_max) known_.pop_back();
  known_.insert(known_.begin(), {std::string(filter), touched, std::move(rows)});
}

void Generation::make_graph() {
  std::vector<Row> sample;
  const Row count = versions_.count();
  std::minstd_rand random(1);  // any will do; the same each time
  std::uniform_int_distribution<Row> any(0, count - 1);
  for (Row i = 0; i < 2 * sample_max && sample.size() < sample_max; ++i)
    if (const Row row = any(random); versions_.end_of(row) == RowVersions::never) sample.push_back(row);
  std::ranges::sort(sample);
  sample.erase(std::ranges::unique(sample).begin(), sample.end());
  graph_ = backend_.make(shape_, {exact_, versions_}, sample);
  has_graph_.store(true, std::memory_order_release);
}

/// Of a file; it answers from here on.
void Generation::take_graph(std::unique_ptr<VectorIndex> graph) {
  graph_ = std::move(graph);
  applied_.store(graph_->rows(), std::memory_order_release);
  has_graph_.store(true, std::memory_order_release);
  visible_.store(true, std::memory_order_release);
}

/// Of the bytes of these rows, of one block.
std::uint64_t Generation::floats_checksum(Row first, Row end) const {
  std::string bytes;  // segments do not adjoin
  bytes.reserve(std::size_t{end - first} * shape_.dimensions * sizeof(float));
  for (Row row = first; row < end; ++row)
    bytes.append(reinterpret_cast<const char*>(exact_.at(row)), shape_.dimensions * sizeof(float));
  return checksum(bytes);
}

void Generation::hide() {
  visible_.store(false, std::memory_order_release);
  const std::unique_lock nobody_searches_it(use_);
}

bool Generation::step(unsigned threads) {
  const Row count = versions_.count();
  if (!graph_) {
    if (count < graph_from) return false;
    make_graph();
  }
  const Row applied = graph_->rows();
  const Row left = count - applied;
  if (visible_.load(std::memory_order_relaxed) && left > worth_threads && left > applied / 2) hide();
  if (visible_.load(std::memory_order_relaxed)) {
    if (left == 0) return false;
    const Row until = applied + std::min(left, added_a_step);
    graph_->add(until);
    unsettled_ += until - applied;
    applied_.store(until, std::memory_order_release);
    if (until == count && unsettled_ > count / 64) settle();
    return true;
  }
  const Row until = applied + std::min(left, built_a_step);
  graph_->build(until, threads);
  applied_.store(until, std::memory_order_release);
  if (versions_.count() - until <= ready_when_pending) visible_.store(true, std::memory_order_release);
  return true;
}

void Generation::settle() {
  if (!graph_ || unsettled_ == 0) return;
  graph_->repair();
  unsettled_ = 0;
}

void Generation::calibrate() {
  const Row rows = versions_.count();
  if (!visible_.load(std::memory_order_acquire) || rows * std::uint64_t{4} < calibrated_rows_ * std::uint64_t{5})
    return;
  std::vector<Row> queries;
  std::minstd_rand random(2);
  std::uniform_int_distribution<Row> any(0, rows - 1);
  for (Row i = 0; i < 4 * queries_max && queries.size() < queries_max; ++i)
    if (const Row row = any(random); versions_.visible(row, newest)) queries.push_back(row);
  const auto measured =
      Calibration::measure([this](const VectorQuery& query) { return search(query); }, exact_, queries);
  const std::lock_guard guard(known_mutex_);
  calibrated_rows_ = rows;
  calibration_ = measured;
}

std::optional<Calibration> Generation::calibration() const {
  const std::lock_guard guard(known_mutex_);
  // Of a much smaller graph it says too much.
  return versions_.count() / 3 * 2 <= calibrated_rows_ ? calibration_ : std::nullopt;
}

bool Generation::worn() const {
  const std::uint64_t rows = versions_.count();
  return rows >= graph_from && versions_.ended() * std::uint64_t{10} > rows * 3;
}

Row Generation::pending() const {
  const Row count = versions_.count();
  if (!has_graph_.load(std::memory_order_acquire) && count < graph_from) return 0;
  return count - std::min(count, applied_.load(std::memory_order_acquire));
}

Generation::Figures Generation::figures() const {
  Figures out;
  out.rows = versions_.count();
  out.ended = versions_.ended();
  out.pending = pending();
  out.graph = has_graph_.load(std::memory_order_acquire);
  out.hidden = out.graph && !visible_.load(std::memory_order_acquire);
  out.memory_bytes = ids_.memory_bytes() + out.rows * std::uint64_t{24};
  if (visible_.load(std::memory_order_acquire)) {
    const std::shared_lock lock(use_);
    if (!visible_.load(std::memory_order_acquire)) return out;
    const VectorFigures graph = graph_->figures();
    out.memory_bytes += graph.memory_bytes;
    out.quantization = graph.quantization;
  }
  return out;
}

std::optional<std::string> Generation::check() {
  settle();
  return graph_ && visible_.load(std::memory_order_acquire) ? graph_->check() : std::nullopt;
}

}  // namespace stele::vectors
