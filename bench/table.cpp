// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/table.h"

#include <fmt/core.h>

#include <algorithm>

namespace stele::bench {

namespace {

struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

Spread spread(const std::vector<Figures>& rounds, double Figures::*figure) {
  std::vector<double> values;
  for (const Figures& round : rounds) values.push_back(round.*figure);
  return spread(values);
}

}  // namespace

void Table::add(const Line& line, const Figures& figures) {
  auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.line == line; });
  if (found == entries_.end()) found = entries_.insert(entries_.end(), {line, {}});
  found->rounds.push_back(figures);
}

const Table::Entry* Table::stele(const Entry& beside) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.line.group == beside.line.group && entry.line.threads == beside.line.threads &&
           entry.line.subject == "stele";
  });
  return found == entries_.end() ? nullptr : &*found;
}

void Table::print() const {
  fmt::print("\n{:<28}{:>4} {:<18}{:>10} {:>19} {:>9} {:>9} {:>8}  {:<26}\n", "group", "thr", "subject", "per s",
             "lowest..highest", "p50 us", "p99 us", "retries", "Stele over it (lowest..highest)");
  std::string group;
  for (const Entry& entry : entries_) {
    if (entry.line.group != group) fmt::print("{}\n", std::string(132, '-'));
    group = entry.line.group;
    const Spread rate = spread(entry.rounds, &Figures::rate);
    fmt::print("{:<28}{:>4} {:<18}{:>10.0f} {:>9.0f}..{:<8.0f} {:>9.2f} {:>9.2f} {:>7.1f}%  ", entry.line.group,
               entry.line.threads, entry.line.subject, rate.median, rate.low, rate.high,
               spread(entry.rounds, &Figures::p50_us).median, spread(entry.rounds, &Figures::p99_us).median,
               spread(entry.rounds, &Figures::retries_percent).median);
    const Entry* own = stele(entry);
    if (own && own != &entry) {
      std::vector<double> ratios;
      for (std::size_t i = 0; i < std::min(own->rounds.size(), entry.rounds.size()); ++i)
        ratios.push_back(own->rounds[i].rate / entry.rounds[i].rate);
      const Spread ratio = spread(ratios);
      fmt::print("{:.2f} ({:.2f}..{:.2f})", ratio.median, ratio.low, ratio.high);
      if (entry.line.goal > 0)
        fmt::print("  goal {:.2f}{}", entry.line.goal, ratio.median >= entry.line.goal ? "" : "  MISSED");
    }
    fmt::print("\n");
  }
  for (const std::string& line : notes_) fmt::print("{}\n", line);
}

}  // namespace stele::bench
