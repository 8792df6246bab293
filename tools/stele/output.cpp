// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/output.h"

#include "tools/stele/lines.h"

#include <chrono>
#include <utility>

namespace stele::tool {

namespace {

constexpr std::size_t held_bytes_max = 64u << 10;
constexpr auto held_for_max = std::chrono::milliseconds(1);

}  // namespace

Output::~Output() {
  {
    std::lock_guard guard(mutex_);
    done_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Output::put(std::string_view line, When when) {
  std::lock_guard guard(mutex_);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  held_ += line;
  if (when == When::now || held_.size() >= held_bytes_max) {
    write_held();
  } else if (held_.size() == line.size()) {
    changed_.notify_one();
  }
  return heard_;
}

void Output::write_in_time() noexcept {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return done_ || !held_.empty(); });
    if (held_.empty()) return;
    changed_.wait_for(guard, held_for_max, [this] { return done_; });
    try {
      write_held();
    } catch (...) {  // for the next put()
      failure_ = std::current_exception();
    }
  }
}

void Output::write_held() {
  const std::string held = std::exchange(held_, {});  // gone, too, when nobody reads: write_in_time() waits for that
  heard_ = heard_ && write_to(fd_, held);
}

}  // namespace stele::tool
