// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/documents/chunk.h"
#include "engine/documents/covered.h"
#include "engine/documents/plan.h"
#include "engine/documents/sifters.h"
#include "engine/transaction/parts.h"
#include "engine/transaction/reader.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace stele::documents {

/// Who takes the documents: somebody outside, one when he likes, or the engine, all of them now. Then other threads
/// help with a large range: they filter chunks and, of a range of documents that can be shared, read them, too.
enum class Pace : std::uint8_t { streamed, to_the_end };

/// The documents of a collection that match a filter, as a plan reaches them. Of expired ones none. They are read in
/// chunks, which grow, so a little further than they are taken.
class Matches {
 public:
  struct Figures {
    std::uint64_t keys = 0;       // index entries examined
    std::uint64_t documents = 0;  // documents examined
  };

  /// `collection` null: there is none, and so no documents. The filter outlives this. `reads`: all that is looked at in
  /// what document() gives; where an index holds it, that is made of the index's entry. Null: everything.
  Matches(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection, const Wanted& wanted,
          Pace pace = Pace::streamed, const std::vector<model::Path>* reads = nullptr,
          Covered::Members members = Covered::Members::in_order);
  Matches(const Matches&) = delete;

  bool next();
  std::string_view key() const { return chunk().key(at_); }            // until the next move
  std::string_view document() const { return chunk().document(at_); }  // until the next move

  const Plan& plan() const { return plan_; }
  /// Documents are not read where an entry of the plan's index says enough.
  bool covered() const { return covered_.has_value(); }
  const Figures& figures() const { return figures_; }

 private:
  Chunk& chunk() const { return *chunks_.front(); }
  bool takes_all() const { return pace_ == Pace::to_the_end || !plan_.sorted; }  // it is sorted by who reads it
  bool next_chunk();
  void finish_chunk();
  bool read_ahead();
  void prepare_pieces();
  void hire();

  bool read_piece(Chunk& chunk);
  bool read(Chunk& chunk);
  bool read_from(const Plan& plan, Chunk& chunk);
  bool read_ids(const Plan& plan, Chunk& chunk);
  bool read_documents(const Plan& plan, Chunk& chunk);
  bool read_entries(const Plan& plan, Chunk& chunk);
  void look_up(const Plan& plan, Chunk& chunk);
  void expect_absent(const Plan& plan, std::string_view key) const;
  bool first_time();

  transaction::Reader& reader_;
  const catalog::Catalog::DefinitionPtr collection_;
  const model::Filter& filter_;
  const Pace pace_;
  const Chunk::Keep keep_;
  Plan plan_;
  std::optional<Covered> covered_;
  std::int64_t time_us_ = 0;  // of expiry; 0 where nothing expires
  std::optional<Sieve> sieve_;
  Figures figures_;

  // Where the plan is read.
  std::size_t branch_ = 0;
  std::size_t range_ = 0;
  std::unique_ptr<transaction::Scan> scan_;
  std::size_t documents_wanted_;  // of the next chunk
  bool all_read_ = false;

  // Or it is a large range of documents, read in pieces by all threads.
  std::unique_ptr<transaction::Reader> shared_;
  std::optional<transaction::Pieces> pieces_;

  // Looking documents up.
  struct Lookup {
    enum class State : std::uint8_t { repeated, covered, absent, unread, found } state = State::repeated;
    std::size_t at = 0;  // in found_
    std::size_t size = 0;
  };
  struct Pending {
    std::size_t key = 0;  // in pending_keys_
    std::size_t key_size = 0;
    std::string covered = {};  // the document, as far as it is needed; empty: to be read
  };
  std::string_view key_of(const Pending& pending) const {
    return std::string_view(pending_keys_).substr(pending.key, pending.key_size);
  }
  Pending& add_pending(std::string_view prefix, std::string_view rest);
  void drop_pending(std::size_t count);
  std::vector<Pending> pending_;  // in the plan's order
  std::string pending_keys_;
  std::vector<Lookup> lookups_;         // of each of them
  std::vector<std::size_t> ascending_;  // their places in the order of the keys, each key once
  std::vector<std::string_view> views_;
  std::string found_, document_;

  std::deque<std::unique_ptr<Chunk>> chunks_;  // in order; the first is the one taken from
  std::unique_ptr<Chunk> spare_;
  std::size_t at_ = 0;  // in the first
  std::size_t next_at_ = 0;

  std::unordered_set<std::string> seen_;  // keys of documents taken, when the plan repeats some
  std::size_t seen_bytes_ = 0;

  std::unique_ptr<Sifters> sifters_;  // last: its threads work on the chunks
};

}  // namespace stele::documents
