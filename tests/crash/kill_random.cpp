// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// kill -9 at any moment of work and, every third time, at any moment of the recovery that follows. The store goes on
// for ten cycles, so that what one crash leaves behind meets the next.
#include "tests/crash/harness.h"

namespace stele::crash {

int check_random_kills(Arguments& arguments, Tally& tally, const Verbs& verbs) {
  const std::uint64_t seed = arguments.number("seed", 0);
  const std::uint64_t cycles = arguments.number("cycles", 40);
  arguments.no_others();
  Scratch scratch("kill");
  for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
    auto random = generator(seed, cycle);
    if (cycle % 10 == 0) {
      fs::remove_all(scratch / "a");
      fs::create_directories(scratch / "a");
    }
    Command work = workload(verbs.work, scratch / "a");
    add(work, "seed", seed + cycle);
    add(work, "session", cycle + 1);
    add(work, "mix", random() % 3);
    work.kill_after = std::chrono::microseconds(20'000 + random() % (testing::sanitized ? 1'500'000 : 350'000));
    Ended ended = run(work);
    if (ended.killed() && random() % 3 == 0) {
      Command recovery = workload(verbs.verify, scratch / "a");
      recovery.kill_after = std::chrono::microseconds(5'000 + random() % (testing::sanitized ? 500'000 : 60'000));
      const Ended cut = run(recovery);
      if (!cut.killed()) ended = cut;
    }
    if (ended.killed() || ended.fine()) ended = run(workload(verbs.verify, scratch / "a"));
    ++tally.done;
    if (ended.fine()) continue;
    tally.finding("cycle " + std::to_string(cycle) + ": " + ended.words(),
                  arguments.verb() + " --seed " + std::to_string(seed) + " --cycles " + std::to_string(cycle + 1));
    std::printf("  kept: %s\n", scratch.keep().c_str());
    return 0;
  }
  return 0;
}

}  // namespace stele::crash
