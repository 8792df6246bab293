// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/crash.h"

#include "tools/demo/import.h"
#include "tools/demo/report.h"
#include "tools/demo/tally.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <vector>

namespace stele::demo {
namespace {

using Align = Table::Align;

[[noreturn]] void fail_system(const char* call) {
  throw Error(ErrorCode::io, std::string("demo: ") + call + ": " + std::strerror(errno));
}

/// The second import in a process of its own; killed at the latest when this object goes.
class Child {
 public:
  Child(const CrashOptions& options, std::int64_t batch_stanzas) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail_system("pipe2");
    read_fd_ = ends[0];
    const int write_fd = ends[1];
    std::vector<std::string> arguments{"stele_demo",
                                       "--dir",
                                       options.directory,
                                       "--acknowledge",
                                       std::to_string(write_fd),
                                       "--batch",
                                       std::to_string(batch_stanzas),
                                       "--limit",
                                       std::to_string(options.input.limit)};
    if (!options.input.file.empty()) arguments.insert(arguments.end(), {"--input", options.input.file});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) fail_system("fork");
    if (pid_ == 0) {  // only what is async-signal-safe
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(127);
      fcntl(write_fd, F_SETFD, 0);
      execv("/proc/self/exe", argv.data());
      _exit(127);
    }
    close(write_fd);
  }
  ~Child() {
    if (pid_ > 0) kill_now();
    close(read_fd_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// True when next_acknowledgement() will not wait; false when nothing came until then.
  bool answers_until(std::chrono::steady_clock::time_point then) {
    using namespace std::chrono;
    while (received_.find('\n') == std::string::npos) {
      const auto left = std::max(0ms, ceil<milliseconds>(then - steady_clock::now()));
      pollfd ready{read_fd_, POLLIN, 0};
      const int count = poll(&ready, 1, static_cast<int>(left.count()));
      if (count < 0 && errno != EINTR) fail_system("poll");
      if (count >= 0) return count > 0;  // the child writes whole lines
    }
    return true;
  }

  /// The next acknowledged batch; false when the child's end of the pipe is closed.
  bool next_acknowledgement(BatchReport& report) {
    std::size_t end;
    while ((end = received_.find('\n')) == std::string::npos) {
      char bytes[4096];
      const ssize_t count = read(read_fd_, bytes, sizeof bytes);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail_system("read");
      if (count == 0) return false;  // a line cut short by the kill was not acknowledged
      received_.append(bytes, static_cast<std::size_t>(count));
    }
    report = BatchReport::from_json(received_.substr(0, end));
    received_.erase(0, end + 1);
    return true;
  }

  /// True when it was running until now.
  bool kill_now() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  pid_t pid_ = -1;
  int read_fd_ = -1;
  std::string received_;
};

std::string acknowledged_text(const std::vector<BatchReport>& acknowledged) {
  const auto count = static_cast<std::int64_t>(acknowledged.size());
  return grouped(count) + (count == 1 ? " transaction" : " transactions") + " acknowledged, up to stanza " +
         grouped(acknowledged.back().stanzas_end);
}

/// Lets a child import until it has acknowledged `batches`, and a random moment longer.
void import_and_kill(const CrashOptions& options, std::int64_t batch_stanzas, std::int64_t batches,
                     std::mt19937_64& random, std::vector<BatchReport>& acknowledged) {
  Child child(options, batch_stanzas);
  Progress progress("second import, in a child");
  const auto take = [&] {
    BatchReport report;
    if (!child.next_acknowledgement(report))
      throw Error(ErrorCode::io, "demo: the child ended before it was killed; its own message stands above");
    acknowledged.push_back(report);
    progress.show(acknowledged_text(acknowledged));
  };
  take();
  const Timer importing;
  for (std::int64_t i = 1; i < batches; ++i) take();
  // Anywhere in the next two batches, so that each step of a commit has its chance.
  const double batch_seconds = importing.seconds() / static_cast<double>(std::max<std::int64_t>(1, batches - 1));
  const std::chrono::duration<double> more(std::uniform_real_distribution<double>(0, 2 * batch_seconds)(random));
  const auto moment =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(more);
  while (child.answers_until(moment)) take();
  if (!child.kill_now()) throw Error(ErrorCode::io, "demo: the child ended before it was killed");
  for (BatchReport report; child.next_acknowledgement(report);) acknowledged.push_back(report);
}

bool print_findings(const std::vector<BatchReport>& acknowledged, const Tally& found) {
  BatchReport sum;
  for (const BatchReport& report : acknowledged) sum.add(report);
  const Missing missing = missing_of(acknowledged, found);
  Table table({{"tier"}, {"acknowledged", Align::right}, {"found", Align::right}, {"missing", Align::right}});
  table.add({"rows", grouped(sum.rows()), grouped(found.rows), grouped(missing.rows)});
  table.add({"documents", grouped(sum.packages), grouped(found.documents), grouped(missing.documents)});
  table.add({"events", grouped(static_cast<std::int64_t>(acknowledged.size())), grouped(found.events),
             grouped(missing.events)});
  table.print();
  const auto disagreements = found.disagreements();
  for (const std::string& disagreement : disagreements) fmt::print("  WRONG: {}\n", disagreement);
  if (disagreements.empty())
    fmt::print("  {} transactions found, {} of them not acknowledged in time, 0 half\n",
               grouped(static_cast<std::int64_t>(found.batches.size())),
               grouped(found.events - static_cast<std::int64_t>(acknowledged.size())));
  return disagreements.empty() && missing.rows + missing.documents + missing.events == 0;
}

bool finish_and_compare(Database& db, const CrashOptions& options, std::int64_t batch_stanzas) {
  const Names first(""), second(second_import_prefix);
  const Timer timer;
  {
    Progress progress("second import, to its end");
    Import importer(db, second_import_prefix, options.input, batch_stanzas);
    importer.run([&](const BatchReport& report) { progress.show(grouped(report.stanzas_end) + " stanzas"); });
  }
  const double import_seconds = timer.seconds();
  const Tally found = tally(db, second);
  const std::int64_t differences = count_differences(db, first, second);
  fmt::print(
      "\n  second import brought to its end in {}: {} rows, {} documents, {} events; differences from the first: {}\n",
      seconds_text(import_seconds), grouped(found.rows), grouped(found.documents), grouped(found.events),
      grouped(differences));
  for (const std::string& disagreement : found.disagreements()) fmt::print("  WRONG: {}\n", disagreement);
  return differences == 0 && found.disagreements().empty();
}

}  // namespace

bool run_crash_part(const CrashOptions& options) {
  heading("a child imports it all again and is killed with -9, " + std::to_string(options.kills) + " times");
  std::mt19937_64 random(options.seed);
  const std::int64_t batch_stanzas = std::clamp<std::int64_t>(options.stanzas / 48, 1, 200);
  fmt::print("  a transaction holds {} stanzas: their rows, documents and one event; seed {}\n", grouped(batch_stanzas),
             options.seed);
  // All kills together stay well inside the import.
  const std::int64_t batches_max = std::max<std::int64_t>(1, options.stanzas / batch_stanzas / (options.kills + 2));
  std::vector<BatchReport> acknowledged;
  bool good = true;
  for (int i = 1; i <= options.kills; ++i) {
    import_and_kill(options, batch_stanzas, std::uniform_int_distribution<std::int64_t>(1, batches_max)(random), random,
                    acknowledged);
    const Timer opening;
    Database db = Database::open(options.directory);
    fmt::print("\n  kill {}: {}; opened again, recovered in {}\n", i, acknowledged_text(acknowledged),
               seconds_text(opening.seconds()));
    good = print_findings(acknowledged, tally(db, Names(second_import_prefix))) && good;
    std::fflush(stdout);
    if (i == options.kills) good = finish_and_compare(db, options, batch_stanzas) && good;
    db.close();
  }
  return good;
}

void run_second_import(const std::string& directory, const InputOptions& input, std::int64_t batch_stanzas,
                       int acknowledge_fd) {
  fcntl(acknowledge_fd, F_SETFD, FD_CLOEXEC);  // not for apt-cache: it would hold the pipe open
  Database db = Database::open(directory);
  Import importer(db, second_import_prefix, input, batch_stanzas);
  importer.run([&](const BatchReport& report) {
    const std::string line = report.json() + "\n";  // under PIPE_BUF: whole or not at all
    if (write(acknowledge_fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) fail_system("write");
  });
}

}  // namespace stele::demo
