// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/workload.h"

#include "engine/base/files.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace stele::bench {

namespace {
using Clock = std::chrono::steady_clock;

double us(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

double percentile(std::vector<float>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * part))];
}
}  // namespace

std::string make_document(int id, Random& random) {
  // Cut from a block of letters at random: making it must not cost more than storing it.
  static const std::string letters = [] {
    static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    Random source(1);
    std::string block;
    while (block.size() < (1u << 20)) block += alphabet[source.next() & 63];
    return block;
  }();
  std::string json = "{\"_id\":";
  json.reserve(document_bytes);
  json += std::to_string(id);
  json += ",\"n\":";
  json += std::to_string(random.below(1'000'000));
  json += R"(,"tags":["red","slab"],"author":{"name":"Ada","age":36},"text":")";
  const std::size_t missing = document_bytes - 2 - json.size();
  json.append(letters, random.next() % (letters.size() - missing), missing);
  return json += "\"}";
}

void Payload::fill(Random& random, bool with_documents) {
  static std::atomic<std::int64_t> orders{0};
  order = ++orders;
  account = random.below(account_count) + 1;
  if (!with_documents) return;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = random.below(document_count) + 1;
    json[i] = make_document(ids[i], random);
  }
}

Figures run_for(double seconds, int threads, const std::function<int(Random&)>& operation) {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> retries{0};
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::vector<float>> latencies(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  const auto start = Clock::now();
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      auto& mine = latencies[static_cast<std::size_t>(t)];
      mine.reserve(1u << 16);
      Random random(static_cast<std::uint64_t>(t) + 1);
      try {
        auto before = Clock::now();
        while (!stop.load(std::memory_order_relaxed)) {
          retries += static_cast<std::uint64_t>(operation(random));
          const auto after = Clock::now();
          mine.push_back(static_cast<float>(us(after - before)));
          before = after;
        }
      } catch (...) {
        std::lock_guard guard(mutex);
        failure = std::current_exception();
        stop = true;
      }
    });
  }
  while (!stop && us(Clock::now() - start) < seconds * 1e6) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  stop = true;
  for (auto& worker : workers) worker.join();
  const double elapsed = us(Clock::now() - start) / 1e6;
  if (failure) std::rethrow_exception(failure);

  std::vector<float> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  Figures figures;
  figures.rate = static_cast<double>(all.size()) / elapsed;
  figures.p50_us = percentile(all, 0.50);
  figures.p99_us = percentile(all, 0.99);
  if (!all.empty()) figures.retries_percent = 100.0 * static_cast<double>(retries) / static_cast<double>(all.size());
  return figures;
}

Figures probe_disk(const std::string& directory) {
  const std::string path = directory + "/probe";
  const std::string block(4096, 'x');
  std::vector<float> times;
  {
    const File file = open_file(path, O_RDWR | O_CREAT | O_TRUNC);
    for (std::uint64_t i = 0; i < 300; ++i) {
      const auto before = Clock::now();
      write_all_at(file, path, block, i * block.size());
      sync_data(file, path);
      times.push_back(static_cast<float>(us(Clock::now() - before)));
    }
  }
  remove_file(path);
  std::sort(times.begin(), times.end());
  return {0, percentile(times, 0.50), percentile(times, 0.99), 0};
}

}  // namespace stele::bench
