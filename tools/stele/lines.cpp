// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/lines.h"

#include "engine/base/error.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

namespace stele::tool {

namespace {
constexpr std::size_t read_bytes = 64u << 10;
}

bool LineReader::wait_for_input() {
  pollfd ready[] = {{fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
  int found;
  do {
    found = ::poll(ready, 2, -1);
  } while (found < 0 && errno == EINTR);
  if (found < 0) fail_errno("wait for", "standard input", errno);
  return ready[1].revents == 0;
}

bool LineReader::fill() {
  if (ended_ || (ended_ = !wait_for_input())) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + read_bytes);
  ssize_t n;
  do {
    n = ::read(fd_, buffer_.data() + old, read_bytes);
  } while (n < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(old + static_cast<std::size_t>(n > 0 ? n : 0));
  if (n < 0) fail_errno("read", "standard input", error);
  read_ = true;
  ended_ = n == 0;
  return !ended_;
}

LineReader::Result LineReader::next(std::string& line) {
  bool too_long = false;
  std::size_t searched = begin_;
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      too_long = too_long || end - begin_ > line_bytes_max_;
      if (!too_long) line.assign(buffer_, begin_, end - begin_);
      begin_ = end + 1;
      return too_long ? Result::too_long : Result::line;
    }
    if (buffer_.size() - begin_ > line_bytes_max_) {
      too_long = true;
      buffer_.clear();
      begin_ = 0;
    }
    const std::size_t waiting = buffer_.size() - begin_;
    if (!fill()) break;
    searched = waiting;
  }
  if (too_long) {
    buffer_.clear();
    begin_ = 0;
    return Result::too_long;
  }
  if (begin_ == buffer_.size()) return Result::end;
  line.assign(buffer_, begin_);
  buffer_.clear();
  begin_ = 0;
  return Result::line;
}

bool write_to(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EPIPE || errno == EBADF)) return false;
    if (n < 0) fail_errno("write", "standard output", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void guard_standard_files() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // Closed output stays one that cannot be written to.
    const int opened = ::open("/dev/null", O_RDONLY);
    if (opened != fd && opened >= 0) ::dup2(opened, fd);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace stele::tool
