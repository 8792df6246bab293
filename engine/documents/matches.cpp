// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/matches.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"

#include <algorithm>

namespace stele::documents {

using storage::Keyspace;
using transaction::Reader;

namespace {
constexpr std::size_t chunk_documents_first = 32;  // about as many as most queries want at all
constexpr std::size_t chunk_documents_max = 512;
constexpr std::size_t chunk_bytes_max = 128u << 10;  // and one document more
constexpr std::size_t chunks_ahead = 4;
constexpr std::uint64_t piece_bytes = 512u << 10;  // in the store
constexpr std::size_t document_bytes_usual = 512;
constexpr std::uint64_t documents_before_help = 2048;  // before threads are worth their making
constexpr std::uint64_t keys_between_interrupt_checks = 64;
constexpr std::size_t seen_bytes_max = 64u << 20;
constexpr std::size_t seen_entry_bytes = 80;  // beside the key
}  // namespace

Matches::Matches(Reader& reader, catalog::Catalog::DefinitionPtr collection, const Wanted& wanted, Pace pace,
                 const std::vector<model::Path>* reads, Covered::Members members)
    : reader_(reader),
      collection_(std::move(collection)),
      filter_(wanted.filter),
      pace_(pace),
      keep_(reads && reads->empty() ? Chunk::Keep::keys : Chunk::Keep::documents) {
  documents_wanted_ =
      std::clamp<std::uint64_t>(wanted.documents.value_or(chunk_documents_first), 1, chunk_documents_first);
  if (!collection_) {
    plan_.kind = Plan::Kind::nothing;
    all_read_ = true;
    return;
  }
  plan_ = make_plan(reader, *collection_, wanted);
  // Of several entries of a document none says what stands in it, and a sort still to be made looks at it.
  if (reads && plan_.kind == Plan::Kind::index && !plan_.repeats && plan_.sorted && !collection_->expires())
    covered_ = Covered::by(*plan_.index, filter_, *reads, members);
  if (collection_->expires()) time_us_ = reader.time_us();
  sieve_.emplace(filter_, *collection_, time_us_);
  prepare_pieces();
}

/// Now, before who takes the documents writes where they stand.
void Matches::prepare_pieces() {
  if (!takes_all() || plan_.kind != Plan::Kind::documents || plan_.ranges.size() != 1 || Sifters::useful() == 0) return;
  if (plan_.direction != transaction::Direction::forward) return;
  const storage::KeyRange& range = plan_.ranges[0];
  if (reader_.approximate_bytes(Keyspace::documents, range) >= 2 * piece_bytes)
    shared_ = reader_.share(Keyspace::documents, range);
}

bool Matches::next() {
  for (;;) {
    if (chunks_.empty() || next_at_ == chunk().size()) {
      if (!next_chunk()) return false;
    }
    at_ = next_at_++;
    reader_.interrupt().check();  // each time: what is done with a document of 16 MB takes long
    if (chunk().read(at_)) ++figures_.documents;
    if (chunk().passes(at_) && first_time()) return true;
  }
}

bool Matches::first_time() {
  if (!plan_.repeats) return true;
  if (!seen_.emplace(key()).second) return false;
  seen_bytes_ += key().size() + seen_entry_bytes;
  if (seen_bytes_ > seen_bytes_max)
    fail(
        ErrorCode::too_large,
        text("collection \"", collection_->name, "\": the query reaches documents more than once and would remember ",
             seen_.size(), " of them, over ", seen_bytes_max >> 20, " MB; narrow its filter, or hint at another index"),
        {{"reason", "RepeatsTooMany"}, {"limit", std::to_string(seen_bytes_max)}});
  return true;
}

/// The next chunk that has documents becomes the first.
bool Matches::next_chunk() {
  do {
    finish_chunk();
    if (!sifters_ && (shared_ || figures_.documents >= documents_before_help)) hire();
    while (chunks_.size() < (sifters_ ? chunks_ahead : 1) && read_ahead()) {
    }
    if (chunks_.empty()) {
      sifters_.reset();  // the cursor may be kept for long
      pieces_.reset();
      shared_.reset();
      return false;
    }
    if (sifters_) {
      sifters_->finish(chunk(), *sieve_);
    } else {
      chunk().sift(*sieve_);
    }
    figures_.documents += chunk().sieved();
  } while (chunk().size() == 0);
  return true;
}

/// Gives up the first chunk, or, when its piece has more, sends for that.
void Matches::finish_chunk() {
  next_at_ = 0;
  if (chunks_.empty()) return;
  if (chunk().unread()) {
    chunk().clear();
    sifters_->give(chunk());
  } else {
    spare_ = std::move(chunks_.front());
    chunks_.pop_front();
  }
}

void Matches::hire() {
  if (!takes_all() || all_read_ || Sifters::useful() == 0 || (sieve_->passes_all() && !shared_)) return;
  if (shared_) pieces_.emplace(*shared_, Keyspace::documents, plan_.ranges[0], piece_bytes);
  sifters_ = std::make_unique<Sifters>(Sifters::useful(), reader_.interrupt(),
                                       [&] { return Sieve(filter_, *collection_, time_us_); });
}

/// False when the plan has no more.
bool Matches::read_ahead() {
  if (all_read_) return false;
  reader_.interrupt().check();
  auto chunk = spare_ ? std::move(spare_) : std::make_unique<Chunk>();
  chunk->clear();
  all_read_ = pieces_ ? !read_piece(*chunk) : !read(*chunk);
  // What found no room is looked up once more: of documents so large no more at a time than go into a chunk.
  documents_wanted_ = pending_.empty() ? std::min(documents_wanted_ * 2, chunk_documents_max) : std::max<std::size_t>(chunk->size(), 1);
  chunks_.push_back(std::move(chunk));
  if (sifters_) sifters_->give(*chunks_.back());
  return true;
}

/// The next piece, to be read by whoever sifts the chunk; false when it is the last.
bool Matches::read_piece(Chunk& chunk) {
  if (auto piece = pieces_->next())
    chunk.read_from(shared_->scan(Keyspace::documents, std::move(piece->range)), keep_);
  return chunk.unread();
}

/// False when the plan has no more; what there was is in the chunk.
bool Matches::read(Chunk& chunk) {
  if (plan_.kind != Plan::Kind::branches) return read_from(plan_, chunk);
  if (branch_ == plan_.branches.size()) return false;
  if (!read_from(plan_.branches[branch_], chunk)) {
    ++branch_;
    range_ = 0;
  }
  return branch_ < plan_.branches.size();
}

bool Matches::read_from(const Plan& plan, Chunk& chunk) {
  switch (plan.kind) {
    case Plan::Kind::ids: return read_ids(plan, chunk);
    case Plan::Kind::documents: return read_documents(plan, chunk);
    case Plan::Kind::index: return read_entries(plan, chunk);
    default: return false;
  }
}

bool Matches::read_ids(const Plan& plan, Chunk& chunk) {
  while (range_ < plan.ranges.size() && pending_.size() < documents_wanted_)
    add_pending(plan.ranges[range_++].begin, {});
  look_up(plan, chunk);
  return range_ < plan.ranges.size() || !pending_.empty();
}

bool Matches::read_documents(const Plan& plan, Chunk& chunk) {
  while (chunk.size() < documents_wanted_ && chunk.bytes() < chunk_bytes_max) {
    if (!scan_) {
      if (range_ == plan.ranges.size()) return false;
      scan_ = reader_.scan(Keyspace::documents, plan.ranges[range_], transaction::ScanRecord::range, plan.direction);
    }
    if (scan_->next()) {
      chunk.add(scan_->key(), scan_->value());
    } else {
      scan_.reset();
      ++range_;
    }
  }
  return true;
}

bool Matches::read_entries(const Plan& plan, Chunk& chunk) {
  const std::string prefix = index_prefix(collection_->id);
  while (pending_.size() < documents_wanted_ && range_ < plan.ranges.size()) {
    if (!scan_)
      scan_ = reader_.scan(Keyspace::indexes, plan.ranges[range_], transaction::ScanRecord::range, plan.direction);
    if (!scan_->next()) {
      scan_.reset();
      ++range_;
      continue;
    }
    if (++figures_.keys % keys_between_interrupt_checks == 0) reader_.interrupt().check();
    const EntryParts entry = parse_entry(*plan.index, scan_->key(), scan_->value());
    Pending& pending = add_pending(prefix, entry.id);
    if (covered_ && !covered_->document(entry, pending.covered)) pending.covered.clear();
    if (plan_.repeats && seen_.contains(std::string(key_of(pending)))) pending_.pop_back();
  }
  look_up(plan, chunk);
  return range_ < plan.ranges.size() || !pending_.empty();
}

/// Reads the pending documents, in the order of their keys, which is that of the store's blocks, and adds them to the
/// chunk in the plan's order; those for which the chunk has no room stay pending.
void Matches::look_up(const Plan& plan, Chunk& chunk) {
  lookups_.assign(pending_.size(), {});
  ascending_.clear();
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (pending_[i].covered.empty()) {
      ascending_.push_back(i);
    } else {
      lookups_[i].state = Lookup::State::covered;
    }
  }
  const auto key = [this](std::size_t i) { return key_of(pending_[i]); };
  if (!std::ranges::is_sorted(ascending_, {}, key)) std::ranges::stable_sort(ascending_, {}, key);
  const auto repeated = std::ranges::unique(ascending_, {}, key);
  ascending_.erase(repeated.begin(), repeated.end());
  views_.clear();
  for (const std::size_t i : ascending_) {
    views_.push_back(key_of(pending_[i]));
    lookups_[i].state = Lookup::State::absent;
  }

