// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/catalog/definition.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/utf8.h"

#include <algorithm>
#include <limits>

namespace stele::catalog {
namespace {

using model::Object;
using model::Value;

constexpr std::size_t index_fields_max = 32;  // as MongoDB
constexpr json::Limits any_size{std::numeric_limits<std::size_t>::max(), 1000};

[[noreturn]] void refuse_keys(std::string_view rule) {
  fail(ErrorCode::invalid,
       text("index keys: ", rule, R"(; give paths with 1 or -1, such as {"author": 1, "published": -1})"),
       {{"reason", "InvalidIndex"}});
}

bool is_direction(const Value& value) {
  if (!value.is_number()) return false;
  return value.number() == 1 || value.number() == -1;
}

void check_path(std::string_view path) {
  if (path.empty()) refuse_keys("a path is empty");
  if (path.starts_with('$') || path.find(".$") != std::string_view::npos)
    refuse_keys(text("the path \"", path, "\" has a step that begins with '$'"));
  if (path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string_view::npos)
    refuse_keys(text("the path \"", path, "\" has an empty step"));
}

std::vector<IndexField> fields_of(const Value& keys) {
  if (!keys.is_object() || keys.object().empty()) refuse_keys("they must be an object with at least one path");
  if (keys.object().size() > index_fields_max) refuse_keys(text("at most ", index_fields_max, " paths are allowed"));
  std::vector<IndexField> fields;
  for (const model::Member& member : keys.object()) {
    check_path(member.name);
    if (member.value.is_string())
      fail(ErrorCode::unsupported,
           text("index keys: \"", member.name, "\" asks for an index of the kind ", model::to_json(member.value),
                ", which is not offered; give 1 or -1"),
           {{"reason", "InvalidIndex"}});
    if (!is_direction(member.value))
      refuse_keys(text("\"", member.name, "\" has the direction ", model::to_json(member.value)));
    fields.push_back({model::Path(member.name), member.value.number() < 0});
  }
  return fields;
}

Value to_value(const Index& index) {
  Object out;
  out.push_back({"id", Value(static_cast<std::int64_t>(index.id))});
  out.push_back({"name", Value(index.name)});
  out.push_back({"keys", model::parse(index.keys_json())});
  if (index.unique) out.push_back({"unique", Value(true)});
  if (index.sparse) out.push_back({"sparse", Value(true)});
  if (!index.partial.empty()) out.push_back({"partial", model::parse(index.partial)});
  if (index.expire_after_seconds) out.push_back({"expire_after_seconds", Value(*index.expire_after_seconds)});
  out.push_back({"state", Value(name(index.state))});
  if (!index.failure.empty()) out.push_back({"failure", Value(index.failure)});
  return Value(std::move(out));
}

// A member that is missing or of another type throws: the caller makes it `corrupt`.
const Value& member(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  if (!value) fail(ErrorCode::corrupt, text("no ", name));
  return *value;
}

bool flag(const Value& object, std::string_view name) {
  const Value* value = object.find(name);
  return value && value->boolean();
}

Index index_of(const Value& object) {
  Index index;
  index.id = static_cast<std::uint64_t>(member(object, "id").integer());
  index.name = member(object, "name").string();
  index.fields = fields_of(member(object, "keys"));
  index.unique = flag(object, "unique");
  index.sparse = flag(object, "sparse");
  if (const Value* partial = object.find("partial")) {
    index.partial = model::to_json(*partial);
    index.partial_filter = std::make_shared<const model::Filter>(model::Filter::of(*partial, "partial filter"));
  }
  if (const Value* seconds = object.find("expire_after_seconds")) index.expire_after_seconds = seconds->integer();
  const std::string& state = member(object, "state").string();
  index.state = state == "ready"    ? Index::State::ready
                : state == "failed" ? Index::State::failed
                                    : Index::State::building;
  if (const Value* failure = object.find("failure")) index.failure = failure->string();
  return index;
}

VectorIndex vector_index_of(const Value& object) {
  const auto figure = [&](std::string_view what) { return static_cast<std::uint32_t>(member(object, what).integer()); };
  VectorIndex index;
  index.id = static_cast<std::uint64_t>(member(object, "id").integer());
  index.path = parse_vector_path(member(object, "path").string());
  index.options.dimensions = figure("dimensions");
  const std::string& metric = member(object, "metric").string();
  index.options.metric = metric == "l2" ? Metric::l2 : metric == "ip" ? Metric::ip : Metric::cosine;
  const std::string& kept = member(object, "quantization").string();
  index.options.quantization = kept == "none"   ? Quantization::none
                               : kept == "bf16" ? Quantization::bf16
                                                : Quantization::int8;
  index.options.m = figure("m");
  index.options.ef_construction = figure("ef_construction");
  index.building = object.find("state") != nullptr;
  return index;
}

}  // namespace

std::string_view name(Metric metric) {
  switch (metric) {
    case Metric::l2: return "l2";
    case Metric::ip: return "ip";
    default: return "cosine";
  }
}

std::string_view name(Quantization quantization) {
  switch (quantization) {
    case Quantization::none: return "none";
    case Quantization::bf16: return "bf16";
    default: return "int8";
  }
}

model::Path parse_vector_path(std::string_view path) {
  const auto refuse = [&](std::string_view rule) {
    fail(ErrorCode::invalid, text("vector index: the path \"", path.substr(0, 100), "\" ", rule),
         {{"reason", "InvalidIndex"}});
  };
  if (path.empty()) refuse("is empty; name a member, such as \"embedding\"");
  if (path.size() > 255) refuse("has more than 255 bytes");
  if (path == "_id" || path.starts_with("_id.")) refuse("is the _id's; take another");
  if (path.starts_with('$') || path.find(".$") != std::string_view::npos) refuse("has a step that begins with '$'");
  if (path.starts_with('.') || path.ends_with('.') || path.find("..") != std::string_view::npos)
    refuse("has an empty step");
  if (path.find('\0') != std::string_view::npos || !is_utf8(path)) refuse("is not valid UTF-8 without NUL");
  return model::Path(path);
}

Value to_value(const VectorIndex& index) {
  Object out;
  out.push_back({"id", Value(static_cast<std::int64_t>(index.id))});
  out.push_back({"path", Value(index.path.text())});
  out.push_back({"dimensions", Value(std::int64_t{index.options.dimensions})});
  out.push_back({"metric", Value(name(index.options.metric))});
  out.push_back({"quantization", Value(name(index.options.quantization))});
  out.push_back({"m", Value(std::int64_t{index.options.m})});
  out.push_back({"ef_construction", Value(std::int64_t{index.options.ef_construction})});
  if (index.building) out.push_back({"state", Value("building")});
  return Value(std::move(out));
}

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::stream: return "stream";
    case Kind::cache: return "cache";
    default: return "collection";
  }
}

