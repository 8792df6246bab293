// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The house rules that a program can see: which file may include which, and what a file starts with.
// engine/ARCHITECTURE.md tells the reasons. The floors are the table in checker.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stele::house {

/// Findings of all .h and .cpp files under backends, bench, engine, tests and tools of `root`, each
/// `path:line: error: what is wrong; the cure`, ordered by path and line. Empty: all is well.
std::vector<std::string> check(const std::filesystem::path& root);

}  // namespace stele::house