  found_.clear();
  found_.reserve(std::min(views_.size() * document_bytes_usual, chunk_bytes_max / 4));
  std::size_t last = views_.size();
  reader_.get_many(Keyspace::documents, views_, [&](std::size_t i, std::string_view document) {
    lookups_[ascending_[i]] = {Lookup::State::found, found_.size(), document.size()};
    found_ += document;
    if (found_.size() >= chunk_bytes_max) last = i + 1;
    return found_.size() < chunk_bytes_max;
  });
  for (std::size_t i = last; i < views_.size(); ++i) lookups_[ascending_[i]].state = Lookup::State::unread;

  chunk.expect(found_.size() + pending_keys_.size(), pending_.size());
  std::size_t taken = 0;
  for (; taken < pending_.size() && chunk.bytes() < chunk_bytes_max; ++taken) {
    const Lookup& lookup = lookups_[taken];
    const Pending& pending = pending_[taken];
    const std::string_view key_taken = key_of(pending);
    if (lookup.state == Lookup::State::repeated) continue;
    if (lookup.state == Lookup::State::covered) {
      chunk.add(key_taken, pending.covered, /*read=*/false);
    } else if (lookup.state == Lookup::State::found) {
      chunk.add(key_taken, std::string_view(found_).substr(lookup.at, lookup.size));
    } else if (lookup.state == Lookup::State::unread && reader_.get(Keyspace::documents, key_taken, document_)) {
      chunk.add(key_taken, document_);
    } else {
      expect_absent(plan, key_taken);
    }
  }
  drop_pending(taken);
}

Matches::Pending& Matches::add_pending(std::string_view prefix, std::string_view rest) {
  const Pending pending{pending_keys_.size(), prefix.size() + rest.size()};
  pending_keys_.append(prefix).append(rest);
  return pending_.emplace_back(pending);
}

void Matches::drop_pending(std::size_t count) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  const std::size_t gone = pending_.empty() ? pending_keys_.size() : pending_.front().key;
  pending_keys_.erase(0, gone);
  for (Pending& pending : pending_) pending.key -= gone;
}

/// An id that a filter gives may be nobody's, an entry's is not, but for what the transaction itself has removed since
/// the cursor was opened.
void Matches::expect_absent(const Plan& plan, std::string_view key) const {
  if (plan.kind != Plan::Kind::index || reader_.records()) return;
  fail(ErrorCode::corrupt,
       text("index \"", plan.index->name, "\" of collection \"", collection_->name, "\": an entry names the document ",
            key::describe_key(key.substr(index_prefix(collection_->id).size())),
            ", which is not there; drop the index and make it anew (`stele check` lists all)"),
       {{"index", plan.index->name}});
}

}  // namespace stele::documents
