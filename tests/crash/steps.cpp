// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// kill -9 at each named step of creation, recovery, commit, checkpoint; then at a step of the recovery that follows;
// then recovery again, and everything is compared. The names are taken from the engine's sources, so a new step is
// covered from the day it is written, and one that never occurs is a finding.
#include "tests/crash/harness.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace stele::crash {

namespace {

using Steps = std::map<std::string, std::uint64_t>;  // name -> times

std::set<std::string> steps_in_sources() {
  std::set<std::string> names;
  constexpr std::string_view call = " step(\"";
  for (const char* top : {"engine", "backends"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(STELE_SOURCE_DIR) / top)) {
      if (entry.path().extension() != ".cpp") continue;
      std::ifstream in(entry.path());
      std::stringstream source;
      source << in.rdbuf();
      const std::string text = source.str();
      for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at)) {
        at += call.size();
        names.insert(text.substr(at, text.find('"', at) - at));
      }
    }
  }
  return names;
}

void read_steps(const std::string& out, Steps& steps) {
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string tag, name;
    std::uint64_t times = 0;
    if (words >> tag >> name >> times && tag == "step") steps[name] += times;
  }
}

bool of_recovery(const std::string& step) { return step.starts_with("recovery."); }

class StepCheck {
 public:
  StepCheck(std::uint64_t seed, Tally& tally) : seed_(seed), tally_(tally), scratch_("steps") {}

  /// What occurs when nothing is killed: a session, and a recovery after a kill in the middle of commits.
  Steps record() {
    Steps steps;
    fresh();
    Command whole = workload("run", scratch_ / "a");
    add(whole, "seconds", 2);
    expect_fine(run(whole), steps, "a session without a kill");
    for (std::uint64_t session = 2; session < 12 && !steps.contains("recovery.replayed"); ++session) {
      Command cut = workload("run", scratch_ / "a");
      add(cut, "session", session);
      kill_at(cut, "commit.sql_committed", 20);  // of a commit that wrote documents, too, or there is nothing to replay
      run(cut);
      expect_fine(run(workload("verify", scratch_ / "a")), steps, "the recovery after a kill");
    }
    return steps;
  }

  /// Kill at `step`, kill the recovery at `recovery`, recover.
  void check(const std::string& step, std::uint64_t times, const std::string& recovery, std::uint64_t part) {
    auto random = generator(seed_, part);
    ++tally_.done;
    const std::string replay = "steps --seed " + std::to_string(seed_) + " --part " + std::to_string(part);
    const std::string what = "kill at " + step + ", then at " + recovery;
    const std::uint64_t nth = 1 + random() % std::max<std::uint64_t>(1, std::min<std::uint64_t>(times / 2, 200));
    Ended first = run_until(step, of_recovery(step) ? 1 : nth, random);
    // Where the first kill falls is chance, and so is whether it leaves something to replay.
    for (int attempt = 1; attempt < 10 && step == "recovery.replayed" && !first.killed(); ++attempt)
      first = run_until(step, 1, random);
    if (!first.killed()) return found(what + ": not killed the first time: " + first.words(), replay);

    Command again = workload("verify", scratch_ / "a");
    kill_at(again, recovery, 1);
    const Ended second = run(again);
    if (!second.killed() && !second.fine()) return found(what + ": in the killed recovery: " + second.words(), replay);
    recovery_kills_ += second.killed();

    const Ended last = run(workload("verify", scratch_ / "a"));
    if (!last.fine()) found(what + ": " + last.words(), replay);
  }

  std::uint64_t recovery_kills() const { return recovery_kills_; }

 private:
  void fresh() {
    fs::remove_all(scratch_ / "a");
    fs::create_directories(scratch_ / "a");
  }

  static void kill_at(Command& command, const std::string& step, std::uint64_t nth) {
    command.words.insert(command.words.end(), {"--kill-at", step + ":" + std::to_string(nth)});
  }

  /// A session on a fresh store, or, to be killed in recovery, on one that was killed between SQLite's COMMIT and the
  /// key-value write.
  Ended run_until(const std::string& step, std::uint64_t nth, std::mt19937_64& random) {
    fresh();
    if (of_recovery(step)) {
      Command before = workload("run", scratch_ / "a");
      add(before, "seed", random());
      kill_at(before, "commit.sql_committed", 30 + random() % 100);
      run(before);
    }
    Command work = workload("run", scratch_ / "a");
    add(work, "seed", random());
    add(work, "session", 2);
    if (of_recovery(step)) add(work, "seconds", 0);  // killed while it opens, or not at all
    kill_at(work, step, nth);
    return run(work);
  }

  void expect_fine(const Ended& ended, Steps& steps, const std::string& what) {
    ++tally_.done;
    if (!ended.fine()) found(what + ": " + ended.words(), "steps --seed " + std::to_string(seed_));
    read_steps(ended.out, steps);
  }

  void found(const std::string& what, const std::string& replay) {
    tally_.finding(what, replay);
    const fs::path kept = scratch_ / ("found-" + std::to_string(tally_.found));
    fs::rename(scratch_ / "a", kept);
    scratch_.keep();
    std::printf("  kept: %s\n", kept.c_str());
  }

  std::uint64_t seed_;
  Tally& tally_;
  Scratch scratch_;
  std::uint64_t recovery_kills_ = 0;
};

}  // namespace

int check_steps(Arguments& arguments, Tally& tally) {
  const std::uint64_t seed = arguments.number("seed", 0);
  const std::uint64_t seeds = arguments.number("seeds", 2);
  const bool every_recovery_step = arguments.number("every-recovery-step", 0) != 0;
  const std::string only = arguments.text("only", "");
  const std::uint64_t part_wanted = arguments.number("part", ~std::uint64_t{0});
  arguments.no_others();

  StepCheck check(seed, tally);
  const Steps recorded = check.record();
  std::vector<std::string> recovery_steps;
  for (const std::string& step : steps_in_sources()) {
    if (!recorded.contains(step)) tally.finding("step " + step + " never occurs: not covered", "steps");
    if (of_recovery(step)) recovery_steps.push_back(step);
  }
  std::uint64_t part = 0;
  for (std::uint64_t round = 0; round < seeds; ++round) {
    for (const auto& [step, times] : recorded) {
      const std::size_t first = part % recovery_steps.size();
      for (std::size_t i = 0; i < (every_recovery_step ? recovery_steps.size() : 1); ++i, ++part) {
        const bool wanted = (only.empty() || only == step) && (part_wanted == ~std::uint64_t{0} || part_wanted == part);
        if (wanted) check.check(step, times, recovery_steps[(first + i) % recovery_steps.size()], part);
      }
    }
  }
  std::printf("steps: %zu named, %llu recoveries killed as well\n", recorded.size(),
              static_cast<unsigned long long>(check.recovery_kills()));
  return 0;
}

}  // namespace stele::crash
