// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Lines in and out by file descriptor: no buffer of the C library that would hide what could not be written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::tool {

class LineReader {
 public:
  LineReader(int fd, std::size_t line_bytes_max) : fd_(fd), line_bytes_max_(line_bytes_max) {}

  enum class Result { line, too_long, end };
  /// The next line without its end; of one that is too long nothing is kept.
  Result next(std::string& line);

  /// True when the next call need not wait for input.
  bool has_line() const { return buffer_.find('\n', begin_) != std::string::npos; }

 private:
  bool fill();

  int fd_;
  std::size_t line_bytes_max_;
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
