// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/json_schema_node.h"

#include <algorithm>
#include <iterator>

namespace stele::model {
namespace {

using Node = Schema::Node;
using Child = Node::Child;

constexpr std::string_view keywords_not_offered[] = {"$ref",   "$schema", "default",         "definitions",
                                            "format", "id",      "encryptMetadata", "encrypt"};

class SchemaReader {
 public:
  SchemaReader(std::string_view what, std::string path) : what_(what), path_(std::move(path)) {}

  Child read(const Value& schema) {
    if (!schema.is_object()) refuse("", R"(a schema is an object, such as {"bsonType": "object"})");
    for (const Member& member : schema.object()) keyword(member);
    check_companions(schema);
    return std::make_shared<const Node>(std::move(node_));
  }

 private:
  struct Keyword {
    std::string_view name;
    void (SchemaReader::*read)(const Member&);
  };
  static const std::vector<Keyword>& keywords();

  [[noreturn]] void refuse(std::string_view name, std::string_view rule, ErrorCode code = ErrorCode::invalid) const {
    fail(code, text(where(name), ": ", rule), {{"reason", "Schema"}, {"keyword", std::string(name)}, {"path", path_}});
  }

  std::string where(std::string_view name) const {
    std::string out(what_);
    if (!path_.empty()) out += text(", at \"", path_, '"');
    if (!name.empty()) out += text(": ", name);
    return out;
  }

  Child child(const Value& schema, std::string_view step) const {
    return SchemaReader(what_, text(path_, path_.empty() ? "" : ".", step)).read(schema);
  }

  void keyword(const Member& member) {
    const auto known = std::ranges::find(keywords(), member.name, &Keyword::name);
    if (known != keywords().end()) return (this->*known->read)(member);
    if (std::ranges::find(keywords_not_offered, member.name) != std::end(keywords_not_offered))
      refuse(member.name, "the keyword is not offered", ErrorCode::unsupported);
    std::string names;
    for (const Keyword& keyword : keywords()) names += text(' ', keyword.name);
    refuse(member.name, text("unknown keyword; known:", names));
  }

  void check_companions(const Value& schema) const {
    if (schema.find("type") && schema.find("bsonType")) refuse("bsonType", "stands beside type; give one of them");
    if (node_.exclusive_minimum && !node_.minimum) refuse("exclusiveMinimum", "needs minimum beside it");
    if (node_.exclusive_maximum && !node_.maximum) refuse("exclusiveMaximum", "needs maximum beside it");
  }

  // Operands

  const Value& number(const Member& member) const {
    if (!member.value.is_number()) refuse(member.name, text("needs a number, not ", model::name(member.value.type())));
    return member.value;
  }

  std::uint64_t count(const Member& member) const {
    const double n = number(member).number();
    if (n < 0 || n >= 0x1p63 || n != static_cast<double>(static_cast<std::int64_t>(n)))
      refuse(member.name, "needs a whole number, 0 or more");
    return static_cast<std::uint64_t>(n);
  }

  bool boolean(const Member& member, std::string_view cure = "") const {
    if (member.value.type() != Type::boolean)
      refuse(member.name, text("needs true or false, not ", model::name(member.value.type()), cure));
    return member.value.boolean();
  }

  std::vector<std::string> names(const Member& member, const Value& list) const {
    std::vector<std::string> out;
    if (!list.is_array() || list.array().empty()) refuse(member.name, "needs an array of one or more names");
    for (const Value& name : list.array()) {
      if (!name.is_string()) refuse(member.name, "needs names, which are strings");
      if (std::ranges::find(out, name.string()) != out.end())
        refuse(member.name, text("names \"", name.string(), "\" twice"));
      out.push_back(name.string());
    }
    return out;
  }

  const Object& object(const Member& member) const {
    if (!member.value.is_object()) refuse(member.name, text("needs an object, not ", model::name(member.value.type())));
    return member.value.object();
  }

  std::vector<Child> schemas(const Member& member) const {
    if (!member.value.is_array() || member.value.array().empty())
      refuse(member.name, "needs an array of one or more schemas");
    std::vector<Child> out;
    for (const Value& schema : member.value.array()) out.push_back(child(schema, text(member.name, '.', out.size())));
    return out;
  }

  void boolean_or_schema(const Member& member, bool& allowed, Child& schema) const {
    if (member.value.is_object())
      schema = child(member.value, member.name);
    else
      allowed = boolean(member, "; a schema is an object");
  }

  // Keywords

