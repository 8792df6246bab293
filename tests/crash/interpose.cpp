// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/interpose.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace stele::shim {

namespace {

constexpr int descriptors_max = 65536;
std::atomic<std::uint32_t> handles[descriptors_max];
std::atomic<std::uint32_t> last_handle{0};

/// Leaked on purpose: calls come before and after all constructors and destructors.
struct Paths {
  std::mutex mutex;
  std::string of[descriptors_max];
};
Paths& paths() {
  static Paths* const one = new Paths;
  return *one;
}

std::string_view directory() {
  static const char* const value = std::getenv("STELE_SHIM_DIR");
  return value ? value : "";
}

bool inside(std::string_view path) {
  const std::string_view root = directory();
  if (root.empty() || !path.starts_with(root)) return false;
  return (path.size() == root.size() || path[root.size()] == '/') && !path.ends_with("-shm");
}

std::string path_of(int fd) {
  std::lock_guard guard(paths().mutex);
  return paths().of[fd];
}

std::string at(int directory_fd, const char* path) {
  if (path[0] == '/' || directory_fd == AT_FDCWD) return path;
  char link[64], target[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", directory_fd);
  const ssize_t n = ::readlink(link, target, sizeof target);
  return n < 0 ? std::string(path) : std::string(target, static_cast<std::size_t>(n)) + "/" + path;
}

template <class Function>
Function* libc(const char* symbol) {
  return reinterpret_cast<Function*>(next(symbol));
}

void remember(int fd, const std::string& path) {
  if (fd < 0 || fd >= descriptors_max) return;
  const bool tracked = inside(path);
  {
    std::lock_guard guard(paths().mutex);
    paths().of[fd] = tracked ? path : "";
  }
  handles[fd] = tracked ? ++last_handle : 0;
}

/// Before it is closed: another thread may get the number at once.
void forget(int fd) {
  if (fd >= 0 && fd < descriptors_max) handles[fd] = 0;
}

int open_any(int directory_fd, const char* path, int flags, mode_t mode) {
  Call call{.operation = Operation::open, .path = at(directory_fd, path), .flags = flags, .mode = mode};
  call.real = [](Call& c) -> long {
    static auto* const real = libc<int(int, const char*, int, ...)>("openat64");
    const int fd = real(AT_FDCWD, c.path.c_str(), c.flags, c.mode);
    const int error = errno;
    remember(fd, c.path);
    c.fd = fd;
    errno = error;
    return fd;
  };
  return static_cast<int>(inside(call.path) ? handle(call) : call.perform());
}

ssize_t write_any(int fd, const void* data, std::size_t size, off_t offset, bool positioned) {
  Call call{
      .operation = Operation::write, .fd = fd, .data = data, .size = size, .offset = offset, .positioned = positioned};
  call.real = [](Call& c) -> long {
    static auto* const pwrite = libc<ssize_t(int, const void*, std::size_t, off_t)>("pwrite64");
    static auto* const write = libc<ssize_t(int, const void*, std::size_t)>("write");
    return c.positioned ? pwrite(c.fd, c.data, c.size, c.offset) : write(c.fd, c.data, c.size);
  };
  if (handle_of(fd) == 0) return call.perform();
  call.path = path_of(fd);
  return handle(call);
}

ssize_t read_any(int fd, void* buffer, std::size_t size, off_t offset, bool positioned) {
  Call call{.operation = Operation::read,
            .fd = fd,
            .buffer = buffer,
            .size = size,
            .offset = offset,
            .positioned = positioned};
  call.real = [](Call& c) -> long {
    static auto* const pread = libc<ssize_t(int, void*, std::size_t, off_t)>("pread64");
    static auto* const read = libc<ssize_t(int, void*, std::size_t)>("read");
    return c.positioned ? pread(c.fd, c.buffer, c.size, c.offset) : read(c.fd, c.buffer, c.size);
  };
  if (handle_of(fd) == 0) return call.perform();
  call.path = path_of(fd);
  return handle(call);
}

/// A call on a descriptor that needs nothing else but an offset and a length.
int on_descriptor(Operation operation, int fd, long (*real)(Call&), off_t offset = 0, std::size_t size = 0,
                  int flags = 0) {
  Call call{.operation = operation, .fd = fd, .flags = flags, .size = size, .offset = offset, .real = real};
  if (handle_of(fd) == 0) return static_cast<int>(call.perform());
  call.path = path_of(fd);
  return static_cast<int>(handle(call));
}

int on_path(Operation operation, std::string path, long (*real)(Call&), mode_t mode = 0, std::string other = {}) {
  Call call{.operation = operation, .path = std::move(path), .other = std::move(other), .mode = mode, .real = real};
  return static_cast<int>(inside(call.path) || inside(call.other) ? handle(call) : call.perform());
}

int truncate_fd(int fd, off_t size) {
  return on_descriptor(
      Operation::truncate, fd,
      [](Call& c) -> long {
        static auto* const real = libc<int(int, off_t)>("ftruncate64");
        return real(c.fd, c.offset);
      },
      size);
}

int allocate_fd(int fd, int mode, off_t offset, off_t size) {
  return on_descriptor(
      Operation::allocate, fd,
      [](Call& c) -> long {
        static auto* const real = libc<int(int, int, off_t, off_t)>("fallocate64");
        return real(c.fd, c.flags, c.offset, static_cast<off_t>(c.size));
      },
      offset, static_cast<std::size_t>(size), mode);
}

int unlink_path(std::string path) {
  return on_path(Operation::unlink, std::move(path), [](Call& c) -> long {
    static auto* const real = libc<int(const char*)>("unlink");
    return real(c.path.c_str());
  });
}

int rmdir_path(std::string path) {
  return on_path(Operation::rmdir, std::move(path), [](Call& c) -> long {
    static auto* const real = libc<int(const char*)>("rmdir");
    return real(c.path.c_str());
  });
}

}  // namespace

const char* name(Operation operation) {
  static constexpr const char* names[] = {"open",     "read",   "write",  "sync",  "truncate",
                                          "allocate", "rename", "unlink", "mkdir", "rmdir"};
  return names[static_cast<int>(operation)];
}

std::uint32_t handle_of(int fd) { return fd >= 0 && fd < descriptors_max ? handles[fd].load() : 0; }

void* next(const char* symbol) {
  void* const found = ::dlsym(RTLD_NEXT, symbol);
  if (!found) std::abort();
  return found;
}

}  // namespace stele::shim

