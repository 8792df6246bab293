// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/search/nearest.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/documents.h"
#include "engine/documents/expiry.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/matches.h"
#include "engine/model/key.h"
#include "engine/model/member_scan.h"

#include <algorithm>

namespace stele::search {

using storage::Keyspace;
using storage::Strategy;
using storage::VectorHits;
using storage::VectorQuery;

namespace {

constexpr std::size_t k_max = 10'000;
constexpr std::size_t ef_max = 100'000;
constexpr std::size_t own_writes_max = 1'000;  // beyond it the store is read

void check_options(const NearestOptions& options) {
  const auto refuse = [](std::string_view what, std::size_t value, std::size_t least, std::size_t most) {
    fail(ErrorCode::invalid, text("nearest: ", what, " is ", value, "; give one from ", least, " to ", most),
         {{"reason", what}});
  };
  if (options.k < 1 || options.k > k_max) refuse("k", options.k, 1, k_max);
  if (options.ef > ef_max) refuse("ef", options.ef, 1, ef_max);
  if (!(options.recall >= 0 && options.recall <= 1) || (options.recall > 0 && options.ef > 0))
    fail(ErrorCode::invalid, "nearest: recall is a share from 0 to 1, and is not given together with ef",
         {{"reason", "recall"}});
}

}  // namespace

NearestSearch::NearestSearch(transaction::Transaction& reader, const vectors::LiveIndexes& live,
                             documents::VectorIndexes::Found found, const NearestOptions& options,
                             const json::Limits& limits)
    : reader_(reader),
      collection_(std::move(found.collection)),
      index_(*found.index),
      options_(options),
      codec_(index_.options.metric, index_.options.dimensions, storage::Quantization::none) {
  check_options(options_);
  if (index_.building)
    fail(ErrorCode::busy,
         text("collection \"", collection_->name, "\": the vector index on \"", index_.path.text(),
              "\" is being filled from the documents that were there before it; try again when it is ready"),
         {{"reason", "building"}});
  reader_.note_range(Keyspace::vectors, vectors::vectors_range(index_.id));
  auto own = vectors::own_writes(reader_, index_.id, index_.options.dimensions, own_writes_max);
  const auto in_memory = live.find(index_.id);
  if (own && in_memory) generation_ = in_memory->at(reader_.moment());
  if (own && generation_) own_ = std::move(*own);
  find_allowed(limits);
}

/// By a find's plan, of which only the keys are wanted.
void NearestSearch::find_allowed(const json::Limits& limits) {
  if (options_.filter.empty()) return;
  const std::uint64_t moment = reader_.moment();
  // What is kept says nothing of time, and nothing of what the transaction itself has written.
  const bool keeps = generation_ && own_.empty() && !collection_->expires() &&
                     options_.filter.find("$$NOW") == std::string::npos &&
                     !reader_.pending().touches(Keyspace::documents);
  const storage::Sequence touched = keeps ? generation_->touched() : 0;
  if (keeps && (allowed_rows_ = generation_->known(options_.filter, moment))) {
    filtered_ = true;
    const std::string prefix = documents::index_prefix(collection_->id);
    return reader_.note_range(Keyspace::documents, {prefix, key::prefix_end(prefix)});
  }
  model::Filter filter = model::Filter::parse(options_.filter, limits);
  if (filter.empty() && !collection_->expires()) return;
  filtered_ = true;
  filter.set_now(model::Date{reader_.time_us() / 1000});
  const model::Sort any;
  const std::vector<model::Path> nothing;
  documents::Matches matches(reader_, collection_, {filter, any, std::nullopt, {}}, documents::Pace::to_the_end,
                             &nothing);
  const std::size_t prefix = documents::index_prefix(collection_->id).size();
  const bool by_id = !generation_ || !own_.empty();
  std::vector<storage::Row> rows;
  while (matches.next()) {
    const std::string_view id_element = matches.key().substr(prefix);
    if (by_id) allowed_.emplace_back(id_element);
    if (!generation_) continue;
    if (const auto row = generation_->ids().visible(id_element, generation_->versions(), moment)) rows.push_back(*row);
  }
  std::ranges::sort(allowed_);
  if (generation_) allowed_rows_ = std::make_shared<const storage::RowSet>(rows);
  if (keeps && touched <= moment) generation_->keep(options_.filter, touched, allowed_rows_);
}

bool NearestSearch::allows(std::string_view id_element) const {
  return !filtered_ ||
         std::ranges::binary_search(allowed_, id_element, {}, [](const auto& id) { return std::string_view(id); });
}

NearestSearch::Raw NearestSearch::in_memory(std::span<const float> prepared, std::size_t k) {
  VectorQuery query;
  query.vector = prepared;
  query.k = k + own_.size();  // as many of what is found may be the transaction's own, and are no longer as they were
  query.ef = options_.ef;
  query.at = reader_.moment();
  query.allowed = filtered_ ? allowed_rows_.get() : nullptr;
  query.exact = options_.exact;
  if (options_.recall > 0) {
    const auto calibration = generation_->calibration();
    const auto ef = calibration ? calibration->ef_for(options_.recall) : std::nullopt;
    query.ef = ef.value_or(0);
    query.exact = query.exact || !ef || options_.recall == 1;
  }
  const VectorHits found = generation_->search(query);
  Raw raw;
  raw.complete = found.complete;
  raw.strategy = found.strategy;
  raw.visited = found.visited;
  raw.hits.reserve(found.hits.size() + own_.size());
  const vectors::RowIds& ids = generation_->ids();
  for (const storage::VectorHit& hit : found.hits) ids.expect_place(hit.row);
  for (const storage::VectorHit& hit : found.hits) ids.expect_id(hit.row);
  for (const storage::VectorHit& hit : found.hits)
    raw.hits.push_back({std::string(ids.id_of(hit.row)), hit.distance});
  if (!own_.empty()) lay_own_over(prepared, raw);
  return raw;
}

void NearestSearch::lay_own_over(std::span<const float> prepared, Raw& raw) const {
  const auto own = [&](std::string_view id_element) {
    return std::ranges::binary_search(own_, id_element, {}, &vectors::OwnWrite::id_element);
  };
  std::erase_if(raw.hits, [&](const Candidate& hit) { return own(hit.id_element); });
  for (const vectors::OwnWrite& write : own_) {
    if (!write.vector || !allows(write.id_element)) continue;
    const std::vector<float> vector = storage::prepare(index_.options, *write.vector);
    raw.hits.push_back({std::string(write.id_element), codec_.exact(prepared.data(), vector.data())});
    ++raw.visited;
  }
}

NearestSearch::Raw NearestSearch::in_store(std::span<const float> prepared, std::size_t k) {
  Raw raw;
  const auto nearer = [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; };
  vectors::for_each(reader_, index_.id, index_.options.dimensions,
                    [&](std::string_view id_element, std::span<const float> floats) {
                      if (!allows(id_element)) return;
                      const std::vector<float> vector = storage::prepare(index_.options, floats);
                      const float distance = codec_.exact(prepared.data(), vector.data());
                      ++raw.visited;
                      if (raw.hits.size() == k) {
                        if (distance >= raw.hits.front().distance) return;
                        std::ranges::pop_heap(raw.hits, nearer);
                        raw.hits.pop_back();
                      }
                      raw.hits.push_back({std::string(id_element), distance});
                      std::ranges::push_heap(raw.hits, nearer);
                    });
  return raw;
}

NearestSearch::Raw NearestSearch::search(std::span<const float> prepared, std::size_t k) {
  Raw raw = generation_ ? in_memory(prepared, k) : in_store(prepared, k);
  if (!generation_ || !own_.empty())
    std::ranges::sort(raw.hits, [](const Candidate& a, const Candidate& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.id_element < b.id_element;
    });
  if (raw.hits.size() > k) raw.hits.resize(k);
  return raw;
}

bool NearestSearch::drop_expired(Raw& raw) {
  if (!collection_->expires() || filtered_) return false;
  documents::Expiry expiry(*collection_, reader_.time_us());
  std::string key, document;
  return std::erase_if(raw.hits, [&](const Candidate& hit) {
           key = documents::index_prefix(collection_->id);
           key += hit.id_element;
           return !reader_.get(Keyspace::documents, key, document) || expiry.expired(document);
         }) > 0;
}

Neighbours NearestSearch::answer(std::span<const float> prepared, std::string_view without) {
  std::size_t wanted = options_.k + (without.empty() ? 0 : 1);
  Raw raw = search(prepared, wanted);
  for (std::size_t found = raw.hits.size(); drop_expired(raw) && found == wanted; found = raw.hits.size())
    raw = search(prepared, wanted *= 2);
  std::erase_if(raw.hits, [&](const Candidate& hit) { return hit.id_element == without; });
  if (raw.hits.size() > options_.k) raw.hits.resize(options_.k);
  Neighbours out;
  out.complete = raw.complete;
  out.strategy = storage::name(raw.strategy);
  out.visited = raw.visited;
  out.hits.reserve(raw.hits.size());
  for (const Candidate& hit : raw.hits) out.hits.push_back({id_of(hit.id_element), hit.distance});
  return out;
}

Neighbours NearestSearch::to(std::span<const float> vector) {
  return answer(storage::prepare(index_.options, vector), {});
}

Neighbours NearestSearch::to_document(const model::Value& id) {
  std::string element;
  model::append_sort_element(element, id);
  const auto vector = vectors::get(reader_, index_.id, index_.options.dimensions, element);
  if (!vector)
    fail(ErrorCode::not_found,
         text("collection \"", collection_->name, "\": document ", model::to_json(id), " has no vector at \"",
              index_.path.text(), "\""),
         {{"reason", "VectorNotFound"}, {"collection", collection_->name}});
  return answer(storage::prepare(index_.options, *vector), element);
}

/// A string or whole number is read off the element; how another number was written, only the document tells.
DocumentId NearestSearch::id_of(std::string_view id_element) {
  std::string json;
  std::string_view rest = id_element;
  const auto code = static_cast<KeyCode>(rest.front());
  if ((code == KeyCode::string || code == KeyCode::number) && key::read_value_text(rest, json) &&
      (code == KeyCode::string || json.find_first_not_of("-0123456789") == std::string::npos))
    return DocumentId::from_json(std::move(json));
  std::string key = documents::index_prefix(collection_->id);
  key += id_element;
  std::string document;
  if (!reader_.get(Keyspace::documents, key, document))
    fail(ErrorCode::corrupt, text("collection \"", collection_->name, "\": a vector belongs to no document, ",
                                  key::describe_key(id_element), "; run `stele check`"));
  model::MemberScan members(document);
  if (!members.next())
    fail(ErrorCode::corrupt, text("collection \"", collection_->name, "\": a document cannot be read"));
  return DocumentId::from_json(std::string(members.value()));
}

}  // namespace stele::search
