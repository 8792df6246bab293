// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/signals.h"

#include "engine/base/error.h"
#include "tools/stele/exit_code.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

namespace stele::tool {

namespace {

sigset_t only_sigint() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Signals::Signals() : end_(::eventfd(0, EFD_CLOEXEC)) {
  if (!end_) fail_errno("make", "an event for signals", errno);
  struct sigaction now = {};
  ::sigaction(SIGINT, nullptr, &now);
  if (now.sa_handler == SIG_IGN) return;  // who started this in the background wants it so
  const sigset_t set = only_sigint();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { run(); });
}

Signals::~Signals() {
  if (!thread_.joinable()) return;
  done_ = true;
  ::pthread_kill(thread_.native_handle(), SIGINT);
  thread_.join();
}

std::stop_token Signals::begin_request() {
  std::lock_guard guard(mutex_);
  request_ = std::stop_source();
  if (ending()) request_.request_stop();
  return request_.get_token();
}

void Signals::end_request() {
  std::lock_guard guard(mutex_);
  request_ = std::stop_source(std::nostopstate);
}

void Signals::forget() {
  std::lock_guard guard(mutex_);
  if (count_ == 1) count_ = 0;
}

void Signals::run() {
  const sigset_t set = only_sigint();
  for (int signal = 0;;) {
    ::sigwait(&set, &signal);
    if (done_) return;
    std::lock_guard guard(mutex_);
    const int count = ++count_;
    if (count > 2) ::_exit(exit_interrupted);
    request_.request_stop();
    if (count == 2) ::eventfd_write(end_.fd(), 1);
  }
}

}  // namespace stele::tool
