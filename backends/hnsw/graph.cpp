// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The only file that includes hnswlib, and the only one that may: 0.6.2 defines functions in its headers. Written
// against what 0.6.2 and 0.8.0 have in common; nothing virtual of theirs is overridden, the signatures differ.
#include "backends/hnsw/graph.h"

#include "engine/base/error.h"

#include <sys/mman.h>

#include <cmath>
#include <exception>
#include <fstream>        // forgotten by hnswlib 0.6.2
#include <unordered_map>  // this one, too

#include <hnswlib/hnswalg.h>

namespace stele::hnsw {

namespace {

class Space final : public hnswlib::SpaceInterface<float> {
 public:
  explicit Space(const distance::Codec& codec) : codec_(codec) {}
  std::size_t get_data_size() override { return codec_.record_bytes(); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return codec_.kernel(); }
  void* get_dist_func_param() override { return const_cast<distance::Layout*>(&codec_.layout()); }

 private:
  const distance::Codec& codec_;
};

/// 2 MB pages for what is read all over the place: every hop would miss the TLB otherwise. Fails harmlessly.
void use_huge_pages(char* begin, std::size_t bytes) {
  constexpr std::size_t page = 2u << 20;
  const std::size_t skip = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (bytes > skip + page) ::madvise(begin + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
}

template <class Body>
auto translated(const Body& body) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorCode::io, text("vector index: hnswlib failed: ", std::string_view(error.what())), {{"store", "hnswlib"}});
  }
}

}  // namespace

class Graph::Impl : public hnswlib::HierarchicalNSW<float> {
 public:
  using Base = hnswlib::HierarchicalNSW<float>;
  using Candidates = std::priority_queue<std::pair<float, hnswlib::tableint>,
                                         std::vector<std::pair<float, hnswlib::tableint>>, Base::CompareByFirst>;

  // The sized constructor only: the others leave members of 0.6.2 uninitialised.
  Impl(Space&& space, const distance::Codec& codec, std::size_t m, std::size_t ef_construction, Row capacity)
      : Base(&space, capacity, m, ef_construction), codec_(codec) {}

  template <Reading reading>
  void insert(const GraphView& view, Row row, const char* record, Row limit) {
    // For all of the insert: it is linked to, level by level, before all its own links are set, and who gets there then
    // must wait, or pass it over.
    const std::lock_guard own(link_list_locks_[row]);
    std::memset(get_linklist0(row), 0, size_data_per_element_);
    std::memcpy(getDataByInternalId(row), record, data_size_);
    const int level = level_for(row);
    std::unique_lock top(global);
    const Entry entry{enterpoint_node_, maxlevel_};
    if (level <= entry.level) top.unlock();
    thread_local std::vector<Nearest> beams;
    beams.resize(level_max + 1);
    const int joint = std::min(level, entry.level);
    search<reading>(view, row, level, record, entry, limit, beams);
    if (joint >= 0 && std::memcmp(view.record(beams[0][0].row), record, data_size_) == 0)
      return add_twin(view, beams[0][0].row, row);
    rise(row, level);
    for (int at = joint; at >= 0; --at) {
      Candidates candidates;
      for (const auto& candidate : beams[static_cast<std::size_t>(at)])
        candidates.emplace(candidate.distance, candidate.row);
      mutuallyConnectNewElement(record, row, candidates, at, false);
    }
    if (level > entry.level) {
      enterpoint_node_ = row;
      maxlevel_ = level;
    }
  }

  void rise(Row row, int level) {
    if (level > 0) {
      linkLists_[row] = static_cast<char*>(std::calloc(static_cast<std::size_t>(level), size_links_per_element_));
      if (!linkLists_[row]) throw std::bad_alloc();
    }
    element_levels_[row] = level;
  }

  /// hnswlib counts nodes where we do not: its destructor frees the upper levels of that many. Those that are not
  /// there have none.
  void count_all() { cur_element_count = max_elements_; }

