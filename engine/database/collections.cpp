// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/collections.h"

#include "engine/database/collection_scope.h"

namespace stele {

using detail::index_verbs;

namespace detail {

void make_index(Scope& scope,
                const std::function<void(const documents::Write& write, const documents::Write& give_up)>& make) {
  using Body = std::function<void(transaction::Transaction&)>;
  if (scope.transaction)
    return scope.write([&](transaction::Transaction& own) { make([&](const Body& body) { body(own); }, [](const Body&) {}); });
  const Interrupt interrupt = scope.interrupt();
  const auto write = [&](const Body& body) {
    interrupt.check();
    Scope batch = scope;
    batch.options.deadline = interrupt.remaining();
    batch.write(body);
  };
  Scope whatever_happens = scope;
  whatever_happens.options.deadline = {};
  whatever_happens.options.cancel = {};
  // Also when it was declared and then cut short, by a full disk, say: the build goes on in the background.
  try {
    make(write, [&](const Body& body) { whatever_happens.write(body); });
  } catch (...) {
    scope.core->definitions_changed();
    throw;
  }
  scope.core->definitions_changed();
}

}  // namespace detail

std::string Collection::create_index(std::string_view keys, const IndexOptions& options) {
  std::string name;
  detail::make_index(*scope(), [&](const documents::Write& write, const documents::Write& give_up) {
    name = index_verbs(*scope(), name_).create(write, give_up, keys, options);
  });
  return name;
}

bool Collection::drop_index(std::string_view index) {
  return scope()->write([&](transaction::Transaction& own) { return index_verbs(*scope(), name_).drop(own, index); });
}

namespace {
documents::Collections collection_verbs(const detail::Scope& scope) {
  return documents::Collections(scope.core->catalog, scope.core->limits);
}
}  // namespace

void Collection::create(const CollectionOptions& options) {
  scope()->write([&](transaction::Transaction& own) { collection_verbs(*scope()).create(own, name_, options); });
}

void Collection::modify(const CollectionOptions& options) {
  scope()->write([&](transaction::Transaction& own) { collection_verbs(*scope()).modify(own, name_, options); });
}

void Collection::rename(std::string_view to, const RenameOptions& options) {
  scope()->write([&](transaction::Transaction& own) { collection_verbs(*scope()).rename(own, name_, to, options); });
  if (!scope()->transaction) scope()->core->maintenance.look_again();  // a build that was going on lost sight of it
}

bool Collection::drop() {
  const bool dropped =
      scope()->write([&](transaction::Transaction& own) { return collection_verbs(*scope()).drop(own, name_); });
  if (!scope()->transaction) scope()->core->definitions_changed();
  return dropped;
}

}  // namespace stele
