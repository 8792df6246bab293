// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/segments.h"

#include "engine/base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stele::storage {

Segments::Segments(std::size_t row_bytes, const std::string& path)
    : row_bytes_(row_bytes), path_(path), file_(open_file(path, O_RDWR | O_CREAT)) {}

Segments::~Segments() {
  for (int i = 0; i < made_; ++i) ::munmap(segments_[i].load(std::memory_order_relaxed), bytes_of(i));
}

void Segments::reserve(std::uint64_t count) {
  while (capacity() < count) {
    if (made_ == segments_max) fail(ErrorCode::full, text("vector index: more than ", capacity(), " rows"));
    const std::size_t bytes = bytes_of(made_);
    const std::size_t offset = capacity() * row_bytes_;
    // Beyond the end of its file a mapping would raise SIGBUS.
    if (file_ && file_size(path_) < offset + bytes && ::ftruncate(file_.fd(), static_cast<off_t>(offset + bytes)) != 0)
      fail_errno("ftruncate", path_, errno);
    void* memory =
        file_ ? ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file_.fd(), static_cast<off_t>(offset))
              : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail_errno("mmap", file_ ? path_ : std::string("(memory)"), errno);
    segments_[made_].store(static_cast<char*>(memory), std::memory_order_relaxed);
    ++made_;
  }
}

void Segments::write(std::uint32_t row, const void* bytes) {
  if (file_) {
    write_all_at(file_, path_, {static_cast<const char*>(bytes), row_bytes_}, std::uint64_t{row} * row_bytes_);
  } else {
    std::memcpy(this->row(row), bytes, row_bytes_);
  }
}

void Segments::sync() {
  if (file_) sync_data(file_, path_);
}

}  // namespace stele::storage
