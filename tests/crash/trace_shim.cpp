// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Appends every file operation of the store to STELE_TRACE_FILE, and every line of STELE_TRACE_ACKNOWLEDGEMENTS in its
// place between them. One lock orders operations and records. At record STELE_TRACE_KILL_AT of the session the process
// is killed with the lock held, so that store and trace agree when the next session goes on. sync_file_range promises
// nothing and is not recorded; a sync lasts STELE_TRACE_SYNC_US longer, so that commits gather behind it.
#include "tests/crash/interpose.h"
#include "tests/crash/trace.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>

namespace stele::shim {

namespace {

using crash::TraceHeader;
using crash::TraceKind;

std::uint64_t setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : 0;
}

class Trace {
 public:
  Trace() : kill_at_(setting("STELE_TRACE_KILL_AT")), sync_us_(setting("STELE_TRACE_SYNC_US")) {
    const char* file = std::getenv("STELE_TRACE_FILE");
    if (!file) std::abort();
    auto* const open = reinterpret_cast<int (*)(const char*, int, ...)>(next("open64"));
    fd_ = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) std::abort();
    add(TraceKind::session, 0, 0, {});
  }

  /// Holder of `mutex` only.
  void add(TraceKind kind, std::uint32_t handle, std::uint64_t offset, std::string_view data) {
    TraceHeader header{kind, handle, offset, static_cast<std::uint32_t>(data.size())};
    iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(data.data()), data.size()}};
    static auto* const writev = reinterpret_cast<ssize_t (*)(int, const iovec*, int)>(next("writev"));
    if (writev(fd_, parts, data.empty() ? 1 : 2) != static_cast<ssize_t>(sizeof header + data.size())) std::abort();
    if (++records_ == kill_at_) ::kill(::getpid(), SIGKILL);
  }

  std::uint64_t next_sync() { return ++syncs_; }
  std::uint64_t sync_us() const { return sync_us_; }

  std::mutex mutex;

 private:
  int fd_ = -1;
  std::uint64_t records_ = 0;
  std::uint64_t kill_at_;
  std::uint64_t sync_us_;
  std::uint64_t syncs_ = 0;
};

Trace& trace() {
  static Trace* const one = new Trace;
  return *one;
}

long opened(Call& call) {
  std::lock_guard guard(trace().mutex);
  struct stat before;
  const bool existed = ::stat(call.path.c_str(), &before) == 0;
  const long fd = call.perform();
  if (fd < 0) return fd;
  const std::uint32_t handle = handle_of(static_cast<int>(fd));
  if (existed && S_ISDIR(before.st_mode)) {
    trace().add(TraceKind::open_directory, handle, 0, call.path);
  } else {
    trace().add(existed ? TraceKind::open : TraceKind::create, handle, 0, call.path);
    if (existed && (call.flags & O_TRUNC)) trace().add(TraceKind::truncate, handle, 0, {});
  }
  return fd;
}

long written(Call& call) {
  const std::uint32_t handle = handle_of(call.fd);
  std::lock_guard guard(trace().mutex);
  const off_t offset = call.positioned ? call.offset : ::lseek(call.fd, 0, SEEK_CUR);
  const long n = call.perform();
  if (n <= 0) return n;
  const std::string_view data(static_cast<const char*>(call.data), static_cast<std::size_t>(n));
  static const char* const acknowledgements = std::getenv("STELE_TRACE_ACKNOWLEDGEMENTS");
  const bool line = acknowledgements && call.path == acknowledgements;
  trace().add(line ? TraceKind::acknowledge : TraceKind::write, handle, static_cast<std::uint64_t>(offset), data);
  return n;
}

long synced(Call& call) {
  const std::uint32_t handle = handle_of(call.fd);
  std::uint64_t number;
  {
    std::lock_guard guard(trace().mutex);
    number = trace().next_sync();
    trace().add(TraceKind::sync_begin, handle, number, {});
  }
  ::usleep(static_cast<useconds_t>(trace().sync_us()));
  const long result = call.perform();
  std::lock_guard guard(trace().mutex);
  if (result == 0) trace().add(TraceKind::sync_end, handle, number, {});
  return result;
}

long resized(Call& call) {
  const std::uint32_t handle = handle_of(call.fd);
  std::lock_guard guard(trace().mutex);
  const long result = call.perform();
  struct stat now;
  const bool kept = call.operation == Operation::allocate && (call.flags & FALLOC_FL_KEEP_SIZE);
  if (result == 0 && !kept && ::fstat(call.fd, &now) == 0)
    trace().add(TraceKind::truncate, handle, static_cast<std::uint64_t>(now.st_size), {});
  return result;
}

long renamed(Call& call, TraceKind kind) {
  std::lock_guard guard(trace().mutex);
  const long result = call.perform();
  if (result == 0) trace().add(kind, 0, 0, kind == TraceKind::rename ? call.path + '\0' + call.other : call.path);
  return result;
}

}  // namespace

long handle(Call& call) {
  switch (call.operation) {
    case Operation::open: return opened(call);
    case Operation::write: return written(call);
    case Operation::sync: return synced(call);
    case Operation::truncate:
    case Operation::allocate: return resized(call);
    case Operation::rename: return renamed(call, TraceKind::rename);
    case Operation::unlink: return renamed(call, TraceKind::unlink);
    case Operation::mkdir: return renamed(call, TraceKind::mkdir);
    case Operation::rmdir: return renamed(call, TraceKind::rmdir);
    case Operation::read: break;
  }
  return call.perform();
}

}  // namespace stele::shim
