// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/model/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// Says which documents of a collection count as gone at a time, by its TTL indexes. They are removed later.
class Expiry {
 public:
  Expiry(const catalog::Definition& collection, std::int64_t time_us);

  bool possible() const { return !indexes_.empty(); }
  bool expired(std::string_view document);

 private:
  const std::int64_t time_ms_;
  std::vector<const catalog::Index*> indexes_;
  std::vector<std::string> members_;
  model::Parser parser_;
};

}  // namespace stele::documents