// libc's names. They are given as assembler labels, so that the declarations of the system headers do not matter.
using namespace stele::shim;

extern "C" {

#define STELE_LIBC(type, own, symbol)                          \
  __attribute__((visibility("default"))) type own asm(symbol); \
  type own

STELE_LIBC(int, shim_open(const char* path, int flags, mode_t mode), "open") {
  return open_any(AT_FDCWD, path, flags, mode);
}
STELE_LIBC(int, shim_open64(const char* path, int flags, mode_t mode), "open64") {
  return open_any(AT_FDCWD, path, flags, mode);
}
STELE_LIBC(int, shim_open_2(const char* path, int flags), "__open_2") { return open_any(AT_FDCWD, path, flags, 0); }
STELE_LIBC(int, shim_open64_2(const char* path, int flags), "__open64_2") { return open_any(AT_FDCWD, path, flags, 0); }
STELE_LIBC(int, shim_openat(int fd, const char* path, int flags, mode_t mode), "openat") {
  return open_any(fd, path, flags, mode);
}
STELE_LIBC(int, shim_openat64(int fd, const char* path, int flags, mode_t mode), "openat64") {
  return open_any(fd, path, flags, mode);
}

STELE_LIBC(ssize_t, shim_write(int fd, const void* data, size_t size), "write") {
  return write_any(fd, data, size, 0, false);
}
STELE_LIBC(ssize_t, shim_pwrite(int fd, const void* data, size_t size, off_t offset), "pwrite") {
  return write_any(fd, data, size, offset, true);
}
STELE_LIBC(ssize_t, shim_pwrite64(int fd, const void* data, size_t size, off_t offset), "pwrite64") {
  return write_any(fd, data, size, offset, true);
}
STELE_LIBC(ssize_t, shim_read(int fd, void* buffer, size_t size), "read") {
  return read_any(fd, buffer, size, 0, false);
}
STELE_LIBC(ssize_t, shim_pread(int fd, void* buffer, size_t size, off_t offset), "pread") {
  return read_any(fd, buffer, size, offset, true);
}
STELE_LIBC(ssize_t, shim_pread64(int fd, void* buffer, size_t size, off_t offset), "pread64") {
  return read_any(fd, buffer, size, offset, true);
}

STELE_LIBC(int, shim_fsync(int fd), "fsync") {
  return on_descriptor(Operation::sync, fd, [](Call& c) -> long {
    static auto* const real = reinterpret_cast<int (*)(int)>(next("fsync"));
    return real(c.fd);
  });
}
STELE_LIBC(int, shim_fdatasync(int fd), "fdatasync") {
  return on_descriptor(Operation::sync, fd, [](Call& c) -> long {
    static auto* const real = reinterpret_cast<int (*)(int)>(next("fdatasync"));
    return real(c.fd);
  });
}

STELE_LIBC(int, shim_ftruncate(int fd, off_t size), "ftruncate") { return truncate_fd(fd, size); }
STELE_LIBC(int, shim_ftruncate64(int fd, off_t size), "ftruncate64") { return truncate_fd(fd, size); }
STELE_LIBC(int, shim_fallocate(int fd, int mode, off_t offset, off_t size), "fallocate") {
  return allocate_fd(fd, mode, offset, size);
}
STELE_LIBC(int, shim_fallocate64(int fd, int mode, off_t offset, off_t size), "fallocate64") {
  return allocate_fd(fd, mode, offset, size);
}
STELE_LIBC(int, shim_posix_fallocate(int fd, off_t offset, off_t size), "posix_fallocate") {
  return allocate_fd(fd, 0, offset, size) == 0 ? 0 : errno;
}
STELE_LIBC(int, shim_posix_fallocate64(int fd, off_t offset, off_t size), "posix_fallocate64") {
  return allocate_fd(fd, 0, offset, size) == 0 ? 0 : errno;
}

STELE_LIBC(int, shim_rename(const char* from, const char* to), "rename") {
  return on_path(
      Operation::rename, from,
      [](Call& c) -> long {
        static auto* const real = reinterpret_cast<int (*)(const char*, const char*)>(next("rename"));
        return real(c.path.c_str(), c.other.c_str());
      },
      0, to);
}
STELE_LIBC(int, shim_unlink(const char* path), "unlink") { return unlink_path(path); }
STELE_LIBC(int, shim_rmdir(const char* path), "rmdir") { return rmdir_path(path); }
STELE_LIBC(int, shim_unlinkat(int fd, const char* path, int flags), "unlinkat") {
  return flags & AT_REMOVEDIR ? rmdir_path(at(fd, path)) : unlink_path(at(fd, path));
}
STELE_LIBC(int, shim_mkdir(const char* path, mode_t mode), "mkdir") {
  return on_path(
      Operation::mkdir, path,
      [](Call& c) -> long {
        static auto* const real = reinterpret_cast<int (*)(const char*, mode_t)>(next("mkdir"));
        return real(c.path.c_str(), c.mode);
      },
      mode);
}
STELE_LIBC(int, shim_close(int fd), "close") {
  forget(fd);
  static auto* const real = reinterpret_cast<int (*)(int)>(next("close"));
  return real(fd);
}
// These two close their descriptor inside libc.
STELE_LIBC(int, shim_fclose(std::FILE* file), "fclose") {
  forget(::fileno(file));
  static auto* const real = reinterpret_cast<int (*)(std::FILE*)>(next("fclose"));
  return real(file);
}
STELE_LIBC(int, shim_closedir(DIR* directory), "closedir") {
  forget(::dirfd(directory));
  static auto* const real = reinterpret_cast<int (*)(DIR*)>(next("closedir"));
  return real(directory);
}

// Files are not changed by these; one that were would be missing from every trace.
#define STELE_REFUSED(own, symbol) \
  STELE_LIBC(int, own(), symbol) { std::abort(); }
STELE_REFUSED(shim_pwritev, "pwritev")
STELE_REFUSED(shim_pwritev64, "pwritev64")
STELE_REFUSED(shim_truncate, "truncate")
STELE_REFUSED(shim_truncate64, "truncate64")
STELE_REFUSED(shim_link, "link")
STELE_REFUSED(shim_renameat, "renameat")
STELE_REFUSED(shim_copy_file_range, "copy_file_range")

}  // extern "C"
