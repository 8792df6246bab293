// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the demonstration prints: tables, figures, and progress while it works.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::demo {

class Timer {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

std::string grouped(std::int64_t number);                   // 63666 -> "63,666"
std::string bytes_text(std::uint64_t bytes);                // 50164600 -> "50.2 MB"
std::string seconds_text(double seconds);                   // "3.21 s", "450 ms", "12 µs"
std::string rate_text(std::int64_t count, double seconds);  // "12,345/s"
std::string shortened(std::string_view text, std::size_t characters);

void heading(std::string_view text);

/// Columns as wide as what stands in them; numbers to the right.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string name;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print() const;

 private:
  void print_line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// One line that is rewritten on a terminal; elsewhere a line every two seconds.
class Progress {
 public:
  explicit Progress(std::string name);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& text);

 private:
  std::string name_;
  bool terminal_;
  Timer timer_;
  double next_seconds_;
  bool line_open_ = false;
};

}  // namespace stele::demo
