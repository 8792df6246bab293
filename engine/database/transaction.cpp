// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/database/scope.h"

namespace stele {

using transaction::Parameters;

Snapshot::~Snapshot() {
  // Ends here, even when handles taken from it live on: they then say that it has ended.
  if (scope_ && scope_->transaction) scope_->transaction->rollback();
}

Snapshot& Snapshot::operator=(Snapshot&& other) noexcept {
  std::swap(scope_, other.scope_);
  return *this;
}

const std::shared_ptr<detail::Scope>& Snapshot::scope() const {
  return detail::held(scope_, "transaction");
}

Rows Snapshot::run_sql(std::string_view statement, std::span<const Value> parameters) const {
  const auto& own = scope()->transaction;
  return detail::rows_of(own->statement([&] { return own->sql(statement, Parameters{parameters, {}, false}); }), own);
}

Rows Snapshot::run_sql(std::string_view statement, std::span<const NamedValue> parameters) const {
  const auto& own = scope()->transaction;
  return detail::rows_of(own->statement([&] { return own->sql(statement, Parameters{{}, parameters, true}); }), own);
}

CollectionReader Snapshot::collection(std::string_view name) const { return CollectionReader(scope(), std::string(name)); }
StreamReader Snapshot::stream(std::string_view name) const { return StreamReader(scope(), std::string(name)); }

CacheReader Snapshot::cache(std::string_view name) const { return CacheReader(scope(), std::string(name)); }

std::vector<std::string> Snapshot::caches() const {
  return scope()->read([&](transaction::Reader& reader) { return scope()->core->catalog.list(reader, catalog::Kind::cache); });
}

std::vector<std::string> Snapshot::collections() const {
  return scope()->read(
      [&](transaction::Reader& reader) { return scope()->core->catalog.list(reader, catalog::Kind::collection); });
}

std::vector<std::string> Snapshot::streams() const {
  return scope()->read([&](transaction::Reader& reader) { return scope()->core->catalog.list(reader, catalog::Kind::stream); });
}

std::uint64_t Snapshot::gseq() const {
  return scope()->read([](transaction::Reader& reader) { return reader.moment(); });
}

Collection Transaction::collection(std::string_view name) { return Collection(scope(), std::string(name)); }
Stream Transaction::stream(std::string_view name) { return Stream(scope(), std::string(name)); }

Cache Transaction::cache(std::string_view name) { return Cache(scope(), std::string(name)); }

void Transaction::savepoint(std::string_view name) { scope()->transaction->savepoint(name); }
void Transaction::rollback_to(std::string_view name) { scope()->transaction->rollback_to(name); }
void Transaction::release(std::string_view name) { scope()->transaction->release(name); }

namespace {
void check_may_end(const detail::Scope& scope) {
  if (scope.inside_write)
    fail(ErrorCode::invalid,
         "commit and rollback: not inside the body of Database::write, which commits when the body returns and rolls back "
         "when it throws; use Database::begin to end a transaction by hand",
         {{"reason", "inside_write"}});
}
}  // namespace

std::uint64_t Transaction::commit() {
  check_may_end(*scope());
  const bool wrote_meta = scope()->transaction->wrote_meta();
  const std::uint64_t number = scope()->transaction->commit();
  if (wrote_meta) scope()->core->definitions_changed();
  return number;
}

void Transaction::rollback() {
  check_may_end(*scope());
  scope()->transaction->rollback();
}

}  // namespace stele
