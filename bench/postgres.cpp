// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/postgres.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stele::bench {

namespace {

/// Of the newest version that is installed; empty when none is.
std::string programs() {
  std::string newest;
  double newest_version = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const double version = std::atof(entry.path().filename().c_str());
    const std::string bin = entry.path().string() + "/bin/";
    if (version <= newest_version || !std::filesystem::exists(bin + "initdb")) continue;
    newest_version = version;
    newest = bin;
  }
  return newest;
}

void run_shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

/// `command` in a shell, with a pipe to or from it.
class Pipe {
 public:
  Pipe(const std::string& command, const char* mode) : command_(command), file_(::popen(command.c_str(), mode)) {
    if (!file_) throw std::system_error(errno, std::generic_category(), command);
  }
  Pipe(const Pipe&) = delete;
  ~Pipe() {
    if (file_) ::pclose(file_);
  }

  std::FILE* file() { return file_; }
  void finish() {
    if (::pclose(std::exchange(file_, nullptr)) != 0) throw std::runtime_error("failed: " + command_);
  }

 private:
  const std::string command_;
  std::FILE* file_;
};

}  // namespace

bool Postgres::installed() { return !programs().empty(); }

std::unique_ptr<Postgres> Postgres::start() {
  std::string directory = "/var/tmp/stele-bench-postgres-XXXXXX";
  if (!::mkdtemp(directory.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + directory);
  std::unique_ptr<Postgres> postgres(new Postgres(directory));
  if (::geteuid() == 0) {
    const passwd* owner = ::getpwnam("postgres");
    if (!owner || ::chown(directory.c_str(), owner->pw_uid, owner->pw_gid) != 0)
      throw std::runtime_error("PostgreSQL does not run as root, and there is no user postgres to run as");
  }
  postgres->control("init -o '-U postgres -A trust -E UTF8 --no-locale --no-sync'");
  postgres->control("start -w -o \"-k " + directory + " -c listen_addresses=''\"");
  return postgres;
}

Postgres::~Postgres() {
  try {
    control("stop -m immediate");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  std::error_code left;
  std::filesystem::remove_all(directory_, left);
}

void Postgres::control(const std::string& arguments) const {
  std::string command = "cd " + directory_ + " && ";
  if (::geteuid() == 0) command += "runuser -u postgres -- ";
  command += programs() + "pg_ctl -s -D " + directory_ + "/data -l " + directory_ + "/log ";
  run_shell(command + arguments + " >/dev/null");
}

std::string Postgres::psql() const {
  return programs() + "psql -X -q -A -t -v ON_ERROR_STOP=1 -h " + directory_ + " -U postgres ";
}

void Postgres::execute(const std::string& statements) {
  Pipe pipe(psql(), "w");
  std::fputs(statements.c_str(), pipe.file());
  pipe.finish();
}

void Postgres::copy(const std::string& table, std::uint32_t count,
                    const std::function<std::string(std::uint32_t)>& line) {
  Pipe pipe(psql() + "-c 'COPY " + table + " FROM STDIN'", "w");
  for (std::uint32_t i = 0; i < count; ++i) std::fprintf(pipe.file(), "%s\n", line(i).c_str());
  pipe.finish();
}

Postgres::Answer Postgres::query(const std::string& select) {
  const std::string script = directory_ + "/query.sql";
  if (std::FILE* file = std::fopen(script.c_str(), "w")) {
    // EXPLAIN plans it, so that the catalog is in the new connection's caches.
    std::fprintf(file,
                 "PREPARE query AS %s;\n\\o /dev/null\nEXPLAIN EXECUTE query;\n\\o\n\\timing on\nEXECUTE query;\n",
                 select.c_str());
    std::fclose(file);
  }
  Answer answer;
  Pipe pipe(psql() + "-f " + script, "r");
  char* line = nullptr;
  std::size_t room = 0;
  for (ssize_t length; (length = ::getline(&line, &room, pipe.file())) > 0;) {
    double milliseconds = 0;
    if (std::sscanf(line, "Time: %lf ms", &milliseconds) == 1)
      answer.seconds = milliseconds / 1e3;
    else
      answer.rows.emplace_back(line, static_cast<std::size_t>(length) - 1);
  }
  std::free(line);
  pipe.finish();
  if (answer.seconds <= 0) throw std::runtime_error("psql gave no time");
  return answer;
}

}  // namespace stele::bench
