// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the four harnesses share. Each counts what it did and what it found; main prints both and exits with 1 when
// anything was found.
#pragma once

#include "tests/crash/arguments.h"
#include "tests/crash/process.h"
#include "tests/support/sanitized.h"

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace stele::crash {

struct Tally {
  std::uint64_t done = 0;
  std::uint64_t found = 0;

  /// `replay`: the arguments of the harness that show it again.
  void finding(const std::string& what, const std::string& replay) {
    ++found;
    std::printf("FOUND %s\n  replay: crash_harness %s\n", what.c_str(), replay.c_str());
    std::fflush(stdout);
  }
};

/// The workload program on DIR/store, with acknowledgements in DIR/acknowledgements.
inline Command workload(const std::string& verb, const fs::path& directory, const std::string& planted = "") {
  Command command;
  command.words = {planted.empty() ? CRASH_WORKLOAD : CRASH_WORKLOAD_PLANTED,
                   verb,
                   "--directory",
                   (directory / "store").string(),
                   "--acknowledgements",
                   (directory / "acknowledgements").string()};
  if (!planted.empty()) command.words.insert(command.words.end(), {"--planted", planted});
  return command;
}

inline void add(Command& command, const std::string& name, std::uint64_t value) {
  command.words.insert(command.words.end(), {"--" + name, std::to_string(value)});
}

/// A generator for part `index` of what `seed` stands for, so that each part replays alone.
inline std::mt19937_64 generator(std::uint64_t seed, std::uint64_t index) {
  std::seed_seq sequence{seed, seed >> 32, index, std::uint64_t{0x57E1E}};
  return std::mt19937_64(sequence);
}

/// Of the workload program: what is killed, and what looks at the store afterwards.
struct Verbs {
  const char* work;
  const char* verify;
};

int check_steps(Arguments& arguments, Tally& tally);
int check_random_kills(Arguments& arguments, Tally& tally, const Verbs& verbs);
int check_power(Arguments& arguments, Tally& tally);
int check_faults(Arguments& arguments, Tally& tally);

}  // namespace stele::crash
