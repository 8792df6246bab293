// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/logger.h"

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstdio>
#include <deque>
#include <mutex>

namespace stele::rocks {

namespace {
constexpr std::size_t lines_max = 200;
constexpr std::size_t line_bytes_max = 512;

class MemoryLogger final : public rocksdb::Logger {
 public:
  MemoryLogger() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[line_bytes_max];
    std::vsnprintf(line, sizeof line, format, arguments);
    std::lock_guard guard(mutex_);
    lines_.emplace_back(line);
    if (lines_.size() > lines_max) lines_.pop_front();
  }
  void LogHeader(const char*, va_list) override {}  // the options at every open

  std::vector<std::string> lines() const {
    std::lock_guard guard(mutex_);
    return {lines_.begin(), lines_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};
}  // namespace

std::shared_ptr<rocksdb::Logger> make_logger() { return std::make_shared<MemoryLogger>(); }

std::vector<std::string> lines(const rocksdb::Logger& logger) {
  return static_cast<const MemoryLogger&>(logger).lines();
}

}  // namespace stele::rocks
