// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

namespace stele::crash {

/// "VERB --name value …". A name that nobody asked for is a usage error.
class Arguments {
 public:
  Arguments(int argc, char** argv) : verb_(argc > 1 ? argv[1] : "") {
    for (int i = 2; i < argc; i += 2) {
      const std::string name = argv[i];
      if (!name.starts_with("--") || i + 1 == argc) usage("expected --name value at: " + name);
      values_[name.substr(2)] = argv[i + 1];
    }
  }

  const std::string& verb() const { return verb_; }

  std::string text(const std::string& name, const std::string& otherwise) {
    asked_.insert(name);
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

  std::uint64_t number(const std::string& name, std::uint64_t otherwise) {
    const std::string value = text(name, std::to_string(otherwise));
    char* end = nullptr;
    const std::uint64_t result = std::strtoull(value.c_str(), &end, 10);
    if (value.empty() || *end != 0) usage("--" + name + " takes a number, not " + value);
    return result;
  }

  void no_others() const {
    for (const auto& [name, value] : values_)
      if (!asked_.contains(name)) usage("unknown argument --" + name);
  }

  [[noreturn]] static void usage(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(2);
  }

 private:
  std::string verb_;
  std::map<std::string, std::string> values_;
  std::set<std::string> asked_;
};

}  // namespace stele::crash
