// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/documents/expiry.h"
#include "engine/model/document_error.h"
#include "engine/model/filter.h"
#include "engine/transaction/reader.h"

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// Says which documents a query wants: those that match its filter and have not expired. One thread; the filter and the
/// collection outlive it.
class Sieve {
 public:
  Sieve(const model::Filter& filter, const catalog::Definition& collection, std::int64_t time_us)
      : filter_(filter), expiry_(collection, time_us) {}

  /// An error tells the document's _id.
  bool passes(std::string_view document) {
    try {
      return filter_.matches_json(document, scratch_) && !expiry_.expired(document);
    } catch (const Error& error) {
      model::rethrow_at(error, model::parse(document));
    }
  }
  bool passes_all() const { return filter_.empty() && !expiry_.possible(); }

 private:
  const model::Filter& filter_;
  Expiry expiry_;
  model::Scratch scratch_;
};

/// Documents that a query has reached, one after the other in memory, and which of them pass its sieve. Read by one
/// thread, it may be sifted by another; or it is given a piece of a range, and whoever sifts it reads, too, and keeps
/// what passes.
class Chunk {
 public:
  void clear();
  enum class Keep : std::uint8_t { documents, keys };  // keys: documents are all "{}"
  /// What sift() reads from, at first and, while unread(), after each clear().
  void read_from(std::unique_ptr<transaction::Scan> piece, Keep keep);
  bool unread() const { return piece_ != nullptr; }
  /// Documents of the piece that sift() has read.
  std::size_t sieved() const { return sieved_; }
  /// What add() is about to bring, roughly.
  void expect(std::size_t bytes, std::size_t documents) {
    bytes_.reserve(bytes_.size() + bytes);
    places_.reserve(places_.size() + documents);
  }
  /// `read`: from the store, and not made of an index's entry.
  void add(std::string_view key, std::string_view document, bool read = true, bool passes = false);

  std::size_t size() const { return places_.size(); }
  std::size_t bytes() const { return bytes_.size(); }
  std::string_view key(std::size_t i) const {
    return std::string_view(bytes_).substr(places_[i].key, places_[i].document - places_[i].key);
  }
  std::string_view document(std::size_t i) const {
    return std::string_view(bytes_).substr(places_[i].document, places_[i].end - places_[i].document);
  }

  /// Brought by add(), from the store.
  bool read(std::size_t i) const { return places_[i].read; }

  void sift(Sieve& sieve);
  /// After sift(). Throws what the sieve threw at this document.
  bool passes(std::size_t i) const;

 private:
  struct Place {
    std::size_t key;
    std::size_t document;
    std::size_t end;
    bool read;
    bool passes;
  };
  void sift_piece(Sieve& sieve);

  std::string bytes_;
  std::vector<Place> places_;
  std::unique_ptr<transaction::Scan> piece_;
  Keep keep_ = Keep::documents;
  std::size_t sieved_ = 0;
  std::size_t sifted_ = 0;
  std::exception_ptr failure_;  // at place sifted_
};

}  // namespace stele::documents