 private:
  /// Drawn from the row's number, so that a rebuilt graph has the same levels and threads need no common generator.
  int level_for(Row row) const {
    std::uint64_t x = row + 0x9E3779B97F4A7C15u;  // splitmix64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    const double uniform = (static_cast<double>(x >> 11) + 1) * 0x1p-53;
    return std::min(static_cast<int>(-std::log(uniform) * mult_), level_max);
  }

  /// The rows nearest to the record on each level that it will be on.
  template <Reading reading>
  void search(const GraphView& view, Row row, int level, const char* record, Entry entry, Row limit,
              std::vector<Nearest>& beams) {
    if (entry.level < 0) return;
    thread_local Seen seen;
    Walk walk{view, codec_, record, limit, seen};
    Nearest::Entry start = walk.descend<reading>(entry, level);
    for (int at = std::min(level, entry.level); at >= 0; --at) {
      Nearest& beam = beams[static_cast<std::size_t>(at)];
      seen.forget(max_elements_);
      seen.set(row);
      beam.reset(ef_construction_);
      walk.widen<reading>(start, at, beam);
      start = beam[0];
    }
  }

  void add_twin(const GraphView& view, Row node, Row row) {
    const std::lock_guard lock(link_list_locks_[node]);
    view.twin(row).store(view.twin(node).load(std::memory_order_relaxed), std::memory_order_relaxed);
    view.twin(node).store(row + 1, std::memory_order_release);
  }

  const distance::Codec& codec_;
};

Graph::Graph(const distance::Codec& codec, std::uint32_t m, std::uint32_t ef_construction, Row capacity)
    : codec_(codec),
      lowest_links_(2 * m),
      impl_(translated([&] { return std::make_unique<Impl>(Space(codec), codec, m, ef_construction, capacity); })) {
  refresh_view();
}

Graph::~Graph() { impl_->count_all(); }

template <Reading reading>
void Graph::insert(Row row, const char* record, Row limit) {
  translated([&] { impl_->insert<reading>(view_, row, record, limit); });
}
template void Graph::insert<Reading::alone>(Row, const char*, Row);
template void Graph::insert<Reading::locked>(Row, const char*, Row);

Row Graph::capacity() const { return static_cast<Row>(impl_->max_elements_); }

void Graph::reserve(Row capacity) {
  impl_->count_all();
  translated([&] { impl_->resizeIndex(capacity); });
  refresh_view();
}

int Graph::level_of(Row row) const { return impl_->element_levels_[row]; }

Entry Graph::entry() const { return {impl_->enterpoint_node_, impl_->maxlevel_}; }

void Graph::restore(Row row, int level) { impl_->rise(row, level); }

void Graph::restore(Entry entry) {
  impl_->enterpoint_node_ = entry.row;
  impl_->maxlevel_ = entry.level;
}

std::uint64_t Graph::bytes(Row rows) const {
  std::uint64_t bytes = 0;
  for (Row row = 0; row < rows; ++row)
    if (level_of(row) > 0) bytes += static_cast<std::uint64_t>(level_of(row)) * impl_->size_links_per_element_ + 16;
  const std::uint64_t a_node = impl_->size_data_per_element_ + sizeof(std::mutex) + sizeof(int) + sizeof(char*) + 2;
  constexpr std::uint64_t update_locks = 65'536;  // hnswlib's, unused
  return bytes + rows * a_node + update_locks * sizeof(std::mutex);
}

void Graph::refresh_view() {
  view_ = {impl_->data_level0_memory_,
           impl_->size_data_per_element_,
           impl_->offsetData_,
           impl_->label_offset_,
           impl_->linkLists_,
           impl_->size_links_per_element_,
           impl_->link_list_locks_.data()};
  use_huge_pages(view_.lowest, impl_->max_elements_ * view_.node_bytes);
}

}  // namespace stele::hnsw
