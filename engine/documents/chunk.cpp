// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/chunk.h"

#include "engine/base/interrupt.h"

namespace stele::documents {

void Chunk::clear() {
  bytes_.clear();
  places_.clear();
  sifted_ = 0;
  failure_ = nullptr;
}

void Chunk::add(std::string_view key, std::string_view document, bool read) {
  const std::size_t at = bytes_.size();
  bytes_ += key;
  bytes_ += document;
  places_.push_back({at, at + key.size(), bytes_.size(), read, false});
}

void Chunk::sift(Sieve& sieve) {
  const bool all = sieve.passes_all();
  try {
    for (; sifted_ < places_.size(); ++sifted_) {
      Interrupt::poll();
      places_[sifted_].passes = all || sieve.passes(document(sifted_));
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

bool Chunk::passes(std::size_t i) const {
  if (failure_ && i == sifted_) std::rethrow_exception(failure_);
  return places_[i].passes;
}

}  // namespace stele::documents
