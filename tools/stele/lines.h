// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Lines in and out by file descriptor: no buffer of the C library that would hide what could not be written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace stele::tool {

class LineReader {
 public:
  /// When `end_fd` can be read, that is the end of input.
  LineReader(int fd, std::size_t line_bytes_max, int end_fd) : fd_(fd), line_bytes_max_(line_bytes_max), end_fd_(end_fd) {}

  enum class Result { line, too_long, end };
  /// The next line without its end; of one that is too long nothing is kept.
  Result next(std::string& line);

  /// True when the next call need not wait for input.
  bool has_line() const { return buffer_.find('\n', begin_) != std::string::npos; }
  /// True when input was read since this was asked last: the client has gone on, or a file is long.
  bool has_read() { return std::exchange(read_, false); }

 private:
  bool fill();
  bool wait_for_input();  // false at its end

  int fd_;
  std::size_t line_bytes_max_;
  int end_fd_;
  bool read_ = false;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what is not yet read
  bool ended_ = false;
};

/// False when nobody reads it any more. Throws io, full.
bool write_to(int fd, std::string_view bytes);

/// Opens what is closed of 0, 1 and 2, so that no file of the database gets such a number; and makes a write to a
/// closed pipe an error instead of the process's end.
void guard_standard_files();

}  // namespace stele::tool
