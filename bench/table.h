// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The figures of all rounds, and the table at the end: medians, spread, and Stele's ratio to each peer of the same
// round beside the goal.
#pragma once

#include "bench/workload.h"

#include <map>
#include <string>
#include <vector>

namespace stele::bench {

/// One line of the table; runs with the same group and threads are compared.
struct Line {
  std::string group;
  int threads = 1;
  std::string subject;
  double goal = 0;  // Stele's rate over this subject's, at least; 0: none
  friend bool operator==(const Line&, const Line&) = default;
};

class Table {
 public:
  void add(const Line& line, const Figures& figures);
  void note(const std::string& line) { notes_.push_back(line); }
  void print() const;

 private:
  struct Entry {
    Line line;
    std::vector<Figures> rounds;
  };
  const Entry* stele(const Entry& beside) const;

  std::vector<Entry> entries_;
  std::vector<std::string> notes_;
};

}  // namespace stele::bench
