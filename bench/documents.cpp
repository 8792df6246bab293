// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/documents.h"

#include "bench/generator.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace stele::bench {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t made_at_a_time = 200'000;
constexpr std::uint32_t read_key_stream = 80;

template <class Operation>
Figures time_calls(std::uint32_t calls, Operation&& operation) {
  std::vector<float> latencies(calls);
  const auto start = Clock::now();
  auto before = start;
  for (std::uint32_t i = 0; i < calls; ++i) {
    operation();
    const auto after = Clock::now();
    latencies[i] = std::chrono::duration<float, std::micro>(after - before).count();
    before = after;
  }
  Figures figures;
  figures.rate = calls / seconds_since(start);
  std::sort(latencies.begin(), latencies.end());
  figures.p50_us = latencies[calls / 2];
  figures.p99_us = latencies[calls - 1 - calls / 100];
  return figures;
}

}  // namespace

Documents::Documents(std::string directory, std::uint32_t count) : directory_(std::move(directory)), count_(count) {
  check_generator();
  std::filesystem::create_directories(directory_);
}

DocumentStore& Documents::of(const std::string& subject, const Make& make) {
  if (!stores_.contains(subject)) load(subject, make);
  return *stores_.at(subject);
}

void Documents::expect_same(const std::string& what, const Tally& tally) {
  const auto [known, first] = delivered_.emplace(what, tally);
  if (!first && known->second != tally)
    throw std::runtime_error(what + ": it delivers other documents than the subject before it");
}

Figures Documents::load(const std::string& subject, const Make& make) {
  stores_.erase(subject);
  const std::string directory = directory_ + "/" + subject;
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  auto store = make(directory);
  std::vector<std::string> batch;
  double seconds = 0;
  for (std::uint32_t first = 0; first < count_; first += made_at_a_time) {
    batch.clear();
    for (std::uint32_t i = first; i < std::min(first + made_at_a_time, count_); ++i)
      batch.push_back(generated_document(i, count_));
    const auto start = Clock::now();
    store->load(batch);
    seconds += seconds_since(start);
  }
  stores_[subject] = std::move(store);
  updates_[subject] = 0;
  return {count_ / seconds, 0, 0, 0};
}

Figures Documents::get(const std::string& subject, const Make& make) {
  DocumentStore& store = of(subject, make);
  Sequence random(read_key_stream, 0);
  Tally tally;
  const Figures figures = time_calls(50'000, [&] { store.get(random.below(count_), tally); });
  expect_same("get", tally);
  return figures;
}

Figures Documents::equality(const std::string& subject, const Make& make) {
  DocumentStore& store = of(subject, make);
  Sequence random(read_key_stream, 1);
  Tally tally;
  const Figures figures = time_calls(10'000, [&] { store.with_group(random.below(count_ / 10), tally); });
  expect_same("equality", tally);
  return figures;
}

Figures Documents::range(const std::string& subject, const Make& make) {
  DocumentStore& store = of(subject, make);
  Sequence random(read_key_stream, 2);
  Tally tally;
  const Figures figures = time_calls(10'000, [&] { store.lowest_scores(random.below(980'000), tally); });
  expect_same("range", tally);
  return figures;
}

Figures Documents::scan(const std::string& subject, const Make& make) {
  DocumentStore& store = of(subject, make);
  const auto start = Clock::now();
  const std::uint64_t found = store.count_zip("10500");
  const double seconds = seconds_since(start);
  expect_same("scan", {found, 0});
  return {count_ / seconds, seconds * 1e6, seconds * 1e6, 0};
}

Figures Documents::update(const std::string& subject, const Make& make) {
  DocumentStore& store = of(subject, make);
  const auto start = Clock::now();
  const std::uint64_t updated = store.archive_pro();
  const double seconds = seconds_since(start);
  // What is there afterwards is the same as well.
  Tally tally{updated, 0};
  Sequence random(read_key_stream, 3);
  for (int i = 0; i < 2000; ++i) store.get(random.below(count_), tally);
  expect_same("update " + std::to_string(++updates_[subject]), tally);
  return {static_cast<double>(updated) / seconds, seconds * 1e6, seconds * 1e6, 0};
}

}  // namespace stele::bench
