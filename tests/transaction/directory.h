// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/files.h"

#include <cstdlib>
#include <string>

namespace stele::transaction {

/// A directory of a test's own, gone when the test ends.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* root = std::getenv("TMPDIR");
    path_ = std::string(root ? root : "/tmp") + "/stele_transaction_XXXXXX";
    if (!::mkdtemp(path_.data())) std::abort();
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { remove_tree(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace stele::transaction
