// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/writer.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/expiry.h"
#include "engine/model/member_scan.h"

#include <algorithm>

namespace stele::documents {

using catalog::Index;
using model::Value;
using storage::Keyspace;
using transaction::Record;
using transaction::Transaction;

Writer::Writer(Transaction& transaction, const catalog::Definition& collection)
    : transaction_(transaction),
      collection_(collection),
      validator_(collection, transaction.time_us()),
      vectors_(transaction, collection),
      id_from_(index_prefix(collection.id).size()) {
  bool whole = false;
  for (const Index& index : collection.indexes) {
    if (!index.maintained()) continue;
    maintained_.push_back(&index);
    all_ready_ = all_ready_ && index.state == Index::State::ready;
    whole = whole || index.partial_filter;
    for (const catalog::IndexField& field : index.fields) {
      const std::string& member = field.path.steps().front().name;
      if (std::ranges::find(members_, member) == members_.end()) members_.push_back(member);
    }
  }
  if (whole) members_.clear();
}

/// The members that entries are made of. Where nothing stands in the way they are read off the text.
Value Writer::parse(std::string_view document) {
  if (members_.empty()) return parser_.parse(document);
  Value value = model::Object();
  model::MemberScan scan(document);
  while (value.object().size() < members_.size() && scan.next()) {
    if (std::ranges::find(members_, scan.name()) == members_.end()) continue;
    const bool plain = scan.value() != "-0";  // an entry must not say that it holds this as it stands
    value.object().push_back({std::string(scan.name()), plain ? model::read_value(scan.value(), parser_) : parser_.parse(scan.value())});
  }
  if (scan.stopped()) parser_.parse_members(document, members_, value);
  return value;
}

/// True when all that entries are made of stands in both with the same bytes.
bool Writer::same_members(std::string_view before, std::string_view after) const {
  if (members_.empty()) return false;
  const auto read = [&](std::string_view document, std::vector<std::string_view>& values) {
    values.assign(members_.size(), {});
    model::MemberScan scan(document);
    for (std::size_t found = 0; found < members_.size() && scan.next();) {
      const auto member = std::ranges::find(members_, scan.name());
      if (member == members_.end()) continue;
      values[static_cast<std::size_t>(member - members_.begin())] = scan.value();
      ++found;
    }
    return !scan.stopped();
  };
  std::vector<std::string_view> old, fresh;
  return read(before, old) && read(after, fresh) && old == fresh;
}

void Writer::put(std::string_view document_key, std::optional<std::string_view> before, std::string_view after) {
  validator_.check(before, after);
  if (!maintained_.empty() && !(before && all_ready_ && same_members(*before, after))) {
    const std::optional<Value> old = before ? std::optional(parse(*before)) : std::nullopt;
    const Value fresh = parse(after);
    change(document_key, old ? &*old : nullptr, &fresh);
  }
  if (vectors_.any()) vectors_.put(document_key.substr(id_from_), before, after);
  transaction_.writes().put(Keyspace::documents, document_key, after);
}

void Writer::erase(std::string_view document_key, std::string_view before) {
  if (!maintained_.empty()) {
    const Value old = parse(before);
    change(document_key, &old, nullptr);
  }
  if (vectors_.any()) vectors_.erase(document_key.substr(id_from_));
  transaction_.writes().erase(Keyspace::documents, document_key);
}

void Writer::add_entries(const Index& index, std::string_view document_key, const Value& document) {
  const std::string_view id = document_key.substr(id_from_);
  std::uint32_t through_array = 0;
  for (const IndexEntry& entry : index_entries(index, document, id, &through_array)) put_entry(index, entry, id);
  note_multikey(index, through_array);
}

void Writer::change(std::string_view document_key, const Value* before, const Value* after) {
  const std::string_view id = document_key.substr(id_from_);
  for (const Index* index : maintained_) {
    const std::vector<IndexEntry> gone = before ? index_entries(*index, *before, id) : std::vector<IndexEntry>();
    std::uint32_t through_array = 0;
    const std::vector<IndexEntry> come = after ? index_entries(*index, *after, id, &through_array) : std::vector<IndexEntry>();
    note_multikey(*index, through_array);
    if (gone == come && index->state == Index::State::ready) continue;
    // What goes first makes room in a unique index for what comes.
    for (const IndexEntry& entry : gone)
      if (!std::ranges::binary_search(come, entry.key, {}, &IndexEntry::key)) erase_entry(*index, entry, id);
    for (const IndexEntry& entry : come) put_entry(*index, entry, id);
  }
}

void Writer::put_entry(const Index& index, const IndexEntry& entry, std::string_view id_element) {
  if (index.unique) {
    std::string present;
    if (transaction_.get(Keyspace::indexes, entry.key, present, Record::binding) &&
        parse_entry(index, entry.key, present).id != id_element &&
        !remove_expired(parse_entry(index, entry.key, present).id)) {
      const std::string values = key::describe_key(parse_entry(index, entry.key, present).fields);
      fail(ErrorCode::exists,
           text("collection \"", collection_.name, "\": another document has the values ", values, " of the unique index \"",
                index.name, "\" ", index.keys_json(), "; change one of them"),
           {{"reason", "DuplicateKey"}, {"collection", collection_.name}, {"index", index.name}, {"key", values}});
    }
  }
  transaction_.writes().put(Keyspace::indexes, entry.key, entry.value);
}

void Writer::erase_entry(const Index& index, const IndexEntry& entry, std::string_view id_element) {
  // While a unique index is being built, the entry may be another document's already.
  if (index.unique && index.state == Index::State::building) {
    std::string present;
    if (!transaction_.get(Keyspace::indexes, entry.key, present, Record::binding) ||
        parse_entry(index, entry.key, present).id != id_element)
      return;
  }
  transaction_.writes().erase(Keyspace::indexes, entry.key);
}

/// What nobody can see any more holds no unique value: makes room.
bool Writer::remove_expired(std::string_view id_element) {
  if (!collection_.expires()) return false;
  std::string key = index_prefix(collection_.id);
  key += id_element;
  std::string document;
  if (!transaction_.get(Keyspace::documents, key, document, Record::binding)) return false;
  if (!Expiry(collection_, transaction_.time_us()).expired(document)) return false;
  Writer(transaction_, collection_).erase(key, document);
  return true;
}

void Writer::note_multikey(const Index& index, std::uint32_t fields) {
  std::string present;
  for (std::size_t field = 0; fields != 0; ++field, fields >>= 1) {
    if ((fields & 1) == 0) continue;
    const std::string key = multikey_key(index.id, field);
    if (!transaction_.get(Keyspace::indexes, key, present)) transaction_.writes().put(Keyspace::indexes, key, {});
  }
}

}  // namespace stele::documents
