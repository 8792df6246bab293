// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/matches.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"

namespace stele::documents {

using storage::Keyspace;
using transaction::Reader;

Matches::Matches(Reader& reader, catalog::Catalog::DefinitionPtr collection, const Wanted& wanted)
    : reader_(reader), collection_(std::move(collection)), filter_(wanted.filter) {
  if (!collection_) {
    plan_.kind = Plan::Kind::nothing;
    return;
  }
  plan_ = make_plan(reader, *collection_, wanted);
  expiry_.emplace(*collection_, collection_->expires() ? reader.time_us() : 0);
}

bool Matches::next() {
  while (next_candidate()) {
    ++figures_.documents;
    reader_.interrupt().check();  // each time: a document may have 16 MB
    if (!filter_.matches_json(document_, scratch_) || expiry_->expired(document_)) continue;
    if (first_time()) return true;
  }
  return false;
}

bool Matches::first_time() { return !plan_.repeats || seen_.insert(key_).second; }

bool Matches::next_candidate() {
  if (plan_.kind != Plan::Kind::branches) return next_of(plan_);
  for (; branch_ < plan_.branches.size(); ++branch_, range_ = 0)
    if (next_of(plan_.branches[branch_])) return true;
  return false;
}

bool Matches::next_of(const Plan& plan) {
  for (; range_ < plan.ranges.size(); ++range_) {
    if (plan.kind == Plan::Kind::ids) {
      key_ = plan.ranges[range_++].begin;
      if (reader_.get(Keyspace::documents, key_, document_)) return true;
      reader_.interrupt().check();
      --range_;
      continue;
    }
    const bool by_index = plan.kind == Plan::Kind::index;
    if (!scan_)
      scan_ = reader_.scan(by_index ? Keyspace::indexes : Keyspace::documents, plan.ranges[range_],
                           transaction::ScanRecord::range, plan.direction);
    if (by_index ? next_entry(plan) : scan_->next()) {
      if (!by_index) {
        key_ = scan_->key();
        document_ = scan_->value();
      }
      return true;
    }
    scan_.reset();
  }
  return false;
}

bool Matches::next_entry(const Plan& plan) {
  while (scan_->next()) {
    ++figures_.keys;
    reader_.interrupt().check();
    key_ = index_prefix(collection_->id);
    key_ += parse_entry(*plan.index, scan_->key(), scan_->value()).id;
    if (plan_.repeats && seen_.contains(key_)) continue;
    if (reader_.get(Keyspace::documents, key_, document_)) return true;
    if (reader_.records()) continue;  // the transaction itself has removed it since the cursor was opened
    fail(ErrorCode::corrupt,
         text("index \"", plan.index->name, "\" of collection \"", collection_->name, "\": an entry names the document ",
              key::describe_key(std::string_view(key_).substr(index_prefix(collection_->id).size())), ", which is not there; drop the index and make it anew (`stele check` lists all)"),
         {{"index", plan.index->name}});
  }
  return false;
}

}  // namespace stele::documents
