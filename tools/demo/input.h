// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/demo/stanza.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace stele::demo {

/// Where the stanzas come from, so that a second process can read the same again.
struct InputOptions {
  std::string file;         // empty: the output of `apt-cache dumpavail`
  std::uint64_t limit = 0;  // stanzas; 0: all
};

class Input {
 public:
  explicit Input(const InputOptions& options);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// Throws `io` when the file or the program ends with an error.
  std::optional<Stanza> next();

  std::uint64_t stanzas() const { return stanzas_; }  // given out so far

 private:
  void finish();

  InputOptions options_;
  std::FILE* file_ = nullptr;
  bool is_pipe_ = false;
  std::uint64_t stanzas_ = 0;
  std::optional<StanzaReader> reader_;
};

}  // namespace stele::demo
