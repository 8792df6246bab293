// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/steps_watch.h"

#include "engine/base/step.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>

namespace stele::crash {

namespace {

struct Watch {
  std::mutex mutex;
  std::map<std::string, std::uint64_t, std::less<>> times;
  std::string name;
  std::uint64_t n = 0;
};

Watch& watch() {
  static Watch* const one = new Watch;  // steps may still come while statics are destroyed
  return *one;
}

void on_step(std::string_view name) {
  Watch& w = watch();
  std::lock_guard guard(w.mutex);
  auto found = w.times.find(name);
  if (found == w.times.end()) found = w.times.emplace(std::string(name), 0).first;
  if (++found->second == w.n && name == w.name) ::kill(::getpid(), SIGKILL);
}

}  // namespace

void watch_steps(const std::string& kill_at) {
  const auto colon = kill_at.rfind(':');
  if (colon != std::string::npos) {
    watch().name = kill_at.substr(0, colon);
    watch().n = std::stoull(kill_at.substr(colon + 1));
  }
  step_hook.store(on_step);
}

void print_steps() {
  std::lock_guard guard(watch().mutex);
  for (const auto& [name, times] : watch().times)
    std::printf("step %s %llu\n", name.c_str(), static_cast<unsigned long long>(times));
}

}  // namespace stele::crash
