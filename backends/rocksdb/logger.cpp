// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/logger.h"

#include <rocksdb/env.h>

#include <cstdarg>

namespace stele::rocks {

namespace {
class NoLogger final : public rocksdb::Logger {
 public:
  NoLogger() : Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}

  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  void LogHeader(const char*, va_list) override {}
};
}  // namespace

std::shared_ptr<rocksdb::Logger> make_logger() { return std::make_shared<NoLogger>(); }

}  // namespace stele::rocks
