// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/spill_file.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/uuid.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stele::pipeline {
namespace {

constexpr std::string_view name_begin = "spill-";
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;

}  // namespace

SpillFile::SpillFile(const std::string& directory, std::uint64_t bytes_max, std::string what)
    : directory_(directory), bytes_max_(bytes_max), what_(std::move(what)) {
  if (directory.empty())
    fail(ErrorCode::too_large,
         text(what_,
              ": it needs more memory than it may use, and there is no directory for temporary files; allow more "
              "memory, or narrow the pipeline with $match and $project"),
         {{"reason", "Memory"}});
  const std::string path = text(directory, '/', name_begin, uuid_v4());
  file_ = open_file(path, O_RDWR | O_CREAT | O_EXCL);
  if (::unlink(path.c_str()) != 0) fail_errno("unlink", path, errno);
}

void SpillFile::append(std::string_view bytes) {
  if (size() + bytes.size() > bytes_max_)
    fail(ErrorCode::too_large,
         text(what_, ": its temporary file would exceed ", bytes_max_, " bytes; narrow the pipeline with $match"),
         {{"reason", "SpillLimit"}, {"limit", std::to_string(bytes_max_)}});
  if (buffer_.size() + bytes.size() >= buffer_bytes) flush();
  if (bytes.size() < buffer_bytes) {
    buffer_ += bytes;
    return;
  }
  write_all_at(file_, directory_, bytes, written_);
  written_ += bytes.size();
}

void SpillFile::flush() {
  write_all_at(file_, directory_, buffer_, written_);
  written_ += buffer_.size();
  buffer_.clear();
}

void SpillFile::read(std::uint64_t offset, std::size_t size, std::string& out) const {
  out.resize(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(file_.fd(), out.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("read", directory_, errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
}

void remove_spill_files(const std::string& directory) {
  for (const std::string& name : list_directory(directory))
    if (name.starts_with(name_begin)) remove_file(directory + '/' + name);
}

// The buffer holds at least `needed` bytes from the position on; false at the end.
bool SpillReader::fill(std::size_t needed) {
  if (buffer_.size() - position_ >= needed) return true;
  const std::size_t have = buffer_.size() - position_;
  const std::uint64_t wanted = std::min<std::uint64_t>(std::max(needed - have, buffer_bytes_), end_ - at_);
  if (wanted < needed - have) return false;
  file_->read(at_, static_cast<std::size_t>(wanted), more_);
  if (more_.size() != wanted) fail(ErrorCode::corrupt, "a temporary file of a pipeline is shorter than it was written");
  at_ += wanted;
  buffer_.erase(0, position_);
  buffer_ += more_;
  position_ = 0;
  return true;
}

bool SpillReader::next(std::string_view& record) {
  constexpr std::size_t head = sizeof(std::uint32_t);
  if (!fill(head)) return false;
  std::uint32_t size;
  std::memcpy(&size, buffer_.data() + position_, head);
  if (!fill(head + size)) fail(ErrorCode::corrupt, "a temporary file of a pipeline came back changed");
  record = std::string_view(buffer_).substr(position_ + head, size);
  position_ += head + size;
  return true;
}

}  // namespace stele::pipeline
