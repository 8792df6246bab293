// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace stele::model {

/// The members of a document that the paths lead into, each once.
inline void add_first_steps(const std::vector<std::string>& paths, std::vector<std::string>& names) {
  for (const std::string& path : paths)
    if (std::string name = path.substr(0, path.find('.')); std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
}

}  // namespace stele::model