std::string_view name(Index::State state) {
  switch (state) {
    case Index::State::ready: return "ready";
    case Index::State::failed: return "failed";
    default: return "building";
  }
}

std::string_view name(ValidationAction action) { return action == ValidationAction::warn ? "warn" : "error"; }
std::string_view name(ValidationLevel level) { return level == ValidationLevel::moderate ? "moderate" : "strict"; }

void set_options(Definition& definition, const CollectionOptions& options, const json::Limits& limits) {
  definition.options = options;
  definition.validator = nullptr;
  if (options.validator.empty()) return;
  const Value validator = model::parse(json::minify(options.validator, limits, "validator"));
  auto filter = model::Filter::of(validator, text("collection \"", definition.name, "\", validator"));
  definition.options.validator = filter.empty() ? "" : model::to_json(validator);
  if (!filter.empty()) definition.validator = std::make_shared<const model::Filter>(std::move(filter));
}

std::string Index::keys_json() const {
  Object keys;
  for (const IndexField& field : fields) keys.push_back({field.path.text(), Value(field.descending ? -1 : 1)});
  return model::to_json(Value(std::move(keys)));
}

const Index* Definition::index(std::string_view index_name) const {
  const auto found = std::ranges::find(indexes, index_name, &Index::name);
  return found == indexes.end() ? nullptr : &*found;
}

const VectorIndex* Definition::vector_index(std::string_view path) const {
  const auto found = std::ranges::find(vector_indexes, path, [](const VectorIndex& i) -> auto& { return i.path.text(); });
  return found == vector_indexes.end() ? nullptr : &*found;
}

bool Definition::expires() const {
  return std::ranges::any_of(
      indexes, [](const Index& index) { return index.expire_after_seconds && index.state == Index::State::ready; });
}

std::vector<IndexField> parse_index_fields(std::string_view json, const json::Limits& limits) {
  return fields_of(model::parse(json::minify(json, limits, "index keys")));
}

std::string default_index_name(const std::vector<IndexField>& fields) {
  std::string name;
  for (const IndexField& field : fields)
    name += text(name.empty() ? "" : "_", field.path.text(), "_", field.descending ? "-1" : "1");
  return name;
}

std::string to_json(const Definition& definition) {
  Object out;
  out.push_back({"id", Value(static_cast<std::int64_t>(definition.id))});
  if (!definition.indexes.empty()) {
    model::Array indexes;
    for (const Index& index : definition.indexes) indexes.push_back(to_value(index));
    out.push_back({"indexes", Value(std::move(indexes))});
  }
  if (!definition.vector_indexes.empty()) {
    model::Array indexes;
    for (const VectorIndex& index : definition.vector_indexes) indexes.push_back(to_value(index));
    out.push_back({"vector_indexes", Value(std::move(indexes))});
  }
  if (!definition.settings.empty()) out.push_back({"settings", model::parse(definition.settings)});
  const CollectionOptions& options = definition.options;
  if (!options.validator.empty()) out.push_back({"validator", model::parse(options.validator)});
  if (options.validation_action != ValidationAction::error)
    out.push_back({"validation_action", Value(name(options.validation_action))});
  if (options.validation_level != ValidationLevel::strict)
    out.push_back({"validation_level", Value(name(options.validation_level))});
  return model::to_json(Value(std::move(out)));
}

Definition parse_definition(Kind kind, std::string_view name, std::string_view json) {
  try {
    const Value value = model::parse(json);
    Definition definition;
    definition.kind = kind;
    definition.name = name;
    const std::int64_t id = member(value, "id").integer();
    if (id <= 0) fail(ErrorCode::corrupt, "no id");
    definition.id = static_cast<std::uint64_t>(id);
    if (const Value* indexes = value.find("indexes"))
      for (const Value& index : indexes->array()) definition.indexes.push_back(index_of(index));
    if (const Value* indexes = value.find("vector_indexes"))
      for (const Value& index : indexes->array()) definition.vector_indexes.push_back(vector_index_of(index));
    if (const Value* settings = value.find("settings")) definition.settings = model::to_json(*settings);
    CollectionOptions options;
    if (const Value* validator = value.find("validator")) options.validator = model::to_json(*validator);
    if (value.find("validation_action")) options.validation_action = ValidationAction::warn;
    if (value.find("validation_level")) options.validation_level = ValidationLevel::moderate;
    set_options(definition, options, any_size);
    return definition;
  } catch (const std::exception& error) {
    fail(ErrorCode::corrupt, text("catalog: the definition of \"", name, "\" cannot be read (", error.what(),
                                  "); run `stele check` and restore the store from a backup; it is ", json));
  }
}

}  // namespace stele::catalog
