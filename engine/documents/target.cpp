// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/target.h"

#include "engine/documents/first_match.h"

#include <algorithm>

namespace stele::documents {
namespace {

using catalog::Index;
using model::Path;
using model::Value;

class CollectionTarget final : public pipeline::Target {
 public:
  CollectionTarget(transaction::Transaction& transaction, catalog::Catalog& catalog, std::string collection,
                   const json::Limits& limits)
      : transaction_(transaction), catalog_(catalog), collection_(std::move(collection)), limits_(limits) {
    transaction_.writes();  // `readonly` before anything is worked out
  }

  void clear() override {
    catalog_.find_or_create(transaction_, catalog::Kind::collection, collection_);
    model::Filter every;
    transaction_.part([&] { verbs().remove_many(transaction_, every); });
  }

  void insert(const Value& document) override {
    transaction_.part([&] { verbs().insert(transaction_, model::to_json(document)); });
  }

  void replace(const Value& document) override {
    transaction_.part([&] { verbs().replace(transaction_, *document.find("_id"), model::to_json(document)); });
  }

  std::optional<Value> find(const Value& document, const std::vector<Path>& on) override {
    if (on.size() == 1 && on[0].text() == "_id") {
      const auto found = verbs().get(transaction_, value_at(document, on[0]));
      return found ? std::optional(model::parse(*found)) : std::nullopt;
    }
    model::Object equality;
    for (const Path& path : on) equality.push_back({path.text(), model::Object{{"$eq", value_at(document, path)}}});
    const model::Filter filter = model::Filter::of(equality, "$merge");
    return transaction_.part([&]() -> std::optional<Value> {
      const auto match = first_match(transaction_, definition(), filter, {});
      if (!match) return std::nullopt;
      return model::parse(match->document);
    });
  }

  bool is_unique(const std::vector<Path>& on) override {
    if (on.size() == 1 && on[0].text() == "_id") return true;
    const auto collection = definition();
    return collection && std::ranges::any_of(collection->indexes, [&](const Index& index) { return fits(index, on); });
  }

 private:
  Documents verbs() const { return Documents(catalog_, collection_, limits_); }
  catalog::Catalog::DefinitionPtr definition() {
    return catalog_.find(transaction_, catalog::Kind::collection, collection_);
  }

  // A partial one leaves documents out, of which several may have the same values; a sparse one only those that have
  // none, which nobody looks for.
  static bool fits(const Index& index, const std::vector<Path>& on) {
    return index.unique && index.state == Index::State::ready && index.partial.empty() &&
           index.fields.size() == on.size() && std::ranges::all_of(index.fields, [&](const catalog::IndexField& field) {
             return std::ranges::any_of(on, [&](const Path& path) { return path.text() == field.path.text(); });
           });
  }

  /// Through objects only.
  static Value value_at(const Value& document, const Path& path) {
    const Value* at = &document;
    for (const model::Step& step : path.steps()) {
      at = at->is_object() ? at->find(step.name) : nullptr;
      if (!at) return {};
    }
    return *at;
  }

  transaction::Transaction& transaction_;
  catalog::Catalog& catalog_;
  const std::string collection_;
  const json::Limits& limits_;
};

}  // namespace

std::unique_ptr<pipeline::Target> make_target(transaction::Transaction& transaction, catalog::Catalog& catalog,
                                              std::string collection, const json::Limits& limits) {
  return std::make_unique<CollectionTarget>(transaction, catalog, std::move(collection), limits);
}

}  // namespace stele::documents
