// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/file_system.h"

#include "backends/rocksdb/errors.h"
#include "engine/base/error.h"
#include "engine/base/files.h"

#include <rocksdb/file_system.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <set>

namespace stele::rocks {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(const Error& error) {
  return error.code() == ErrorCode::full ? IOStatus::NoSpace(error.message()) : IOStatus::IOError(error.message());
}

IOStatus status_of_errno(int error_number, std::string_view operation, const std::string& file) {
  const std::string words = error_of_errno(error_number, operation, file).message();
  if (error_number == ENOENT) return IOStatus::PathNotFound(words);
  if (error_number == ENOSPC || error_number == EDQUOT) return IOStatus::NoSpace(words);
  return IOStatus::IOError(words);
}

/// 0, or the errno of a call that is tried again when a signal interrupts it.
template <class Call>
int errno_of(Call&& call) {
  while (call() < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

bool is_log(std::string_view file) { return file.ends_with(".log"); }

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(std::shared_ptr<FileGate> gate, std::string path, File file, std::uint64_t size)
      : gate_(std::move(gate)), path_(std::move(path)), file_(std::move(file)), is_log_(is_log(path_)), size_(size) {}

  ~WritableFile() override { trim(); }

  using FSWritableFile::Append;
  using FSWritableFile::PositionedAppend;

  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override { return write(data, size_); }
  IOStatus Append(const Slice& data, const IOOptions&, const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return write(data, size_);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions&, IODebugContext*) override {
    return write(data, offset);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions&,
                            const rocksdb::DataVerificationInfo&, IODebugContext*) override {
    return write(data, offset);
  }

  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    if (gate_->failure.blocks_writes()) return blocked();
    if (int e = errno_of([&] { return ::ftruncate(file_.fd(), static_cast<off_t>(size)); }))
      return failed(e, "truncate");
    if (is_log_) gate_->log_bytes.fetch_add(size - size_, std::memory_order_relaxed);  // may wrap: a subtraction
    size_ = size;
    return IOStatus::OK();
  }

  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    if (gate_->failure.blocks_writes()) return blocked();
    if (int e = errno_of([&] { return ::fdatasync(file_.fd()); })) return failed(e, "fdatasync");
    return IOStatus::OK();
  }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    if (gate_->failure.blocks_writes()) return blocked();
    if (int e = errno_of([&] { return ::fsync(file_.fd()); })) return failed(e, "fsync");
    return IOStatus::OK();
  }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();  // only a hint, and its errors would be lost
  }
  bool IsSyncThreadSafe() const override { return true; }  // SyncWAL needs it

  IOStatus Close(const IOOptions&, IODebugContext*) override {
    trim();
    const int fd = file_.release();
    if (fd < 0 || ::close(fd) == 0 || errno == EINTR) return IOStatus::OK();
    return failed(errno, "close");
  }

  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }
  IOStatus InvalidateCache(std::size_t, std::size_t) override { return IOStatus::OK(); }

  IOStatus Allocate(std::uint64_t offset, std::uint64_t length, const IOOptions&, IODebugContext*) override {
    if (gate_->failure.blocks_writes()) return blocked();
    // Saves block allocation later; a file system without it works as well.
    if (::fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0)
      allocated_ = offset + length;
    return IOStatus::OK();
  }

 private:
  IOStatus write(const Slice& data, std::uint64_t offset) {
    if (gate_->failure.blocks_writes()) return blocked();
    if (gate_->before_append && !gate_->before_append())
      return failed(Error(ErrorCode::io,
                          text(path_, ": append: refused, because the commit it belongs to is not durable"),
                          {{"store", "rocksdb"}, {"operation", "append"}, {"file", path_}, {"reason", "barrier"}}));
    for (std::size_t done = 0; done < data.size();) {
      const ssize_t n = ::pwrite(file_.fd(), data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed(n < 0 ? errno : EIO, "append");
      done += static_cast<std::size_t>(n);
    }
    if (is_log_) gate_->log_bytes.fetch_add(data.size(), std::memory_order_relaxed);
    size_ = std::max(size_, offset + data.size());
    return IOStatus::OK();
  }

  /// Gives back what Allocate took beyond the end.
  void trim() noexcept {
    if (file_ && allocated_ > size_ && ::ftruncate(file_.fd(), static_cast<off_t>(size_)) == 0) allocated_ = size_;
  }

  IOStatus failed(int error_number, std::string_view operation) {
    return failed(error_of_errno(error_number, operation, path_));
  }
  IOStatus failed(const Error& error) {
    gate_->failure.report(error);
    return is_log_ ? IOStatus::OK() : status_of(error);
  }
  IOStatus blocked() const {
    return is_log_ ? IOStatus::OK() : IOStatus::IOError(path_ + ": not written: the store has failed or is closing");
  }

  std::shared_ptr<FileGate> gate_;
  std::string path_;
  File file_;
  bool is_log_;
  std::uint64_t size_;
  std::uint64_t allocated_ = 0;
};

class FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<FileGate> gate)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), gate_(std::move(gate)) {}

  const char* Name() const override { return "stele"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open(path, O_CREAT | O_TRUNC, result);
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return open(path, O_CREAT, result);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path, const rocksdb::FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    if (::rename(old_path.c_str(), path.c_str()) != 0) return status_of_errno(errno, "rename", old_path);
    return open(path, O_TRUNC, result);
  }
  IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext* context) override {
    return noted(FileSystemWrapper::NewSequentialFile(path, options, result, context));
  }
  IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext* context) override {
    return noted(FileSystemWrapper::NewRandomAccessFile(path, options, result, context));
  }
  IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>*, IODebugContext*) override {
    return IOStatus::NotSupported(path + ": files are written by appending only");
  }
  IOStatus NewMemoryMappedFileBuffer(const std::string& path,
                                     std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override {
    return IOStatus::NotSupported(path + ": files are written by appending only");
  }

  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    if (::access(path.c_str(), F_OK) == 0) return IOStatus::OK();
    if (errno == ENOENT || errno == ENOTDIR) return IOStatus::NotFound(path);
    return status_of_errno(errno, "access", path);
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* context) override {
    if (gate_->failure.blocks_writes()) return IOStatus::IOError(to + ": not renamed: the store has failed");
    return FileSystemWrapper::RenameFile(from, to, options, context);
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* context) override {
    if (gate_->failure.blocks_writes()) return IOStatus::IOError(path + ": not deleted: the store has failed");
    const std::uint64_t counted = forget_log(path);
    const IOStatus status = FileSystemWrapper::DeleteFile(path, options, context);
    if (status.ok()) gate_->log_bytes.fetch_sub(counted, std::memory_order_relaxed);
    return status;
  }

  IOStatus LockFile(const std::string& path, const IOOptions& options, rocksdb::FileLock** lock,
                    IODebugContext* context) override {
    // A link there would make RocksDB create a file elsewhere.
    std::error_code absent;
    if (std::filesystem::is_symlink(path, absent)) return status_of_errno(ELOOP, "open", path);
    const IOStatus status = FileSystemWrapper::LockFile(path, options, lock, context);
    // Only the words tell a file that cannot be opened from a lock that another holds, and opening the file to ask would
    // drop the lock of another instance in this process.
    const bool not_opened = status.ToString().find("open a file for lock") != std::string::npos;
    if (!status.ok() && !not_opened) gate_->lock_refused.store(true);
    return status;
  }

 private:
  IOStatus open(const std::string& path, int flags, std::unique_ptr<rocksdb::FSWritableFile>* result) {
    if (gate_->read_only || gate_->failure.blocks_writes())
      return IOStatus::IOError(path + ": not opened for writing: the store is read-only, has failed or is closing");
    int fd = -1;
    if (int e = errno_of([&] { return fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600); }))
      return status_of_errno(e, "open", path);
    File file(fd);
    struct stat facts;
    if (::fstat(fd, &facts) != 0) return status_of_errno(errno, "fstat", path);
    if (is_log(path)) remember_log(path, static_cast<std::uint64_t>(facts.st_size));
    *result = std::make_unique<WritableFile>(gate_, path, std::move(file), static_cast<std::uint64_t>(facts.st_size));
    return IOStatus::OK();
  }

  /// RocksDB calls some failures to read "invalid argument" when it opens a store.
  IOStatus noted(IOStatus status) {
    if (status.IsIOError() && !status.IsPathNotFound()) gate_->read_refused.store(true);
    return status;
  }

  /// A log opened again (recovery does that, to cut it) brings the bytes it has.
  void remember_log(const std::string& path, std::uint64_t size) {
    std::lock_guard guard(mutex_);
    if (logs_.insert(path).second) gate_->log_bytes.fetch_add(size, std::memory_order_relaxed);
  }
  /// The bytes counted for a log opened since the start; 0 for any other file.
  std::uint64_t forget_log(const std::string& path) {
    std::lock_guard guard(mutex_);
    struct stat facts;
    if (logs_.erase(path) == 0 || ::stat(path.c_str(), &facts) != 0) return 0;
    return static_cast<std::uint64_t>(facts.st_size);
  }

  std::shared_ptr<FileGate> gate_;
  std::mutex mutex_;
  std::set<std::string> logs_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_file_system(std::shared_ptr<FileGate> gate) {
  return std::make_shared<FileSystem>(std::move(gate));
}

}  // namespace stele::rocks
