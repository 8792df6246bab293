// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// I/O errors. The same small session over and over, and each time another of its file operations fails: with EIO, with
// ENOSPC, by half a write, by kill -9; once, or from then on. Once from an empty directory (creation), once on a store
// that has something to recover. The session must end by itself, with errors that name their file; afterwards, without
// faults, the store must open and hold everything that was acknowledged.
#include "tests/crash/harness.h"

#include <fstream>
#include <sstream>

namespace stele::crash {

namespace {

struct Injection {
  const char* mode;
  bool sticky;
};
constexpr Injection injections[] = {{"eio", false}, {"enospc", true},  {"short", false},
                                    {"eio", true},  {"enospc", false}, {"kill", false}};

class FaultCheck {
 public:
  FaultCheck(std::uint64_t seed, Tally& tally) : seed_(seed), tally_(tally), scratch_("faults") {}

  /// With `recovering`, sessions start from a store that was killed in the middle of commits.
  bool prepare(bool recovering) {
    recovering_ = recovering;
    fs::remove_all(scratch_ / "base");
    fs::create_directories(scratch_ / "base");
    if (!recovering) return true;
    Command work = workload("run", scratch_ / "base");
    add(work, "seed", seed_);
    work.words.insert(work.words.end(), {"--kill-at", "commit.sql_committed:40"});
    return run(work).killed();
  }

  /// How many operations a session without a fault has.
  std::uint64_t count() {
    const Ended ended = session(0, injections[0]);
    if (!ended.fine()) tally_.finding("a session without a fault: " + ended.words(), "faults");
    std::string line;
    std::uint64_t operations = 0;
    while (std::getline(report_, line)) {
      std::istringstream words(line);
      std::string tag;
      words >> tag;
      if (tag == "operations") words >> operations;
    }
    return operations;
  }

  void check(std::uint64_t at, const Injection& injection) {
    const Ended ended = session(at, injection);
    ++tally_.done;
    const bool kill = std::string(injection.mode) == "kill";
    if (kill ? !(ended.killed() || ended.fine()) : !ended.fine())
      return found(at, injection, "in the session: ", ended);
    const Ended after = run(workload("verify", scratch_ / "a"));
    if (!after.fine()) found(at, injection, "reopened without faults: ", after);
  }

 private:
  Ended session(std::uint64_t at, const Injection& injection) {
    fs::remove_all(scratch_ / "a");
    fs::copy(scratch_ / "base", scratch_ / "a", fs::copy_options::recursive);
    if (recovering_) fs::permissions(scratch_ / "a/store", fs::perms::owner_all);
    fs::remove(scratch_ / "report");
    Command work = workload("faulted", scratch_ / "a");
    add(work, "seed", seed_);
    add(work, "session", 2);
    add(work, "transactions", 20);
    work.environment = {{"LD_PRELOAD", CRASH_FAULT},
                        {"STELE_SHIM_DIR", (scratch_ / "a/store").string()},
                        {"STELE_FAULT_REPORT", (scratch_ / "report").string()},
                        {"STELE_FAULT_AT", std::to_string(at)},
                        {"STELE_FAULT_MODE", injection.mode},
                        {"STELE_FAULT_STICKY", injection.sticky ? "1" : "0"}};
    const Ended ended = run(work);
    report_ = std::ifstream(scratch_ / "report");
    return ended;
  }

  void found(std::uint64_t at, const Injection& injection, const std::string& when, const Ended& ended) {
    std::string where;
    std::getline(report_, where);
    tally_.finding(std::string(injection.mode) + (injection.sticky ? " from " : " at ") + "operation " +
                       std::to_string(at) + (recovering_ ? " of recovery and work" : " of creation and work") + " (" +
                       where + "), " + when + ended.words(),
                   "faults --seed " + std::to_string(seed_) + " --base " + std::to_string(recovering_) + " --at " +
                       std::to_string(at) + " --mode " + injection.mode + " --sticky " +
                       std::to_string(injection.sticky));
  }

  std::uint64_t seed_;
  Tally& tally_;
  Scratch scratch_;
  bool recovering_ = false;
  std::ifstream report_;
};

}  // namespace

int check_faults(Arguments& arguments, Tally& tally) {
  const std::uint64_t seed = arguments.number("seed", 0);
  const std::uint64_t every = arguments.number("every", 7);
  const bool all_modes = arguments.number("all-modes", 0) != 0;
  const std::uint64_t base = arguments.number("base", 2);
  const std::uint64_t at = arguments.number("at", 0);
  const std::string mode = arguments.text("mode", "");
  const bool sticky = arguments.number("sticky", 0) != 0;
  arguments.no_others();
  if (every == 0) Arguments::usage("--every takes a number from 1");
  if (testing::sanitized) {
    std::printf("skipped: faults: the fault shim is loaded with LD_PRELOAD, and a sanitizer wants to be first\n");
    return 77;
  }
  FaultCheck check(seed, tally);
  for (const bool recovering : {false, true}) {
    if (base != 2 && recovering != (base == 1)) continue;
    if (!check.prepare(recovering)) {
      tally.finding("the store to recover could not be made", "faults --seed " + std::to_string(seed));
      continue;
    }
    if (at != 0) {
      check.check(at, {mode.c_str(), sticky});
      continue;
    }
    const std::uint64_t operations = check.count();
    std::printf("faults: %llu operations in a session %s\n", static_cast<unsigned long long>(operations),
                recovering ? "that recovers" : "that creates");
    std::uint64_t turn = seed;
    for (std::uint64_t n = 1 + seed % every; n <= operations; n += every, ++turn) {
      for (std::size_t i = 0; i < std::size(injections); ++i)
        if (all_modes || i == turn % std::size(injections)) check.check(n, injections[i]);
    }
  }
  return 0;
}

}  // namespace stele::crash
