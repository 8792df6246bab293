// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/bulk_insert.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/documents.h"
#include "engine/documents/expiry.h"
#include "engine/documents/sifters.h"
#include "engine/documents/writer.h"

#include <algorithm>
#include <functional>
#include <future>
#include <numeric>
#include <unordered_map>

namespace stele::documents {

using storage::Keyspace;
using transaction::Record;
using transaction::Transaction;

namespace {

constexpr std::size_t documents_between_interrupt_checks = 256;
constexpr std::size_t documents_worth_a_thread = 256;

class BulkInsert {
 public:
  BulkInsert(Transaction& transaction, const catalog::Definition& collection)
      : transaction_(transaction), collection_(collection), writer_(transaction, collection) {}

  void insert(std::span<const model::NewDocument> documents) {
    for (const model::NewDocument& document : documents) keys_.push_back(document_key(collection_.id, document.id));
    find_stored();
    std::optional<Expiry> expiry;
    if (collection_.expires()) expiry.emplace(collection_, transaction_.time_us());
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (i % documents_between_interrupt_checks == 0) transaction_.interrupt().check();
      const auto stored = stored_.find(i);
      const bool there = stored != stored_.end();
      if (again_[i] || (there && !(expiry && expiry->expired(stored->second))))
        fail_duplicate_id(collection_.name, documents[i].id);
      // What has expired may be gone since, to make room for a unique value of a document before this one.
      std::string expired;
      const bool still = there && transaction_.get(Keyspace::documents, keys_[i], expired, Record::binding);
      writer_.put(keys_[i], still ? std::optional<std::string_view>(expired) : std::nullopt, documents[i].text);
    }
  }

 private:
  /// What is there under the ids already, and which ids stand earlier in the list.
  void find_stored() {
    std::vector<std::size_t> ascending(keys_.size());
    std::iota(ascending.begin(), ascending.end(), std::size_t{0});
    const auto key_of = [this](std::size_t i) -> const std::string& { return keys_[i]; };
    if (!std::ranges::is_sorted(keys_)) std::ranges::stable_sort(ascending, {}, key_of);
    again_.assign(keys_.size(), false);
    std::vector<std::string_view> keys;
    std::vector<std::size_t> places;
    for (const std::size_t i : ascending) {
      again_[i] = !keys.empty() && keys.back() == keys_[i];
      if (again_[i]) continue;
      keys.push_back(keys_[i]);
      places.push_back(i);
    }
    if (none_between(keys.front(), keys.back())) {
      for (const std::string_view key : keys) transaction_.note_read(Keyspace::documents, key, Record::binding);
      return;
    }
    transaction_.get_many(
        Keyspace::documents, keys,
        [&](std::size_t i, std::string_view document) { return stored_.emplace(places[i], document).second; },
        Record::binding);
  }

  /// Nothing in [first, last]: the usual case with ids that ascend, and one step instead of a search for each. What
  /// appears there meanwhile is no conflict unless it has one of our ids.
  bool none_between(std::string_view first, std::string_view last) {
    const auto scan = transaction_.scan(Keyspace::documents, {std::string(first), std::string(last) + '\0'},
                                        transaction::ScanRecord::none);
    return !scan->next() && transaction_.pending().entries(Keyspace::documents).empty();
  }

  Transaction& transaction_;
  const catalog::Definition& collection_;
  Writer writer_;
  std::vector<std::string> keys_;  // in the order of the list
  std::vector<bool> again_;
  std::unordered_map<std::size_t, std::string> stored_;  // by place in the list
};

}  // namespace

Checked check_in_order(std::span<const std::string> documents, const json::Limits& limits) {
  Checked checked;
  checked.documents.reserve(documents.size());
  for (const std::string& document : documents) {
    try {
      checked.documents.push_back(model::new_document(document, limits));
    } catch (...) {
      checked.refused = std::current_exception();
      break;
    }
  }
  return checked;
}

Checked check_documents(std::span<const std::string> documents, const json::Limits& limits) {
  const std::size_t half =
      documents.size() >= documents_worth_a_thread && Sifters::useful() > 0 ? documents.size() / 2 : documents.size();
  std::future<Checked> others;  // deferred when there is no thread to be had
  if (half < documents.size()) others = std::async(check_in_order, documents.subspan(half), std::cref(limits));
  Checked checked = check_in_order(documents.first(half), limits);
  if (!others.valid()) return checked;
  Checked rest = others.get();
  if (checked.refused) return checked;
  std::ranges::move(rest.documents, std::back_inserter(checked.documents));
  checked.refused = rest.refused;
  return checked;
}

void bulk_insert(Transaction& transaction, const catalog::Definition& collection, const Checked& checked) {
  if (!checked.documents.empty()) BulkInsert(transaction, collection).insert(checked.documents);
  if (checked.refused) std::rethrow_exception(checked.refused);
}

void fail_duplicate_id(std::string_view collection, const model::Value& id) {
  fail(ErrorCode::exists,
       text("collection \"", collection, "\": a document with _id ", model::to_json(id),
            " exists already; use replace or put to overwrite it, or leave _id out to get a new one"),
       {{"reason", "DuplicateId"}, {"collection", std::string(collection)}, {"id", model::to_json(id)}});
}

}  // namespace stele::documents
