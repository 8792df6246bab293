// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Power loss. A trace of three sessions (two kills, two recoveries) is cut at random records; from each cut one state
// that the disk may be in is built and verified. Half of the cuts lie in the first records after a reopening, where
// recovery itself could go wrong. Then the same with each planted bug, until it is caught.
#include "tests/crash/harness.h"
#include "tests/crash/images.h"

#include <algorithm>
#include <optional>

namespace stele::crash {

namespace {

constexpr std::uint64_t images_per_trace = 40;
constexpr std::size_t near_reopening = 500;  // records

struct PlantedBug {
  const char* name;
  bool by_power_loss;  // otherwise a session shows it
};
constexpr PlantedBug planted_bugs[] = {
    {"no_barrier", true},       {"no_tail_carry", true},     {"sql_only_outside_order", true},
    {"no_recovery_sync", true}, {"wrong_log_awaited", true}, {"dead_transaction_continued", false},
};

/// What one trace and its images showed.
struct Outcome {
  std::uint64_t images = 0;
  std::vector<std::string> findings;
};

class PowerCheck {
 public:
  PowerCheck(std::uint64_t seed, std::string planted) : seed_(seed), planted_(std::move(planted)), scratch_("power") {}

  /// Trace number `number`, and images of it: all, or only one. Stops at the first finding if told to.
  Outcome run_trace(std::uint64_t number, std::uint64_t images, std::optional<std::uint64_t> only, bool until_found) {
    Outcome outcome = make_trace(number);
    if (outcome.findings.empty()) check_images(scratch_ / "trace", number, images, only, until_found, outcome);
    return outcome;
  }

  Outcome make_trace(std::uint64_t number) {
    Outcome outcome;
    fs::remove_all(scratch_ / "a");
    fs::create_directories(scratch_ / "a");
    fs::remove(scratch_ / "trace");
    auto random = generator(seed_, number * 1000);
    for (std::uint64_t session = 1; session <= 3; ++session) {
      if (auto problem = run_session(verbs(number).work, session, random)) {
        outcome.findings.push_back("trace " + std::to_string(number) + ", session " + std::to_string(session) + ": " +
                                   *problem);
        ++outcome.images;
        return outcome;
      }
    }
    return outcome;
  }

  void check_images(const fs::path& file, std::uint64_t number, std::uint64_t images, std::optional<std::uint64_t> only,
                    bool until_found, Outcome& outcome) {
    const Trace trace(file);
    Disk disk(trace, store_of(trace));
    auto random = generator(seed_, number * 1000 + 999);
    for (const auto& [cut, image] : choose_cuts(trace, images, random)) {
      if (only && image != *only) continue;
      disk.advance(cut);
      auto choices = generator(seed_, number * 1000 + 1 + image);
      const std::string shape = disk.make_image(scratch_ / "image", choices);
      ++outcome.images;
      const Ended ended = run(workload(verbs(number).verify, scratch_ / "image", planted_));
      if (ended.fine()) continue;
      outcome.findings.push_back("trace " + std::to_string(number) + ", image " + std::to_string(image) +
                                 " at record " + std::to_string(cut) + " (" + shape + "): " + ended.words());
      if (until_found) return;
    }
  }

  fs::path keep() { return scratch_.keep(); }

 private:
  /// Every other trace is of streams, groups and caches.
  Verbs verbs(std::uint64_t number) const {
    return planted_.empty() && number % 2 == 1 ? Verbs{"consume", "verify_consumed"} : Verbs{"run", "verify"};
  }

  /// Killed by the shim at some record. The problem, if it ended otherwise.
  std::optional<std::string> run_session(const char* verb, std::uint64_t session, std::mt19937_64& random) {
    Command work = workload(verb, scratch_ / "a", planted_);
    add(work, "seed", random());
    add(work, "session", session);
    // Document commits on top of SQL commits that only the page cache holds: recovery must have synced those.
    if (random() % 2) add(work, "documents-first", 5 + random() % 40);
    add(work, "mix", std::max<std::uint64_t>(random() % 4, 1) - 1);
    work.environment = {{"LD_PRELOAD", CRASH_TRACE},
                        {"STELE_SHIM_DIR", (scratch_ / "a").string()},
                        {"STELE_TRACE_FILE", (scratch_ / "trace").string()},
                        {"STELE_TRACE_ACKNOWLEDGEMENTS", (scratch_ / "a/acknowledgements").string()},
                        {"STELE_TRACE_SYNC_US", "150"},
                        {"STELE_TRACE_KILL_AT", std::to_string(1500 + random() % 5000)}};
    const Ended ended = run(work);
    if (ended.killed()) return std::nullopt;
    return ended.words();
  }

  /// The first directory made is the store's.
  static std::string store_of(const Trace& trace) {
    for (const TraceRecord& record : trace.records())
      if (record.kind == TraceKind::mkdir) return std::string(record.data);
    return {};
  }

