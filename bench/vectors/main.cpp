// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Nearest neighbours beside hnswlib, at equal recall.
//
//   stele_bench_vectors [--n=100000] [--dimensions=384] [--rounds=5] [--queries=1000] [--threads=1] [--only=TEXT]
//
// Each engine builds its index over the same vectors; for each target of recall@10 the smallest ef that reaches it is
// found by bisection; then all engines answer all queries in turn, round after round. Rates are queries a second of the
// thread's own CPU time, which other work on the machine disturbs least: medians, with the least and the most.
#include "bench/vectors/engine.h"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace stele::bench {
namespace {

struct Settings {
  std::size_t n = 100'000;
  std::size_t dimensions = 384;
  std::size_t queries = 1000;
  int rounds = 5;
  unsigned threads = 1;
  std::string only;
};

constexpr std::size_t k = 10;
constexpr std::size_t ef_max = 6000;

double cpu_seconds(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// One question asked of all engines.
class Contest {
 public:
  Contest(const VectorData& data, std::vector<Engine*> engines, const std::vector<bool>& allowed)
      : data_(data), engines_(std::move(engines)), filtered_(!allowed.empty()), truth_(data.truth(k, allowed)) {
    if (filtered_)
      for (Engine* engine : engines_) engine->allow(allowed);
  }

  void run(const std::string& title, double target, int rounds) {
    std::map<Engine*, std::size_t> ef;
    std::map<Engine*, std::vector<double>> rates;
    for (Engine* engine : engines_) ef[engine] = smallest_ef(*engine, target);
    for (int round = 0; round < rounds; ++round)
      for (Engine* engine : engines_) rates[engine].push_back(rate(*engine, ef[engine]));
    fmt::print("\n{}, recall@10 >= {}\n", title, target);
    fmt::print("  {:<18} {:>5} {:>8} {:>9} {:>19} {:>7}\n", "", "ef", "recall", "qps", "least .. most", "stele x");
    double stele = 0;
    for (Engine* engine : engines_) {
      std::vector<double>& all = rates[engine];
      std::sort(all.begin(), all.end());
      const double median = all[all.size() / 2];
      if (stele == 0) stele = median;
      const double reached = recall(*engine, ef[engine]);
      fmt::print("  {:<18} {:>5} {:>8.4f} {:>9.0f} {:>8.0f} .. {:>7.0f} {:>7.2f}{}\n", engine->name(), ef[engine],
                 reached, median, all.front(), all.back(), stele / median,
                 reached < target ? "  (never reaches it)" : "");
    }
    std::fflush(stdout);
  }

 private:
  double recall(Engine& engine, std::size_t ef) {
    std::size_t found = 0, all = 0;
    for (std::size_t q = 0; q < data_.queries(); ++q) {
      engine.search(data_.query(q), k, ef, filtered_, out_);
      for (const std::uint32_t row : out_) found += std::count(truth_[q].begin(), truth_[q].end(), row) > 0;
      all += truth_[q].size();
    }
    return static_cast<double>(found) / static_cast<double>(all);
  }

  std::size_t smallest_ef(Engine& engine, double target) {
    std::size_t low = k - 1, high = k;
    while (recall(engine, high) < target) {
      low = high;
      high = high * 3 / 2 + 1;
      if (high > ef_max) return low;
    }
    while (high - low > std::max<std::size_t>(1, low / 50)) {
      const std::size_t middle = (low + high) / 2;
      (recall(engine, middle) >= target ? high : low) = middle;
    }
    return high;
  }

  double rate(Engine& engine, std::size_t ef) {
    const double start = cpu_seconds();
    for (std::size_t q = 0; q < data_.queries(); ++q) engine.search(data_.query(q), k, ef, filtered_, out_);
    return static_cast<double>(data_.queries()) / (cpu_seconds() - start);
  }

  const VectorData& data_;
  std::vector<Engine*> engines_;
  bool filtered_;
  std::vector<std::vector<std::uint32_t>> truth_;
  std::vector<std::uint32_t> out_;
};

void report_builds(const VectorData& data, const std::vector<Engine*>& engines, unsigned threads) {
  fmt::print("build of {} x {}, {} thread(s): CPU seconds, bytes a vector beside the float32 ones\n", data.count(),
             data.dimensions(), threads);
  for (Engine* engine : engines) {
    const double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    engine->build(data, threads);
    fmt::print("  {:<18} {:>8.1f} s {:>8.0f} B\n", engine->name(), cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start,
               engine->bytes_per_vector());
    std::fflush(stdout);
  }
}

void report_replacing(const std::vector<Engine*>& engines, std::size_t n) {
  fmt::print("\nreplacing a vector: CPU us\n");
  for (Engine* engine : engines) {
    constexpr std::uint32_t count = 500;
    const double start = cpu_seconds();
    for (std::uint32_t i = 0; i < count; ++i)
      engine->replace(i * 7 % static_cast<std::uint32_t>(n), (i * 11 + 5) % static_cast<std::uint32_t>(n));
    fmt::print("  {:<18} {:>8.1f}\n", engine->name(), (cpu_seconds() - start) / count * 1e6);
  }
}

int run(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&](std::string_view name) -> const char* {
      return argument.starts_with(name) ? argv[i] + name.size() : nullptr;
    };
    const auto number = [](const char* text) { return static_cast<std::size_t>(std::strtoull(text, nullptr, 10)); };
    if (const char* n = value("--n=")) {
      settings.n = number(n);
    } else if (const char* dimensions = value("--dimensions=")) {
      settings.dimensions = number(dimensions);
    } else if (const char* rounds = value("--rounds=")) {
      settings.rounds = static_cast<int>(number(rounds));
    } else if (const char* queries = value("--queries=")) {
      settings.queries = number(queries);
    } else if (const char* threads = value("--threads=")) {
      settings.threads = static_cast<unsigned>(number(threads));
    } else if (const char* only = value("--only=")) {
      settings.only = only;
    } else {
      fmt::print(stderr, "stele_bench_vectors: unknown argument {}\n", argument);
      return 2;
    }
  }
  const auto wanted = [&](std::string_view part) { return part.find(settings.only) != std::string_view::npos; };
  const VectorData data(settings.dimensions, settings.n, settings.queries);
  const auto stele = make_stele({}), native = make_hnswlib_native({}), portable = make_hnswlib_portable({});
  const auto facade = make_facade({}), scan = make_float_scan();
  std::vector<Engine*> graphs = {facade.get(), stele.get(), native.get()};
  if (wanted("portable")) graphs.push_back(portable.get());
  report_builds(data, graphs, settings.threads);
  scan->build(data, 1);
  if (wanted("nearest")) {
    Contest contest(data, graphs, {});
    contest.run("nearest", 0.95, settings.rounds);
    contest.run("nearest", 0.99, settings.rounds);
  }
  for (const std::uint32_t percent : {1u, 10u, 50u}) {
    const std::string title = fmt::format("filtered {} %", percent);
    if (!wanted(title)) continue;
    std::vector<bool> allowed(data.count());
    for (std::uint32_t i = 0; i < data.count(); ++i)
      allowed[i] = percent == 1 ? VectorData::bucket(i) == 7 : VectorData::bucket(i) < percent;
    Contest(data, {facade.get(), stele.get(), native.get(), scan.get()}, allowed).run(title, 0.95, settings.rounds);
  }
  if (wanted("replacing")) report_replacing({facade.get(), stele.get(), native.get()}, data.count());
  return 0;
}

}  // namespace
}  // namespace stele::bench

int main(int argc, char** argv) {
  try {
    return stele::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "stele_bench_vectors: {}\n", error.what());
    return 1;
  }
}
