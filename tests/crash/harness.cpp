// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
//   crash_harness steps       [--seed N --seeds N --every-recovery-step 0|1 --only STEP --part N]
//   crash_harness kill_random|consumers|vectors [--seed N --cycles N]
//   crash_harness power       [--seed N --images N --planted 0|1 --bound N --only BUG] [--from TRACE --trace N --image
//   N] crash_harness faults      [--seed N --every K --all-modes 0|1] [--base 0|1 --at N --mode M --sticky 0|1]
// Exit status: 0 nothing found · 1 found · 2 usage · 77 skipped. The last line is for tools/prove.sh.
#include "tests/crash/harness.h"

#include <chrono>

int main(int argc, char** argv) {
  using namespace stele::crash;
  Arguments arguments(argc, argv);
  Tally tally;
  const auto begun = std::chrono::steady_clock::now();
  const std::uint64_t seed = arguments.number("seed", std::random_device{}());
  std::printf("crash %s: seed %llu\n", arguments.verb().c_str(), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  int status = 2;
  if (arguments.verb() == "steps")
    status = check_steps(arguments, tally);
  else if (arguments.verb() == "kill_random")
    status = check_random_kills(arguments, tally, {"run", "verify"});
  else if (arguments.verb() == "consumers")
    status = check_random_kills(arguments, tally, {"consume", "verify_consumed"});
  else if (arguments.verb() == "vectors")
    status = check_random_kills(arguments, tally, {"run_vectors", "verify_vectors"});
  else if (arguments.verb() == "power")
    status = check_power(arguments, tally);
  else if (arguments.verb() == "faults")
    status = check_faults(arguments, tally);
  else
    Arguments::usage("verbs: steps, kill_random, consumers, vectors, power, faults");
  if (status != 0) return status;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("result goal=%s done=%llu found=%llu seed=%llu seconds=%.1f\n", arguments.verb().c_str(),
              static_cast<unsigned long long>(tally.done), static_cast<unsigned long long>(tally.found),
              static_cast<unsigned long long>(seed), seconds);
  return tally.found == 0 ? 0 : 1;
}
