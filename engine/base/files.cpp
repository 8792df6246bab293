// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/files.h"

#include "engine/base/error.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace stele {

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File open_file(const std::string& path, int flags, int mode) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) fail_errno("open", path, errno);
  return File(fd);
}

std::string read_file(const std::string& path) {
  File file = open_file(path, O_RDONLY);
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.fd(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("read", path, errno);
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
}

std::optional<std::string> read_file_if_there(const std::string& path) {
  if (!exists(path)) return std::nullopt;
  return read_file(path);
}

void write_all_at(const File& file, const std::string& path, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_errno("write", path, n < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void sync_data(const File& file, const std::string& path) {
  // Never repeated after a failure: the kernel drops the dirty pages and the next call succeeds.
  if (::fdatasync(file.fd()) != 0) fail_errno("fdatasync", path, errno);
}

void sync_directory(const std::string& path) {
  File directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fsync(directory.fd()) != 0) fail_errno("fsync", path, errno);
}

namespace {
std::string parent_of(const std::string& path) {
  auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}
}  // namespace

void replace_file(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  remove_file(temporary);
  {
    File file = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL);
    write_all_at(file, temporary, bytes, 0);
    sync_data(file, temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail_errno("rename", path, errno);
  sync_directory(parent_of(path));
}

void create_synced_file(const std::string& path, std::string_view bytes) {
  {
    File file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
    write_all_at(file, path, bytes, 0);
    sync_data(file, path);
  }
  sync_directory(parent_of(path));
}

bool exists(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  fail_errno("stat", path, errno);
}

bool is_directory(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) fail_errno("mkdir", path, errno);
  sync_directory(parent_of(path));
}

std::vector<std::string> list_directory(const std::string& path) {
  File opened = open_file(path, O_RDONLY | O_DIRECTORY);
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(opened.fd()), &::closedir);
  if (!directory) fail_errno("opendir", path, errno);
  (void)opened.release();  // closedir() closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail_errno("readdir", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_errno("unlink", path, errno);
}

void remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) fail_errno("remove", path, error.value());
}

std::uint64_t file_size(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace stele
