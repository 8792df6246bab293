// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/large_files.h"

#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/uuid.h"

#include <unistd.h>

namespace stele::transaction {

LargeFile LargeFiles::write(std::string_view encoded_batch) {
  LargeFile file{uuid_v4(), encoded_batch.size(), checksum(encoded_batch)};
  try {
    create_synced_file(path(file), encoded_batch);
  } catch (const Error& error) {
    discard(file);
    if (health_ && error.code() == ErrorCode::io) health_->poison(error.message());  // a full disk is none of ours
    throw;
  }
  return file;
}

std::string LargeFiles::read(const LargeFile& file) const {
  auto bytes = read_file_if_there(path(file));
  if (!bytes)
    fail(ErrorCode::corrupt,
         text("large/", file.name,
              ": the batch of a committed transaction is missing; restore the whole directory from a backup"),
         {{"file", "large/" + file.name}});
  if (bytes->size() != file.size || checksum(*bytes) != file.checksum)
    fail(ErrorCode::corrupt,
         text("large/", file.name, ": ", bytes->size(), " bytes, not the ", file.size,
              " that its transaction committed; restore the whole directory from a backup"),
         {{"file", "large/" + file.name}});
  return *std::move(bytes);
}

void LargeFiles::release_at(const LargeFile& file, std::uint64_t gseq) {
  std::lock_guard guard(mutex_);
  waiting_.emplace_back(gseq, file);
}

void LargeFiles::discard(const LargeFile& file) noexcept { ::unlink(path(file).c_str()); }

void LargeFiles::key_value_durable(std::uint64_t gseq) noexcept {
  std::lock_guard guard(mutex_);
  std::erase_if(waiting_, [&](const auto& entry) {
    if (entry.first > gseq) return false;
    discard(entry.second);
    return true;
  });
}

void LargeFiles::remove_all() {
  for (const std::string& name : list_directory(directory_)) {
    if (is_uuid(name)) remove_file(directory_ + "/" + name);
  }
}

}  // namespace stele::transaction
