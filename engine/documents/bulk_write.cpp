// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/bulk_write.h"

#include "engine/base/error.h"

namespace stele::documents {

using transaction::Transaction;
using BulkKind = BulkOperation::Kind;

namespace {

/// The operation was refused, not the transaction.
bool concerns_operation(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
    case ErrorCode::constraint:
    case ErrorCode::exists:
    case ErrorCode::too_large:
    case ErrorCode::out_of_range:
    case ErrorCode::unsupported: return true;
    default: return false;
  }
}

[[noreturn]] void fail_at(std::size_t index, const Error& error) {
  Error::Detail detail = error.detail();
  detail["index"] = std::to_string(index);
  throw Error(error.code(), text("operations[", index, "]: ", error.message()), std::move(detail));
}

class Bulk {
 public:
  Bulk(Transaction& transaction, const Documents& documents, const json::Limits& limits)
      : transaction_(transaction), documents_(documents), limits_(limits) {}

  void run(std::size_t index, const BulkOperation& operation) {
    switch (operation.kind) {
      case BulkKind::insert_one: return insert(index, operation);
      case BulkKind::update_many: return update_many(index, operation);
      case BulkKind::update_one: return revise(index, operation, update_of(operation));
      case BulkKind::replace_one: return revise(index, operation, Revision::replacement(operation.document, limits_));
      case BulkKind::delete_one:
      case BulkKind::delete_many: return remove(operation);
    }
  }

  BulkResult result;

 private:
  Revision update_of(const BulkOperation& operation) const {
    return Revision::update(operation.document, operation.options.array_filters, limits_);
  }

  void insert(std::size_t index, const BulkOperation& operation) {
    const model::Value id = documents_.insert(transaction_, operation.document);
    ++result.inserted;
    result.inserted_ids.emplace(index, DocumentId::from_json(model::to_json(id)));
  }

  void note_upserted(std::size_t index, const std::optional<model::Value>& id) {
    if (id) result.upserted_ids.emplace(index, DocumentId::from_json(model::to_json(*id)));
  }

  void update_many(std::size_t index, const BulkOperation& operation) {
    if (!operation.options.sort.empty())
      fail(ErrorCode::invalid, "update_many: a sort is for the operations on one document; leave it out",
           {{"reason", "InvalidOption"}, {"option", "sort"}});
    model::Filter filter = model::Filter::parse(operation.filter, limits_);
    const auto done = documents_.update_many(transaction_, filter, update_of(operation), operation.options.upsert);
    result.matched += done.matched;
    result.modified += done.modified;
    note_upserted(index, done.upserted_id);
  }

  void revise(std::size_t index, const BulkOperation& operation, const Revision& revision) {
    if (operation.kind == BulkKind::replace_one && !operation.options.array_filters.empty())
      fail(ErrorCode::invalid, "replace_one: array filters are for updates; leave them out",
           {{"reason", "InvalidOption"}, {"option", "array_filters"}});
    model::Filter filter = model::Filter::parse(operation.filter, limits_);
    const model::Sort sort = model::Sort::parse(operation.options.sort, limits_);
    const auto done = documents_.revise_one(transaction_, filter, sort, revision, operation.options.upsert);
    result.matched += done.before ? 1 : 0;
    result.modified += done.modified ? 1 : 0;
    note_upserted(index, done.upserted_id);
  }

  void remove(const BulkOperation& operation) {
    model::Filter filter = model::Filter::parse(operation.filter, limits_);
    if (operation.kind == BulkKind::delete_many)
      result.deleted += documents_.remove_many(transaction_, filter);
    else if (documents_.remove_one(transaction_, filter, {}))
      ++result.deleted;
  }

  Transaction& transaction_;
  const Documents& documents_;
  const json::Limits& limits_;
};

}  // namespace

BulkResult bulk_write(Transaction& transaction, const Documents& documents, const json::Limits& limits,
                      std::span<const BulkOperation> operations, OnRefusal on_refusal) {
  Bulk bulk(transaction, documents, limits);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    transaction.interrupt().check();
    try {
      transaction.part([&] { bulk.run(i, operations[i]); });
    } catch (const Error& error) {
      if (!concerns_operation(error.code())) throw;
      if (on_refusal == OnRefusal::undo_all) fail_at(i, error);
      bulk.result.refusals.push_back({i, error});
      if (on_refusal == OnRefusal::stop) break;
    }
  }
  return std::move(bulk.result);
}

}  // namespace stele::documents