  void type(const Member& m) {
    node_.types = TypeSet::parse_json_types(m.value, where(m.name));
    node_.json_types = true;
  }
  void bson_type(const Member& m) {
    const Array one = {m.value};
    for (const Value& name : m.value.is_array() ? m.value.array() : one)
      if (!name.is_string()) refuse(m.name, "needs the name of a type, or an array of names");
    node_.types = TypeSet::parse(m.value, where(m.name));
  }
  void enumeration(const Member& m) {
    if (!m.value.is_array() || m.value.array().empty()) refuse(m.name, "needs an array of one or more values");
    for (const Value& value : m.value.array()) node_.enumeration.push_back(canonical(value));
  }
  void minimum(const Member& m) { node_.minimum = number(m); }
  void maximum(const Member& m) { node_.maximum = number(m); }
  void exclusive_minimum(const Member& m) {
    node_.exclusive_minimum = boolean(m, R"(; write {"minimum": 5, "exclusiveMinimum": true})");
  }
  void exclusive_maximum(const Member& m) {
    node_.exclusive_maximum = boolean(m, R"(; write {"maximum": 5, "exclusiveMaximum": true})");
  }
  void multiple_of(const Member& m) {
    const double n = number(m).number();
    if (n <= 0) refuse(m.name, "needs a number above 0");
    if (n >= 0x1p63 || n != static_cast<double>(static_cast<std::int64_t>(n)))
      refuse(m.name, "is offered for whole numbers of 64 bits only", ErrorCode::unsupported);
    node_.multiple_of = m.value.is_integer() ? m.value.integer() : static_cast<std::int64_t>(n);
  }
  void min_length(const Member& m) { node_.min_length = count(m); }
  void max_length(const Member& m) { node_.max_length = count(m); }
  void pattern(const Member& m) {
    if (!m.value.is_string()) refuse(m.name, "needs a regular expression in a string");
    node_.pattern = Regex::compile(m.value.string(), "", where(m.name));
  }
  void min_items(const Member& m) { node_.min_items = count(m); }
  void max_items(const Member& m) { node_.max_items = count(m); }
  void unique_items(const Member& m) { node_.unique_items = boolean(m); }
  void items(const Member& m) {
    if (!m.value.is_array()) {
      node_.items = child(m.value, m.name);
      return;
    }
    node_.items_are_listed = true;
    for (const Value& schema : m.value.array())
      node_.item_list.push_back(child(schema, text(m.name, '.', node_.item_list.size())));
  }
  void additional_items(const Member& m) { boolean_or_schema(m, node_.additional_items, node_.additional_item); }
  void min_properties(const Member& m) { node_.min_properties = count(m); }
  void max_properties(const Member& m) { node_.max_properties = count(m); }
  void required(const Member& m) { node_.required = names(m, m.value); }
  void properties(const Member& m) {
    for (const Member& property : object(m))
      node_.properties.push_back({property.name, child(property.value, text(m.name, '.', property.name))});
  }
  void pattern_properties(const Member& m) {
    for (const Member& property : object(m))
      node_.pattern_properties.push_back(
          {Regex::compile(property.name, "", where(m.name)), child(property.value, text(m.name, '.', property.name))});
  }
  void additional_properties(const Member& m) {
    boolean_or_schema(m, node_.additional_properties, node_.additional_property);
  }
  void dependencies(const Member& m) {
    for (const Member& member : object(m)) {
      if (member.value.is_object())
        node_.dependencies.push_back({member.name, {}, child(member.value, text(m.name, '.', member.name))});
      else
        node_.dependencies.push_back({member.name, names(m, member.value), nullptr});
    }
  }
  void all_of(const Member& m) { node_.all_of = schemas(m); }
  void any_of(const Member& m) { node_.any_of = schemas(m); }
  void one_of(const Member& m) { node_.one_of = schemas(m); }
  void negation(const Member& m) { node_.negation = child(m.value, m.name); }
  void annotation(const Member& m) {
    if (!m.value.is_string()) refuse(m.name, "needs a string");
  }

  std::string_view what_;
  std::string path_;  // of the node in the schema: "properties.address"
  Node node_;
};

const std::vector<SchemaReader::Keyword>& SchemaReader::keywords() {
  static const std::vector<Keyword> all = {
      {"type", &SchemaReader::type},
      {"bsonType", &SchemaReader::bson_type},
      {"enum", &SchemaReader::enumeration},
      {"minimum", &SchemaReader::minimum},
      {"maximum", &SchemaReader::maximum},
      {"exclusiveMinimum", &SchemaReader::exclusive_minimum},
      {"exclusiveMaximum", &SchemaReader::exclusive_maximum},
      {"multipleOf", &SchemaReader::multiple_of},
      {"minLength", &SchemaReader::min_length},
      {"maxLength", &SchemaReader::max_length},
      {"pattern", &SchemaReader::pattern},
      {"minItems", &SchemaReader::min_items},
      {"maxItems", &SchemaReader::max_items},
      {"uniqueItems", &SchemaReader::unique_items},
      {"items", &SchemaReader::items},
      {"additionalItems", &SchemaReader::additional_items},
      {"minProperties", &SchemaReader::min_properties},
      {"maxProperties", &SchemaReader::max_properties},
      {"required", &SchemaReader::required},
      {"properties", &SchemaReader::properties},
      {"patternProperties", &SchemaReader::pattern_properties},
      {"additionalProperties", &SchemaReader::additional_properties},
      {"dependencies", &SchemaReader::dependencies},
      {"allOf", &SchemaReader::all_of},
      {"anyOf", &SchemaReader::any_of},
      {"oneOf", &SchemaReader::one_of},
      {"not", &SchemaReader::negation},
      {"title", &SchemaReader::annotation},
      {"description", &SchemaReader::annotation},
  };
  return all;
}

}  // namespace

Schema Schema::parse(const Value& schema, std::string_view what) { return Schema(SchemaReader(what, "").read(schema)); }

}  // namespace stele::model
