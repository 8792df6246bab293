// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The isolation test at length:
//   isolation_test [--transactions N] [--seed S] [--threads T] [--level serializable|snapshot] [--dir DIR]
// Prints seed and counts; exit code 1 when an anomaly was found.
#include "tests/isolation/workload.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <random>
#include <string>

int main(int argc, char** argv) {
  using namespace stele::isolation;
  Workload workload;
  workload.transactions = 20'000;
  workload.seed = std::random_device()();
  std::string directory = std::filesystem::temp_directory_path() / "stele_isolation_long";
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value && name == "--transactions")
      workload.transactions = std::strtoull(value, nullptr, 10);
    else if (value && name == "--seed")
      workload.seed = std::strtoull(value, nullptr, 10);
    else if (value && name == "--threads")
      workload.threads = std::atoi(value);
    else if (value && name == "--level")
      workload.level = std::strcmp(value, "snapshot") == 0 ? Level::snapshot : Level::serializable;
    else if (value && name == "--dir")
      directory = value;
    else {
      std::fprintf(
          stderr,
          "isolation_test [--transactions N] [--seed S] [--threads T] [--level serializable|snapshot] [--dir DIR]\n");
      return 2;
    }
  }
  std::printf("isolation: seed %llu, %llu transactions, %d threads, %s\n",
              static_cast<unsigned long long>(workload.seed), static_cast<unsigned long long>(workload.transactions),
              workload.threads, workload.level == Level::serializable ? "serializable" : "snapshot");
  std::fflush(stdout);
  try {
    // In parts, so that the graphs stay small; each has a store of its own.
    constexpr std::uint64_t part = 10'000;
    std::uint64_t commits = 0;
    std::uint64_t conflicts = 0;
    std::size_t found = 0;
    for (std::uint64_t left = workload.transactions, number = 0; left > 0; ++number) {
      Workload one = workload;
      one.transactions = left < part ? left : part;
      one.seed = workload.seed + number;
      left -= one.transactions;
      std::filesystem::remove_all(directory);
      const Run done = run(one, directory);
      commits += done.commits;
      conflicts += done.conflicts;
      for (const Anomaly& anomaly : check(done.history, one.level)) {
        ++found;
        std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(one.seed), anomaly.kind.c_str(),
                    anomaly.text.c_str());
      }
    }
    std::filesystem::remove_all(directory);
    std::printf("isolation: %llu committed, %llu conflicts, %zu anomalies\n", static_cast<unsigned long long>(commits),
                static_cast<unsigned long long>(conflicts), found);
    return found == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::printf("isolation: %s\n", error.what());
    return 1;
  }
}
