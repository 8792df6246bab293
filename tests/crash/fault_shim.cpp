// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Counts the store's file operations and makes one fail: number STELE_FAULT_AT (from 1), with STELE_FAULT_MODE eio,
// enospc, short (half a write, then success) or kill; STELE_FAULT_STICKY=1: and all after it. The number of operations,
// and what the faulted one was, go to STELE_FAULT_REPORT when the process ends, or at the fault.
#include "tests/crash/interpose.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>

namespace stele::shim {

namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

struct Plan {
  std::uint64_t at = std::strtoull(setting("STELE_FAULT_AT").c_str(), nullptr, 10);
  std::string mode = setting("STELE_FAULT_MODE");
  bool sticky = setting("STELE_FAULT_STICKY") == "1";
  std::string report = setting("STELE_FAULT_REPORT");
  std::atomic<std::uint64_t> count{0};
};

Plan& plan() {
  static Plan* const one = new Plan;
  return *one;
}

void report(const std::string& line) {
  if (plan().report.empty()) return;
  auto* const open = reinterpret_cast<int (*)(const char*, int, ...)>(next("open64"));
  const int fd = open(plan().report.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  auto* const write = reinterpret_cast<ssize_t (*)(int, const void*, std::size_t)>(next("write"));
  if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  ::close(fd);
}

[[gnu::destructor]] void report_count() { report("operations " + std::to_string(plan().count.load()) + "\n"); }

}  // namespace

long handle(Call& call) {
  const std::uint64_t n = ++plan().count;
  // What needs no space never meets a full disk.
  const bool spared =
      plan().mode == "enospc" && (call.operation == Operation::read || call.operation == Operation::unlink ||
                                  (call.operation == Operation::open && (call.flags & O_CREAT) == 0));
  const bool hit = !spared && plan().at != 0 && (n == plan().at || (plan().sticky && n > plan().at));
  if (!hit) return call.perform();
  if (n == plan().at) report("fault " + std::string(name(call.operation)) + " " + call.path + "\n");
  if (plan().mode == "kill") ::kill(::getpid(), SIGKILL);
  if (plan().mode == "short" && call.operation == Operation::write && call.size > 1) {
    call.size /= 2;
    return call.perform();
  }
  errno = plan().mode == "enospc" ? ENOSPC : EIO;
  return -1;
}

}  // namespace stele::shim
