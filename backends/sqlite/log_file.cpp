// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/log_file.h"

#include "engine/base/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>

namespace stele::sqlite {

LogFile::LogFile(std::string path) : path_(std::move(path)), file_(open_file(path_, O_RDONLY)) {}

void LogFile::sync() const { sync_data(file_, path_); }

std::uint64_t LogFile::bytes() const {
  struct stat info;
  if (::fstat(file_.fd(), &info) != 0) fail_errno("fstat", path_, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

void LogFile::check_not_replaced() const {
  struct stat ours, theirs;
  if (::fstat(file_.fd(), &ours) != 0) fail_errno("fstat", path_, errno);
  const bool there = ::lstat(path_.c_str(), &theirs) == 0;
  if (there && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev) return;
  fail(ErrorCode::io,
       text("log file was replaced: ", path_, there ? " is another file now" : " is gone",
            "; another program changed the store while it was open; close, reopen and run a check"),
       {{"store", "relational"}, {"file", path_}, {"operation", "stat"}, {"errno", "0"}});
}

}  // namespace stele::sqlite
