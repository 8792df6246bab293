// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// hnswlib used as its README says. Included once by a file for each set of compiler flags, after it has renamed what
// hnswlib defines (hnswlib, cpuid, xgetbv, AVXCapable, AVX512Capable, and Peer): 0.6.2 defines functions in its
// headers, and the linker would merge the copies' templates.
#pragma once

#include "bench/vectors/engine.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>
#include <unordered_map>

#include <hnswlib/hnswalg.h>
#include <hnswlib/space_ip.h>

namespace stele::bench {

class Peer final : public Engine {
 public:
  Peer(std::string name, Shape shape) : name_(std::move(name)), shape_(shape) {}

  std::string name() const override { return name_; }

  void build(const VectorData& data, unsigned threads) override {
    data_ = &data;
    space_ = std::make_unique<hnswlib::InnerProductSpace>(data.dimensions());
    graph_ =
        std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), data.count(), shape_.m, shape_.ef_construction);
    graph_->addPoint(data.base(0), 0);
    std::atomic<std::size_t> next{1};
    const auto work = [&] {
      for (std::size_t i; (i = next++) < data.count();) graph_->addPoint(data.base(i), i);
    };
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }

  void allow(const std::vector<bool>& allowed) override { allowed_ = allowed; }

  /// Filtered: 0.6.2 has no filters, so ef candidates are searched for, and the allowed of them kept.
  void search(const float* query, std::size_t k, std::size_t ef, bool filtered,
              std::vector<std::uint32_t>& out) override {
    graph_->setEf(ef);
    auto found = graph_->searchKnn(query, filtered ? std::max(k, ef) : k);
    out.clear();
    for (; !found.empty(); found.pop()) {
      const auto row = static_cast<std::uint32_t>(found.top().second);
      if (!filtered || allowed_[row]) out.push_back(row);
    }
    std::reverse(out.begin(), out.end());
    if (out.size() > k) out.resize(k);
  }

  double bytes_per_vector() const override {
    double upper = 0;
    for (std::size_t i = 0; i < data_->count(); ++i)
      upper += static_cast<double>(graph_->element_levels_[i] * graph_->size_links_per_element_);
    // Beside the node: its mutex, level, pointer to the upper levels, hash table entry and mark of visits.
    return static_cast<double>(graph_->size_data_per_element_) + upper / static_cast<double>(data_->count()) +
           sizeof(std::mutex) + sizeof(int) + sizeof(char*) + 56 + 2;
  }

  void replace(std::uint32_t at, std::uint32_t from) override { graph_->addPoint(data_->base(from), at); }

 private:
  std::string name_;
  Shape shape_;
  const VectorData* data_ = nullptr;
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
  std::vector<bool> allowed_;
};

}  // namespace stele::bench
