// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/documents/expiry.h"
#include "engine/documents/plan.h"
#include "engine/model/filter.h"
#include "engine/transaction/reader.h"

#include <memory>
#include <string>
#include <unordered_set>

namespace stele::documents {

/// The documents of a collection that match a filter, as a plan reaches them. Of expired ones none.
class Matches {
 public:
  struct Figures {
    std::uint64_t keys = 0;       // index entries examined
    std::uint64_t documents = 0;  // documents read
  };

  /// `collection` null: there is none, and so no documents. The filter outlives this.
  Matches(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection, const Wanted& wanted);
  Matches(const Matches&) = delete;

  bool next();
  const std::string& key() const { return key_; }
  const std::string& document() const { return document_; }  // until the next move

  const Plan& plan() const { return plan_; }
  const Figures& figures() const { return figures_; }

 private:
  bool next_candidate();
  bool next_of(const Plan& plan);
  bool next_entry(const Plan& plan);
  bool first_time();

  transaction::Reader& reader_;
  const catalog::Catalog::DefinitionPtr collection_;
  const model::Filter& filter_;
  Plan plan_;
  std::optional<Expiry> expiry_;
  model::Scratch scratch_;
  Figures figures_;

  std::size_t branch_ = 0;
  std::size_t range_ = 0;
  std::unique_ptr<transaction::Scan> scan_;
  std::unordered_set<std::string> seen_;  // keys of documents, when the plan repeats some
  std::string key_;
  std::string document_;
};

}  // namespace stele::documents
