// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The demonstration: Debian's package universe as rows, documents and events in one Stele database.
#include "tools/demo/crash.h"
#include "tools/demo/import.h"
#include "tools/demo/package_log.h"
#include "tools/demo/questions.h"
#include "tools/demo/report.h"
#include "tools/demo/resolve.h"
#include "tools/demo/similar.h"
#include "tools/demo/tally.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <random>
#include <string>

namespace stele::demo {
namespace {

namespace fs = std::filesystem;
using Align = Table::Align;

struct Arguments {
  std::string directory;  // empty: a fresh one, removed at the end
  bool keep = false;
  InputOptions input;
  std::uint64_t seed = 0;
  std::int64_t batch_stanzas = 500;
  int acknowledge_fd = -1;   // for the child
  bool process_log = false;  // for the other child
};

std::string fresh_directory() {
  const char* parent = std::getenv("TMPDIR");
  std::string name = std::string(parent && *parent ? parent : "/var/tmp") + "/stele-demo-XXXXXX";
  if (!mkdtemp(name.data())) throw Error(ErrorCode::io, "demo: cannot make " + name + "; set TMPDIR or give --dir");
  return name;
}

std::uint64_t disk_bytes(const fs::path& path) {
  std::error_code ignored;  // files come and go while the database is open
  if (fs::is_regular_file(path, ignored)) return fs::file_size(path, ignored);
  std::uint64_t sum = 0;
  for (fs::directory_iterator entry(path, ignored), end; !ignored && entry != end; entry.increment(ignored))
    sum += disk_bytes(entry->path());
  return sum;
}

void print_sizes(const std::string& directory) {
  const auto size = [&](const char* name) { return disk_bytes(fs::path(directory) / name); };
  const std::uint64_t rows = size("relational.db"), log = size("relational.db-wal"), kv = size("kv"),
                      all = disk_bytes(directory);
  fmt::print("  on disk: {}: rows {} (and {} of log), documents and events {}, the rest {}\n", bytes_text(all),
             bytes_text(rows), bytes_text(log), bytes_text(kv), bytes_text(all - rows - log - kv));
}

std::int64_t import_everything(Database& db, const Arguments& arguments) {
  heading("import: stanzas to rows, documents and events, " + grouped(arguments.batch_stanzas) +
          " stanzas a transaction");
  const Timer timer;
  BatchReport sum;
  Import importer(db, "", arguments.input, arguments.batch_stanzas);
  {
    Progress progress("import");
    importer.run([&](const BatchReport& report) {
      sum.add(report);
      progress.show(fmt::format("{} stanzas, {} rows, {} ({})", grouped(sum.stanzas), grouped(sum.rows()),
                                bytes_text(static_cast<std::uint64_t>(sum.bytes)),
                                rate_text(sum.stanzas, timer.seconds())));
    });
  }
  const double seconds = timer.seconds();
  if (sum.stanzas == 0)
    throw Error(ErrorCode::not_found,
                "demo: the input has no stanzas; run apt-get update, or give a file with --input FILE");
  Table table({{"what"}, {"count", Align::right}, {"rate", Align::right}});
  const auto line = [&](const char* what, std::int64_t count) {
    table.add({what, grouped(count), rate_text(count, seconds)});
  };
  line("stanzas read", sum.stanzas);
  line("rows", sum.rows());
  line("  packages", sum.packages);
  line("  maintainers", sum.maintainers);
  line("  dependencies", sum.dependencies);
  line("  provides", sum.provides);
  line("documents", sum.packages);
  line("events, commits", sum.batch);
  table.print();
  fmt::print("  {} of input in {}; refused {}, repeated {}, unreadable parts {}\n",
             bytes_text(static_cast<std::uint64_t>(sum.bytes)), seconds_text(seconds), grouped(sum.refused),
             grouped(sum.repeated), grouped(sum.malformed));
  if (!importer.first_refused().empty()) fmt::print("  refused first: {}\n", importer.first_refused());
  return sum.stanzas;
}

void resolve_everything(Database& db) {
  heading("dependencies: which package satisfies which");
  const Timer timer;
  Resolved resolved;
  {
    Progress progress("resolve");
    resolved = resolve_dependencies(db, [&](const Resolved& so_far) {
      progress.show(grouped(so_far.direct + so_far.by_provider + so_far.unresolved) + " dependencies");
    });
  }
  fmt::print("  {} by a package, {} by one that provides the name, {} by nothing here, in {}\n",
             grouped(resolved.direct), grouped(resolved.by_provider), grouped(resolved.unresolved),
             seconds_text(timer.seconds()));
}

bool tiers_agree(Database& db) {
  heading("do the tiers agree? (every row, document and event, in one snapshot)");
  const Timer timer;
  const Tally found = tally(db, Names(""));
  const auto disagreements = found.disagreements();
  for (const std::string& disagreement : disagreements) fmt::print("  WRONG: {}\n", disagreement);
  fmt::print("  {} rows, {} documents, {} events in {} batches: {} ({})\n", grouped(found.rows),
             grouped(found.documents), grouped(found.events), grouped(static_cast<std::int64_t>(found.batches.size())),
             disagreements.empty() ? "all agree" : "they do NOT agree", seconds_text(timer.seconds()));
  return disagreements.empty();
}

bool run(const Arguments& arguments, const std::string& directory) {
  const Timer timer;
  fmt::print("Stele {}: Debian's packages in {}, rows, documents and events under one transaction\n", version(),
             directory);
  Database db = Database::open(directory);
  const std::int64_t stanzas = import_everything(db, arguments);
  resolve_everything(db);
  ask_questions(db);
  embed_everything(db);
  bool good = ask_for_similar(db);
  good = tiers_agree(db) && good;
  const Stats stats = db.stats();
  fmt::print("  {} commits, {} conflicts, {} syncs\n", grouped(static_cast<std::int64_t>(stats.commits)),
             grouped(static_cast<std::int64_t>(stats.conflicts)), grouped(static_cast<std::int64_t>(stats.syncs)));
  print_sizes(directory);
  db.close();
  good = run_crash_part({directory, arguments.input, stanzas, arguments.seed}) && good;
  good = run_log_part(directory, arguments.seed) && good;
  print_sizes(directory);
  fmt::print("\n{} in {}.\n",
             good ? "Nothing is missing, nothing is by halves" : "SOMETHING IS MISSING OR WRONG (see above)",
             seconds_text(timer.seconds()));
  return good;
}

int run_in_directory(const Arguments& arguments) {
  const bool given = !arguments.directory.empty();
  if (given && fs::exists(arguments.directory) && !fs::is_empty(arguments.directory))
    throw Error(ErrorCode::exists, "demo: --dir " + arguments.directory + " is not empty; name a new directory");
  const std::string directory = given ? arguments.directory : fresh_directory();
  // On failure the database stays: it is the evidence.
  const bool good = run(arguments, directory);
  if (given || arguments.keep || !good) {
    fmt::print("The database is {}; look at its rows with: sqlite3 {}/relational.db\n", directory, directory);
  } else {
    fs::remove_all(directory);
  }
  return good ? 0 : 1;
}

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Imports Debian's packages into a Stele database, asks questions, kills an import and looks what is left.");
  app.add_option("--dir", arguments.directory,
                 "New directory for the database, kept (default: a temporary one, removed)");
  app.add_flag("--keep", arguments.keep, "Keep the temporary database");
  app.add_option("--input", arguments.input.file, "File of stanzas (default: the output of apt-cache dumpavail)");
  app.add_option("--limit", arguments.input.limit, "Read only so many stanzas (default: all)");
  app.add_option("--seed", arguments.seed, "Seed of the moments of the kills (default: a new one, printed)");
  app.add_option("--batch", arguments.batch_stanzas, "Stanzas in one transaction")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--acknowledge", arguments.acknowledge_fd)->group("");  // the child's pipe; not for people
  app.add_flag("--process-log", arguments.process_log)->group("");
  CLI11_PARSE(app, argc, argv);
  if (app.count("--seed") == 0) arguments.seed = std::random_device()();
  try {
    if (arguments.process_log) {
      Database db = Database::open(arguments.directory);
      process_log(db);
      return 0;
    }
    if (arguments.acknowledge_fd < 0) return run_in_directory(arguments);
    run_second_import(arguments.directory, arguments.input, arguments.batch_stanzas, arguments.acknowledge_fd);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "stele_demo: {}: {}\n", name(error.code()), error.message());
  } catch (const std::exception& error) {
    fmt::print(stderr, "stele_demo: {}\n", error.what());
  }
  return 1;
}

}  // namespace
}  // namespace stele::demo

int main(int argc, char** argv) { return stele::demo::main(argc, argv); }
