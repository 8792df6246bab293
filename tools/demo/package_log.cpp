// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/package_log.h"

#include "tools/demo/report.h"
#include "tools/demo/schema.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

namespace stele::demo {
namespace {

constexpr const char* log_file = "/var/log/dpkg.log";
constexpr std::size_t lines_max = 20'000;
constexpr int log_kills = 3;

/// "2025-06-24 14:36:25" to µs; false: it is none.
bool read_log_time(std::string_view text, Timestamp& time) {
  int part[6];
  static constexpr std::size_t begins[] = {0, 5, 8, 11, 14, 17, 20};
  if (text.size() != 19 || text[10] != ' ') return false;
  for (int i = 0; i < 6; ++i) {
    const char* end = text.data() + begins[i + 1] - 1;
    const auto [stopped, error] = std::from_chars(text.data() + begins[i], end, part[i]);
    if (error != std::errc() || stopped != end) return false;
  }
  using namespace std::chrono;
  const year_month_day date(year(part[0]), month(static_cast<unsigned>(part[1])), day(static_cast<unsigned>(part[2])));
  if (!date.ok()) return false;
  time = Timestamp(sys_days(date).time_since_epoch() + hours(part[3]) + minutes(part[4]) + seconds(part[5]));
  return true;
}

std::vector<NewEvent> read_log() {
  std::vector<NewEvent> events;
  std::ifstream log(log_file);
  for (std::string line; events.size() < lines_max && std::getline(log, line);)
    if (auto event = read_log_line(line)) events.push_back(std::move(*event));
  return events;
}

/// Where there is no log: a batch of the import is an event, too.
std::vector<NewEvent> read_progress(Database& db) {
  std::vector<NewEvent> events;
  for (const Event& event : db.stream(Names("").stream).read())
    events.push_back({event.key, R"({"package":"import"})", event.time});
  return events;
}

std::int64_t append_log(Database& db) {
  std::vector<NewEvent> events = read_log();
  const bool logged = !events.empty();
  if (!logged) events = read_progress(db);
  db.sql("CREATE TABLE log_effect(event INTEGER PRIMARY KEY, action TEXT NOT NULL) STRICT");
  auto stream = db.stream("log");
  stream.create({});
  stream.group("audit").create({});
  stream.create_window("days", {.width = std::chrono::hours(24),
                                .by_key = true,
                                .aggregates = R"({"n": "count", "packages": {"distinct": "package"}})"});
  const Timer timer;
  constexpr std::size_t at_once = 500;
  for (std::size_t i = 0; i < events.size(); i += at_once)
    stream.append(std::span(events).subspan(i, std::min(at_once, events.size() - i)));
  const auto count = static_cast<std::int64_t>(events.size());
  fmt::print("  {} events from {}, appended with a window by day and action, {}\n", grouped(count),
             logged ? log_file : "the import's progress (there is no dpkg log here)",
             rate_text(count, timer.seconds()));
  return count;
}

/// True when it was killed; false when it had nothing left to do before that.
bool run_child_and_kill(const std::string& directory, std::chrono::milliseconds after) {
  const std::string self = "/proc/self/exe";
  std::vector<std::string> words{"stele_demo", "--dir", directory, "--process-log"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (const int error = posix_spawn(&pid, self.c_str(), nullptr, nullptr, argv.data(), environ); error != 0)
    throw Error(ErrorCode::io, std::string("demo: posix_spawn: ") + std::strerror(error));
  std::this_thread::sleep_for(after);
  ::kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
    throw Error(ErrorCode::io, "demo: the child that processes the log failed; its own message stands above");
  return WIFSIGNALED(status);
}

bool print_actions(Database& db) {
  struct Sums {
    std::int64_t counted = 0, days = 0, processed = 0;
  };
  std::map<std::string, Sums> actions;
  db.read([&](const Snapshot& at) {
    for (const WindowRow& row : at.stream("log").window("days", {})) {
      Sums& sums = actions[row.key];
      sums.counted += at.sql("SELECT json_extract(?, '$.n')", row.values).one<std::int64_t>();
      ++sums.days;
    }
    for (const auto& row : at.sql("SELECT action, count(*) FROM log_effect GROUP BY action"))
      actions[row.get<std::string>(0)].processed = row.get<std::int64_t>(1);
  });
  using Align = Table::Align;
  Table table({{"action"}, {"days", Align::right}, {"window", Align::right}, {"processed", Align::right}});
  bool good = true;
  for (const auto& [action, sums] : actions) {
    table.add({action, grouped(sums.days), grouped(sums.counted), grouped(sums.processed)});
    good = good && sums.counted == sums.processed;
  }
  table.print();
  return good;
}

}  // namespace

std::optional<NewEvent> read_log_line(std::string_view line) {
  Timestamp time;
  if (line.size() < 21 || line[19] != ' ' || !read_log_time(line.substr(0, 19), time)) return std::nullopt;
  line.remove_prefix(20);
  const auto word = [&] {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view found = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return found;
  };
  const std::string action(word());
  if (action.empty()) return std::nullopt;
  if (action == "status") word();  // the state
  const std::string_view package = word();
  for (const char c : package)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e || c == '"' || c == '\\')
      return std::nullopt;
  return NewEvent{action, fmt::format("{{\"package\":\"{}\"}}", package), time};
}

void process_log(Database& db) {
  for (bool more = true; more;) {
    db.write([&](Transaction& tx) {
      auto group = tx.stream("log").group("audit");
      const Poll polled = group.poll({.limit = 20});
      // A second effect of an event would break the primary key.
      for (const Event& event : polled.events)
        tx.sql("INSERT INTO log_effect VALUES(?, ?)", static_cast<std::int64_t>(*event.offset), event.key);
      more = !polled.events.empty();
      if (more) group.commit(polled);
    });
  }
}

bool run_log_part(const std::string& directory, std::uint64_t seed) {
  heading("a stream, a window over it, and a group whose consumer is killed with -9");
  std::int64_t events = 0;
  {
    Database db = Database::open(directory);
    events = append_log(db);
    db.close();
  }
  std::mt19937_64 random(seed);
  bool good = true;
  for (int i = 1; i <= log_kills; ++i) {
    const bool killed =
        run_child_and_kill(directory, std::chrono::milliseconds(std::uniform_int_distribution(100, 600)(random)));
    Database db = Database::open(directory);
    const auto place = static_cast<std::int64_t>(db.stream("log").group("audit").lag().committed);
    const auto effects = db.sql("SELECT count(*) FROM log_effect").one<std::int64_t>();
    fmt::print("  kill {}: the group is at {}, with {} effects{}\n", i, grouped(place), grouped(effects),
               killed ? "" : " (the child had finished)");
    good = good && place == effects;
    if (i == log_kills) {
      process_log(db);
      const auto all = db.sql("SELECT count(*) FROM log_effect").one<std::int64_t>();
      fmt::print("  brought to its end: {} of {} events processed once each\n", grouped(all), grouped(events));
      good = print_actions(db) && good && all == events;
    }
    db.close();
  }
  if (!good) fmt::print("  WRONG: events, window and effects differ\n");
  return good;
}

}  // namespace stele::demo
