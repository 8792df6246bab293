// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/options.h>

#include <string>

namespace stele::tool {

struct ExecArguments {
  std::string directory;
  Options options;
};
/// Answers requests from standard input until it ends. Returns the exit code.
int exec_command(const ExecArguments& arguments);

struct CheckArguments {
  std::string directory;
  bool deep = false;
  bool json = false;
};
int check_command(const CheckArguments& arguments);

}  // namespace stele::tool
