// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The program that the crash tests kill, cut and fault:
//   crash_workload run|faulted|verify|consume|verify_consumed --directory DIR --acknowledgements FILE
//       [--seed N --session N --threads N --transactions N --seconds N --documents-first N --mix 0|1|2]
//       [--kill-at STEP:N] [--planted BUG]
// Exit status: 0 fine · 2 usage · 3 a promise was broken · 4 an unexpected error of the engine.
#include "tests/crash/arguments.h"
#include "tests/crash/consumers.h"
#include "tests/crash/vectors.h"
#include "tests/crash/steps_watch.h"
#include "tests/crash/workload.h"

#include "engine/base/error.h"
#include "engine/base/step.h"

namespace stele::crash {
namespace {

void plant(const std::string& bug) {
  if (bug.empty()) return;
#ifdef STELE_PLANTED_BUGS
  static std::string name;
  name = bug;
  planted_bug.store(name.c_str());
#else
  Arguments::usage("--planted: this program is built without planted bugs; use crash_workload_planted");
#endif
}

int main_of(int argc, char** argv) {
  Arguments arguments(argc, argv);
  Workload workload;
  workload.directory = arguments.text("directory", "");
  workload.acknowledgements = arguments.text("acknowledgements", "");
  workload.seed = arguments.number("seed", 1);
  workload.session = arguments.number("session", 1);
  workload.threads = arguments.number("threads", 4);
  workload.transactions = arguments.number("transactions", 0);
  workload.seconds = static_cast<double>(arguments.number("seconds", 30));
  workload.documents_first = arguments.number("documents-first", 0);
  workload.mix = static_cast<Mix>(arguments.number("mix", 0) % 3);
  const std::string kill_at = arguments.text("kill-at", "");
  plant(arguments.text("planted", ""));
  arguments.no_others();
  if (workload.directory.empty() || workload.acknowledgements.empty())
    Arguments::usage("--directory and --acknowledgements are needed");
  watch_steps(kill_at);
  try {
    if (arguments.verb() == "run") {
      run(workload);
    } else if (arguments.verb() == "faulted") {
      run_faulted(workload);
    } else if (arguments.verb() == "verify") {
      verify(workload.directory, workload.acknowledgements);
    } else if (arguments.verb() == "consume") {
      run_consumers(workload);
    } else if (arguments.verb() == "verify_consumed") {
      verify_consumers(workload.directory, workload.acknowledgements);
    } else if (arguments.verb() == "run_vectors") {
      run_vectors(workload);
    } else if (arguments.verb() == "verify_vectors") {
      verify_vectors(workload.directory, workload.acknowledgements);
    } else {
      Arguments::usage("verbs: run, faulted, verify, consume, verify_consumed, run_vectors, verify_vectors");
    }
  } catch (const Violation& violation) {
    std::fprintf(stderr, "VIOLATED %s\n", violation.what.c_str());
    return 3;
  } catch (const Error& error) {
    std::fprintf(stderr, "ERROR %s: %s\n", std::string(name(error.code())).c_str(), error.what());
    return 4;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "VIOLATED an exception that is no stele::Error: %s\n", error.what());
    return 3;
  }
  print_steps();
  return 0;
}

}  // namespace
}  // namespace stele::crash

int main(int argc, char** argv) {
  const int status = stele::crash::main_of(argc, argv);
  std::fflush(nullptr);
  return status;
}
