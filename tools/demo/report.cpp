// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace stele::demo {
namespace {

constexpr double terminal_interval_seconds = 0.1;
constexpr double lines_interval_seconds = 2;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

}  // namespace

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    if (value < 999.95) return fmt::format("{:.1f} {}", value, unit);
  }
  return fmt::format("{:.1f} TB", value / 1000);
}

std::string seconds_text(double seconds) {
  if (seconds >= 1) return fmt::format("{:.2f} s", seconds);
  if (seconds >= 0.001) return fmt::format("{:.0f} ms", seconds * 1e3);
  return fmt::format("{:.0f} µs", seconds * 1e6);
}

std::string rate_text(std::int64_t count, double seconds) {
  return grouped(static_cast<std::int64_t>(static_cast<double>(count) / std::max(seconds, 1e-9))) + "/s";
}

std::string shortened(std::string_view text, std::size_t characters) {
  if (width(text) <= characters) return std::string(text);
  std::string out;
  std::size_t taken = 0;
  for (const char c : text) {
    if (starts_character(c) && ++taken == characters) break;
    out += c;
  }
  return out + "…";
}

void heading(std::string_view text) { fmt::print("\n== {}\n", text); }

void Table::print() const {
  std::vector<std::size_t> widths;
  std::vector<std::string> names, rules;
  for (const Column& column : columns_) {
    names.push_back(column.name);
    widths.push_back(width(column.name));
  }
  for (const auto& cells : rows_)
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  for (const std::size_t w : widths) rules.push_back(std::string(w, '-'));
  print_line(names, widths);
  print_line(rules, widths);
  for (const auto& cells : rows_) print_line(cells, widths);
}

void Table::print_line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - width(cells[i]), ' ');
    line += "  " + (columns_[i].align == Align::right ? padding + cells[i] : cells[i] + padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

Progress::Progress(std::string name)
    : name_(std::move(name)),
      terminal_(isatty(STDOUT_FILENO) == 1),
      next_seconds_(terminal_ ? 0 : lines_interval_seconds) {}

Progress::~Progress() {
  if (!line_open_) return;
  std::fputs("\r\033[K", stdout);
  std::fflush(stdout);
}

void Progress::show(const std::string& text) {
  if (timer_.seconds() < next_seconds_) return;
  next_seconds_ = timer_.seconds() + (terminal_ ? terminal_interval_seconds : lines_interval_seconds);
  std::fputs((terminal_ ? "\r\033[K  " + name_ + ": " + text : "  " + name_ + ": " + text + "\n").c_str(), stdout);
  line_open_ = terminal_;
  std::fflush(stdout);
}

}  // namespace stele::demo
