// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/input.h"

#include <stele/error.h>

#include <cerrno>
#include <cstring>

namespace stele::demo {

Input::Input(const InputOptions& options) : options_(options), is_pipe_(options.file.empty()) {
  // "e": neither end of the pipe leaks into the children of the crash part.
  file_ = is_pipe_ ? popen("exec apt-cache dumpavail", "re") : std::fopen(options.file.c_str(), "re");
  if (!file_)
    throw Error(ErrorCode::io,
                "input: " + (is_pipe_ ? "apt-cache dumpavail" : options.file) + ": " + std::strerror(errno));
  reader_.emplace(file_);
}

Input::~Input() {
  if (file_) is_pipe_ ? pclose(file_) : std::fclose(file_);
}

std::optional<Stanza> Input::next() {
  if (!file_ || (options_.limit > 0 && stanzas_ == options_.limit)) return std::nullopt;
  auto stanza = reader_->next();
  if (stanza) {
    ++stanzas_;
  } else {
    finish();
  }
  return stanza;
}

void Input::finish() {
  const int status = is_pipe_ ? pclose(file_) : std::fclose(file_);
  file_ = nullptr;
  if (is_pipe_ && status != 0)
    throw Error(ErrorCode::io,
                "input: apt-cache dumpavail failed; without apt, give a file of stanzas with --input FILE");
}

}  // namespace stele::demo