  /// (record, number of the image), by record.
  static std::vector<std::pair<std::size_t, std::uint64_t>> choose_cuts(const Trace& trace, std::uint64_t images,
                                                                        std::mt19937_64& random) {
    std::vector<std::size_t> reopenings;
    const std::size_t end = trace.records().size();
    for (std::size_t i = 1; i < end; ++i)
      if (trace.records()[i].kind == TraceKind::session) reopenings.push_back(i);
    std::vector<std::pair<std::size_t, std::uint64_t>> cuts;
    for (std::uint64_t image = 0; image < images; ++image) {
      const std::size_t start = reopenings[random() % reopenings.size()];
      const std::size_t near = std::min(end - 1, start + random() % near_reopening);
      const std::size_t anywhere = random() % end;
      cuts.emplace_back(image % 2 ? near : anywhere, image);
    }
    std::sort(cuts.begin(), cuts.end());
    return cuts;
  }

  std::uint64_t seed_;
  std::string planted_;
  Scratch scratch_;
};

void check_right_build(std::uint64_t seed, std::uint64_t images, Tally& tally) {
  PowerCheck check(seed, "");
  for (std::uint64_t number = 0; number * images_per_trace < images; ++number) {
    const std::uint64_t wanted = std::min(images_per_trace, images - number * images_per_trace);
    const Outcome outcome = check.run_trace(number, wanted, std::nullopt, false);
    tally.done += outcome.images;
    if (outcome.findings.empty()) continue;
    const fs::path kept = check.keep();
    for (const std::string& finding : outcome.findings)
      tally.finding(finding, "power --from " + (kept / "trace").string() + " --seed " + std::to_string(seed) +
                                 " --trace " + std::to_string(number) + " --images " + std::to_string(wanted) +
                                 " [--image I]");
    return;
  }
  std::printf("power: %llu images of the right build, 0 found\n", static_cast<unsigned long long>(tally.done));
}

/// Images of a trace that was kept.
void check_kept(const fs::path& file, std::uint64_t seed, std::uint64_t number, std::uint64_t images,
                std::optional<std::uint64_t> only, Tally& tally) {
  PowerCheck check(seed, "");
  Outcome outcome;
  check.check_images(file, number, images, only, false, outcome);
  tally.done = outcome.images;
  for (const std::string& finding : outcome.findings) tally.finding(finding, "(this)");
  if (only) std::printf("the image: %s\n", (check.keep() / "image").c_str());
}

/// The session itself must show it: a direct scenario, no images.
Outcome run_session_with(const std::string& bug) {
  Scratch scratch("planted");
  Command work = workload("run", scratch / "", bug);
  add(work, "threads", 1);
  add(work, "transactions", 400);
  const Ended ended = run(work);
  return {1, ended.status == 3 ? std::vector{ended.words()} : std::vector<std::string>{}};
}

void check_planted(std::uint64_t seed, const PlantedBug& bug, std::uint64_t bound, Tally& tally) {
  std::uint64_t images = 0;
  if (!bug.by_power_loss) {
    const Outcome outcome = run_session_with(bug.name);
    if (!outcome.findings.empty())
      return (void)std::printf("planted %s: caught by a session: %s\n", bug.name, outcome.findings.front().c_str());
  } else {
    PowerCheck check(seed, bug.name);
    for (std::uint64_t number = 0; images < bound; ++number) {
      const Outcome outcome = check.run_trace(number, images_per_trace, std::nullopt, true);
      images += outcome.images;
      if (!outcome.findings.empty())
        return (void)std::printf("planted %s: caught after %llu images: %s\n", bug.name,
                                 static_cast<unsigned long long>(images), outcome.findings.front().c_str());
    }
  }
  tally.finding("planted bug " + std::string(bug.name) + " was not caught in " + std::to_string(images) + " images",
                "power --images 0 --seed " + std::to_string(seed) + " --only " + bug.name);
}

}  // namespace

int check_power(Arguments& arguments, Tally& tally) {
  const std::uint64_t seed = arguments.number("seed", 0);
  const std::uint64_t images = arguments.number("images", 80);
  const bool planted = arguments.number("planted", 1) != 0;
  const std::uint64_t bound = arguments.number("bound", 3000);
  const std::string only = arguments.text("only", "");
  const std::uint64_t trace = arguments.number("trace", 0);
  const std::string from = arguments.text("from", "");
  const std::string image = arguments.text("image", "");
  arguments.no_others();
  if (testing::sanitized) {
    std::printf("skipped: power: the tracing shim is loaded with LD_PRELOAD, and a sanitizer wants to be first\n");
    return 77;
  }
  if (!from.empty()) {
    check_kept(from, seed, trace, images,
               image.empty() ? std::nullopt : std::optional<std::uint64_t>(std::stoull(image)), tally);
    return 0;
  }
  if (images > 0) check_right_build(seed, images, tally);
  for (const PlantedBug& bug : planted_bugs) {
    if (!planted || (!only.empty() && only != bug.name)) continue;
    check_planted(seed, bug, bound, tally);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace stele::crash
