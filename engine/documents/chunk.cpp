// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/chunk.h"

#include "engine/base/interrupt.h"

namespace stele::documents {

namespace {
constexpr std::size_t piece_bytes_max = 2u << 20;  // of what passes, at a time; and one document more
}

void Chunk::clear() {
  bytes_.clear();
  places_.clear();
  sifted_ = sieved_ = 0;
  failure_ = nullptr;
}

void Chunk::add(std::string_view key, std::string_view document, bool read, bool passes) {
  const std::size_t at = bytes_.size();
  bytes_ += key;
  bytes_ += document;
  places_.push_back({at, at + key.size(), bytes_.size(), read, passes});
}

void Chunk::read_from(std::unique_ptr<transaction::Scan> piece, Keep keep) {
  piece_ = std::move(piece);
  keep_ = keep;
}

void Chunk::sift_piece(Sieve& sieve) {
  const bool all = sieve.passes_all();
  try {
    for (; bytes_.size() < piece_bytes_max; ++sieved_) {
      Interrupt::poll();
      if (!piece_->next()) {
        piece_.reset();
        break;
      }
      if (all || sieve.passes(piece_->value()))
        add(piece_->key(), keep_ == Keep::documents ? piece_->value() : "{}", /*read=*/false, /*passes=*/true);
    }
  } catch (...) {
    failure_ = std::current_exception();
    sifted_ = places_.size();
    add({}, {}, /*read=*/false);  // where it stands
    piece_.reset();
  }
}

void Chunk::sift(Sieve& sieve) {
  if (piece_) return sift_piece(sieve);
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
