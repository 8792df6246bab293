// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/analysis.h"

#include "engine/base/error.h"
#include "engine/documents/matches.h"
#include "engine/model/type_set.h"
#include "engine/model/value.h"

#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace stele::documents {

using model::Value;
using transaction::Reader;

namespace {

constexpr std::uint64_t sample_max = 1'000'000;
constexpr std::size_t fields_max = 5000;

/// Keys of documents evenly spread over those added, without knowing beforehand how many there will be: each
/// `stride`th is kept, and when there are too many, every second goes and the stride doubles.
class Sample {
 public:
  explicit Sample(std::size_t most) : most_(most) {}

  void add(std::string_view key) {
    if (seen_++ % stride_ != 0) return;
    if (keys_.size() == most_) {
      thin_out();
      if ((seen_ - 1) % stride_ != 0) return;
    }
    keys_.emplace_back(key);
  }

  std::uint64_t seen() const { return seen_; }
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void thin_out() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < keys_.size(); i += 2) std::swap(keys_[kept++], keys_[i]);
    keys_.resize(kept);
    stride_ *= 2;
  }

  const std::size_t most_;
  std::uint64_t seen_ = 0;
  std::uint64_t stride_ = 1;
  std::vector<std::string> keys_;
};

class Fields {
 public:
  void add(const Value& document) {
    ++documents_;
    for (const model::Member& member : document.object()) add(member.name, member.value);
  }

  void append(model::Object& out) const {
    model::Array fields;
    for (const Field& field : fields_) fields.push_back(described(field));
    out.push_back({"fields", Value(std::move(fields))});
    if (!left_out_.empty()) out.push_back({"fields_left_out", Value(static_cast<std::int64_t>(left_out_.size()))});
  }

 private:
  struct Field {
    std::string path;
    std::uint64_t documents = 0;
    std::uint64_t last = 0;  // the number of the last document that has it
    std::map<std::string_view, std::uint64_t> types;
  };

  void add(const std::string& path, const Value& value) {
    if (Field* field = field_at(path)) {
      if (field->last != documents_) ++field->documents;
      field->last = documents_;
      ++field->types[model::type_name(value)];
    }
    if (value.is_object())
      for (const model::Member& member : value.object()) add(path + '.' + member.name, member.value);
    if (value.is_array())
      for (const Value& element : value.array()) add(path + "[]", element);
  }

  Field* field_at(const std::string& path) {
    const auto at = by_path_.find(path);
    if (at != by_path_.end()) return &fields_[at->second];
    if (fields_.size() == fields_max) {
      left_out_.insert(std::hash<std::string>()(path));
      return nullptr;
    }
    by_path_.emplace(path, fields_.size());
    fields_.push_back({path, 0, 0, {}});
    return &fields_.back();
  }

  Value described(const Field& field) const {
    model::Object types;
    for (const auto& [type, values] : field.types)
      types.push_back({std::string(type), Value(static_cast<std::int64_t>(values))});
    return model::Object{{"path", Value(field.path)},
                         {"documents", Value(static_cast<std::int64_t>(field.documents))},
                         {"share", Value(static_cast<double>(field.documents) / static_cast<double>(documents_))},
                         {"types", Value(std::move(types))}};
  }

  std::uint64_t documents_ = 0;
  std::vector<Field> fields_;  // in the order met
  std::unordered_map<std::string, std::size_t> by_path_;
  std::unordered_set<std::size_t> left_out_;  // by their paths' hashes
};

}  // namespace

std::string analyze(Reader& reader, catalog::Catalog::DefinitionPtr collection, std::uint64_t sample) {
  if (sample == 0 || sample > sample_max)
    fail(ErrorCode::invalid, text("analyze: the sample must be 1 to ", sample_max, " documents, not ", sample),
         {{"reason", "InvalidOption"}, {"option", "sample"}});
  const model::Filter every;
  const model::Sort any;
  Sample chosen(sample);
  Matches matches(reader, std::move(collection), {every, any, std::nullopt, {}}, Pace::to_the_end);
  while (matches.next()) chosen.add(matches.key());

  Fields fields;
  model::Parser parser;
  std::string document;
  std::int64_t sampled = 0;
  for (const std::string& key : chosen.keys()) {
    reader.interrupt().check();
    if (!reader.get(storage::Keyspace::documents, key, document)) continue;  // not in a moment that stands still
    fields.add(parser.parse(document));
    ++sampled;
  }
  model::Object out;
  out.push_back({"documents", Value(static_cast<std::int64_t>(chosen.seen()))});
  out.push_back({"sampled", Value(sampled)});
  fields.append(out);
  return model::to_json(Value(std::move(out)));
}

}  // namespace stele::documents
