// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/document.h"

#include "engine/base/error.h"
#include "engine/base/uuid.h"
#include "engine/model/compare.h"

#include <limits>

namespace stele::model {
namespace {

[[noreturn]] void refuse_name(std::string_view name, std::string_view rule) {
  std::string quoted;
  json::append_quoted(quoted, name.substr(0, 100));
  fail(ErrorCode::invalid, text("document: the name ", quoted, ' ', rule),
       {{"reason", "InvalidName"}, {"key", std::string(name)}});
}

void check_name(std::string_view name) {
  if (name == "$ref" || name == "$id" || name == "$db")
    fail(ErrorCode::unsupported, text("document: database references (", name, ") are not offered; store the id"),
         {{"reason", "ExtendedJson"}});
  if (name.starts_with('$')) refuse_name(name, "begins with '$', which is kept for operators; rename it");
  if (name.find('.') != std::string_view::npos)
    refuse_name(name, "holds a dot, which separates the steps of a path; rename it or nest objects");
  if (name.find('\0') != std::string_view::npos) refuse_name(name, "holds a NUL character; rename it");
}

NewDocument with_new_id(std::string_view minified) {
  NewDocument document;
  document.id = Value(uuid_v7());
  document.text = "{\"_id\":";
  append_json(document.text, document.id);
  if (minified != "{}") document.text += ',';
  document.text += minified.substr(1);
  return document;
}

// Moves the member to the front.
std::string with_first(std::string_view minified, const json::Member& member) {
  std::string out;
  out.reserve(minified.size());
  out += '{';
  out += minified.substr(member.begin, member.end - member.begin);
  out += ',';
  out += minified.substr(1, member.begin - 2);  // what stood before, without the comma
  out += minified.substr(member.end);
  return out;
}

NewDocument checked(std::string minified, const json::Facts& facts) {
  if (!facts.is_object)
    fail(ErrorCode::invalid, R"(document: it must be a JSON object, such as {"title": "Stones"})",
         {{"reason", "InvalidDocument"}});
  if (facts.special_names) check_names(parse(minified));
  if (!facts.watched) return with_new_id(minified);
  const json::Member& member = *facts.watched;
  NewDocument document;
  document.id = parse(std::string_view(minified).substr(member.value, member.end - member.value));
  check_id(document.id);
  document.text = member.begin == 1 ? std::move(minified) : with_first(minified, member);
  return document;
}

}  // namespace

bool keep_id(Value& document, const Value& id) {
  Value* present = document.find("_id");
  if (!present) {
    document.object().insert(document.object().begin(), {"_id", id});
    return true;
  }
  if (!equal(*present, id)) return false;
  *present = id;
  return true;
}

void check_id(const Value& id) {
  if (id.is_array() || id.is_object() || id.type() == Type::regex)
    fail(ErrorCode::invalid,
         text("document: _id is of type ", name(id.type()), "; it must be a string, number, bool, null, date, binary or oid"),
         {{"reason", "InvalidId"}});
}

void check_names(const Value& value) {
  if (value.is_array()) {
    for (const Value& element : value.array()) check_names(element);
  } else if (value.is_object()) {
    for (const Member& member : value.object()) {
      check_name(member.name);
      check_names(member.value);
    }
  }
}

NewDocument new_document(std::string_view json, const json::Limits& limits) {
  json::Facts facts;
  facts.watched_name = "_id";
  std::string minified = json::minify(json, limits, "document", &facts);
  return checked(std::move(minified), facts);
}

NewDocument document_with_id(std::string_view minified) {
  return new_document(minified, {std::numeric_limits<std::size_t>::max(), 1000});
}

}  // namespace stele::model
