// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The few file operations the engine does itself. All open with O_CLOEXEC | O_NOFOLLOW; all throw
// io or full, naming file and operation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// A file descriptor that closes itself.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&& other) noexcept;
  ~File();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  /// Gives the descriptor up without closing it.
  int release() { int fd = fd_; fd_ = -1; return fd; }

 private:
  int fd_ = -1;
};

File open_file(const std::string& path, int flags, int mode = 0600);
std::string read_file(const std::string& path);                       // whole
std::optional<std::string> read_file_if_there(const std::string& path);
void write_all_at(const File& file, const std::string& path, std::string_view bytes, std::uint64_t offset);
void sync_data(const File& file, const std::string& path);            // fdatasync
void sync_directory(const std::string& path);

/// Temporary name, write, fsync, rename, fsync of the directory: the file is the old or the new one.
void replace_file(const std::string& path, std::string_view bytes);

/// Writes and syncs a new file and its directory entry.
void create_synced_file(const std::string& path, std::string_view bytes);

bool exists(const std::string& path);
bool is_directory(const std::string& path);      // not through a symbolic link
void make_directory(const std::string& path);    // 0700, its parent synced
std::vector<std::string> list_directory(const std::string& path);  // names, sorted, without . and ..
void remove_file(const std::string& path);       // absent is fine
void remove_tree(const std::string& path);       // absent is fine; symbolic links are not followed
std::uint64_t file_size(const std::string& path);  // 0 when absent

}  // namespace stele
