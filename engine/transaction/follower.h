// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/vectors.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

/// What is derived from vectors and kept outside the stores, their graphs, hears of commits here: from late writes that
/// become visible (LateWrite::published), so under the order lock and in its order. Whoever reads at a moment of the
/// snapshot gate finds everything up to it followed.
class Follower {
 public:
  using Floats = std::shared_ptr<const std::vector<float>>;

  virtual ~Follower() = default;
  /// An index without vectors is there from now on.
  virtual void made(std::uint64_t index, const VectorIndexOptions& shape) noexcept = 0;
  /// The document has this vector in the index from that commit on; null: none.
  virtual void changed(std::uint64_t index, std::string_view id_element, const Floats& vector,
                       std::uint64_t gseq) noexcept = 0;
  virtual void dropped(std::uint64_t index) noexcept = 0;
  /// Documents of the index's collection changed in that commit.
  virtual void touched(std::uint64_t index, std::uint64_t gseq) noexcept = 0;
  /// Outside all locks, before a transaction writes a vector: may wait until there is room for more, and polls the
  /// thread's Interrupt.
  virtual void admit(std::uint64_t index) = 0;
};

}  // namespace stele::transaction
