// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/watches.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stele::transaction {

Watch::Watch(Watches& watches, std::string state_key, WakeAt at)
    : watches_(watches), state_key_(std::move(state_key)), at_(at) {
  std::lock_guard guard(watches_.mutex_);
  watches_.all_.push_back(this);
  watches_.count_.fetch_add(1);
}

Watch::~Watch() {
  {
    std::lock_guard guard(watches_.mutex_);
    std::erase(watches_.all_, this);
    watches_.count_.fetch_sub(1);
  }
  if (file_ >= 0) ::close(file_);
}

void Watch::follow(std::string state_key) {
  std::lock_guard guard(watches_.mutex_);
  state_key_ = std::move(state_key);
}

bool Watch::wait(std::chrono::steady_clock::time_point until, const std::stop_token& stop) {
  std::unique_lock guard(mutex_);
  const bool told = woken_.wait_until(guard, stop, until, [&] { return told_; });
  told_ = false;
  return told;
}

void Watch::expect(std::uint64_t gseq) {
  std::lock_guard guard(watches_.mutex_);
  committed_ = std::max(committed_, gseq);
}

int Watch::file() {
  std::lock_guard guard(mutex_);
  if (file_ < 0) {
    file_ = ::eventfd(told_ ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (file_ < 0)
      fail(ErrorCode::full, text("stream: an eventfd cannot be made (errno ", errno, "); close other files"));
  }
  return file_;
}

void Watch::clear() {
  std::lock_guard guard(mutex_);
  told_ = false;
  std::uint64_t count;
  if (file_ >= 0) (void)!::read(file_, &count, sizeof count);
}

void Watch::raise() noexcept {
  {
    std::lock_guard guard(mutex_);
    told_ = true;
    const std::uint64_t one = 1;
    if (file_ >= 0) (void)!::write(file_, &one, sizeof one);
  }
  woken_.notify_one();
}

void Watches::published(std::string_view state_key, std::uint64_t gseq) noexcept {
  std::lock_guard guard(mutex_);
  for (Watch* watch : all_) {
    if (!state_key.empty() && watch->state_key_ != state_key) continue;
    watch->committed_ = gseq;
    if (watch->at_ == WakeAt::visible) watch->raise();
  }
}

void Watches::durable(std::uint64_t gseq) noexcept {
  std::lock_guard guard(mutex_);
  for (Watch* watch : all_) {
    if (watch->at_ != WakeAt::durable || watch->committed_ == 0) continue;
    // Also when only earlier ones are durable: `committed_` may have been overtaken by a later commit.
    watch->raise();
    if (watch->committed_ <= gseq) watch->committed_ = 0;
  }
}

}  // namespace stele::transaction
