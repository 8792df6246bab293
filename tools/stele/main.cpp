// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The program `stele`.
#include "engine/base/error.h"
#include "tools/stele/commands.h"
#include "tools/stele/exit_code.h"
#include "tools/stele/help.h"
#include "tools/stele/lines.h"
#include "tools/stele/wording.h"

#include <stele/version.h>

#include <CLI/CLI.hpp>

#include <unistd.h>
#include <exception>
#include <new>

namespace stele::tool {

namespace {

/// One line, whatever the message holds, and not too long to read.
int complain(const std::string& message, int code) {
  constexpr std::size_t shown = 1500;
  const std::string line = message.size() <= shown ? message : message.substr(0, shown / 2) + " … " + message.substr(message.size() - shown / 2);
  try {
    write_to(STDERR_FILENO, "stele: " + printable(line, Lines::one) + "\n");
  } catch (const Error&) {
    // The exit code still says it.
  }
  return code;
}

int say(std::string_view text) {
  write_to(STDOUT_FILENO, text);
  return exit_ok;
}

std::string unknown_argument(const std::string& command, const std::string& argument) {
  const std::string help = command.empty() ? "stele --help" : "stele " + command + " --help";
  if (command == "exec" && argument == "--read-only")
    return "exec: --read-only is not offered yet; {\"op\":\"begin\",\"read_only\":true} begins what cannot write";
  return text(command, command.empty() ? "" : ": ", "unknown ", argument.starts_with('-') ? "option " : "argument ",
              argument, " (", help, " tells what there is)");
}

struct Arguments {
  ExecArguments exec;
  CheckArguments check;
  std::string durability = "sync";
  bool no_create = false;
  bool help = false;
  bool version = false;
};

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", arguments.help);
  app.add_flag("--version", arguments.version);
  auto command = [&](const char* name, std::string& directory) {
    CLI::App* added = app.add_subcommand(name);
    added->set_help_flag();
    added->add_flag("-h,--help", arguments.help);
    added->add_option("DIR", directory);
    return added;
  };
  CLI::App* exec = command("exec", arguments.exec.directory);
  exec->add_flag("--no-create", arguments.no_create);
  exec->add_option("--durability", arguments.durability)->check(CLI::IsMember({"sync", "relaxed"}));
  CLI::App* check = command("check", arguments.check.directory);
  check->add_flag("--deep", arguments.check.deep);
  check->add_flag("--json", arguments.check.json);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return complain(unknown_argument(exec->parsed()    ? "exec"
                                     : check->parsed() ? "check"
                                                       : "",
                                     app.remaining(true).front()),
                    exit_usage);
  } catch (const CLI::ParseError& error) {
    return complain(text(error.what(), " (stele --help tells what there is)"), exit_usage);
  }
  if (arguments.help) return say(exec->parsed() ? exec_help() : check->parsed() ? check_help : main_help);
  if (arguments.version) return say(text("stele ", version(), "\n"));
  for (const CLI::App* parsed : {exec, check})
    if (parsed->parsed() && parsed->count("DIR") == 0)
      return complain(text(parsed->get_name(), ": DIR is missing: stele ", parsed->get_name(), " DIR"), exit_usage);
  if (exec->parsed()) {
    arguments.exec.options.create_if_missing = !arguments.no_create;
    if (arguments.durability == "relaxed") arguments.exec.options.durability = Durability::relaxed;
    return exec_command(arguments.exec);
  }
  if (check->parsed()) return check_command(arguments.check);
  return complain("no command; stele --help tells what there is", exit_usage);
}

}  // namespace
}  // namespace stele::tool

int main(int argc, char** argv) {
  using namespace stele;
  tool::guard_standard_files();
  try {
    return tool::run(argc, argv);
  } catch (const Error& error) {
    return tool::complain(text(name(error.code()), ": ", tool::wording(error)), tool::exit_code(error.code()));
  } catch (const std::bad_alloc&) {
    return tool::complain("out of memory", tool::exit_store);
  } catch (const std::exception& error) {
    return tool::complain(error.what(), tool::exit_store);
  }
}
