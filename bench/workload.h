// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The workload that every subject runs, and how a run is timed. 10,000 accounts and 20,000 documents of 500 bytes are
// there before; a cross commit updates an account, inserts an order and replaces two documents.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace stele::bench {

inline constexpr int account_count = 10'000;
inline constexpr int document_count = 20'000;
inline constexpr std::size_t document_bytes = 500;

/// xorshift64: cheap enough not to be measured.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  int below(int bound) { return static_cast<int>(next() % static_cast<std::uint64_t>(bound)); }

 private:
  std::uint64_t state_;
};

/// A JSON document of exactly document_bytes with that id and letters that do not pack well.
std::string make_document(int id, Random& random);

struct Payload {
  std::int64_t order = 0;
  int account = 0;
  std::array<int, 2> ids{};
  std::array<std::string, 2> json;

  void fill(Random& random, bool with_documents = true);
};

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What a run came to.
struct Figures {
  double rate = 0;  // operations a second
  double p50_us = 0;
  double p99_us = 0;
  double retries_percent = 0;
};

/// Runs `operation` over and over in `threads` threads for `seconds`; it returns how often it had to start again.
Figures run_for(double seconds, int threads, const std::function<int(Random&)>& operation);

/// Median and 99th percentile of one 4 KB append with fdatasync in that directory, in µs.
Figures probe_disk(const std::string& directory);

}  // namespace stele::bench
