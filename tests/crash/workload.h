// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/crash/content.h"

#include <cstdint>
#include <string>

namespace stele::crash {

/// Lines "c ID", "d THREAD N", "s THREAD N" for each acknowledged cross, document and SQL-only commit, in a file
/// outside the store. Each is one write(2), so it survives the process; a power-loss image holds all of them up to its
/// moment.
class Acknowledgements {
 public:
  explicit Acknowledgements(const std::string& path);
  void add(char kind, std::uint64_t a, std::uint64_t b);

 private:
  File file_;
};

/// Nine tenths of one kind lets long runs of it build up, with nothing that syncs the other log.
enum class Mix { balanced, sql, documents };

struct Workload {
  std::string directory;
  std::string acknowledgements;
  std::uint64_t seed = 1;
  std::uint64_t session = 1;  // ids of different sessions on one store must differ
  std::uint64_t threads = 4;
  std::uint64_t transactions = 0;  // altogether; 0: no bound
  double seconds = 30;
  std::uint64_t documents_first = 0;  // this many document commits a thread before anything else
  Mix mix = Mix::balanced;
};

/// Opens the store, works on it with several threads, closes it. Throws Violation, or the engine's Error.
void run(const Workload& workload);

/// One thread, a few dozen transactions and a close, while I/O errors are injected. Every failure must be an Error that
/// names the file and the operation; after the first one that poisons the store nothing may be acknowledged any more.
void run_faulted(const Workload& workload);

/// Opens the store (recovery), compares everything with everything and with the acknowledgements, commits once more.
void verify(const std::string& directory, const std::string& acknowledgements);

}  // namespace stele::crash
