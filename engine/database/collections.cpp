// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/collections.h"

#include "engine/database/collection_scope.h"

#include <functional>

namespace stele {

using detail::index_verbs;

std::string Collection::create_index(std::string_view keys, const IndexOptions& options) {
  using Body = std::function<void(transaction::Transaction&)>;
  const documents::Indexes verbs = index_verbs(*scope(), name_);
  if (scope()->transaction)  // one statement: all of it, or nothing
    return scope()->write([&](transaction::Transaction& own) {
      // When it is interrupted the statement is undone: nothing is to be removed.
      return verbs.create([&](const Body& body) { body(own); }, [](const Body&) {}, keys, options);
    });
  // One deadline for all the batches together.
  const Interrupt interrupt = scope()->interrupt();
  const auto write = [&](const Body& body) {
    interrupt.check();
    detail::Scope batch = *scope();
    batch.options.deadline = interrupt.remaining();
    batch.write(body);
  };
  detail::Scope whatever_happens = *scope();
  whatever_happens.options.deadline = {};
  whatever_happens.options.cancel = {};
  // Also when it was declared and then cut short, by a full disk, say: the build goes on in the background.
  try {
    std::string name = verbs.create(write, [&](const Body& body) { whatever_happens.write(body); }, keys, options);
    scope()->core->maintenance.look_again();
    return name;
  } catch (...) {
    scope()->core->maintenance.look_again();
    throw;
  }
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
