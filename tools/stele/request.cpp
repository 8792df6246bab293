// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/request.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "tools/stele/operation.h"

#include <algorithm>
#include <charconv>

namespace stele::tool {

namespace {

constexpr std::uint64_t deadline_ms_max = 1'000'000'000'000;  // 31 years

std::string listed(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

/// A name from outside, short enough for a message.
std::string shown(std::string_view name) {
  std::string out;
  json::append_quoted(out, name.size() <= 60 ? name : name.substr(0, 60));
  return out;
}

std::vector<std::string_view> all_fields(const Operation& operation) {
  std::vector<std::string_view> all = operation.fields;
  if (operation.tx != Operation::Tx::none) all.emplace_back("tx");
  if (operation.writes) all.emplace_back("durability");
  for (const std::string_view common : {"deadline_ms", "id", "op"}) all.push_back(common);
  return all;
}

}  // namespace

Request::Request(std::string_view line) : text_(json::minify(line, {line_bytes_max, depth_max}, "request")) {
  if (text_.front() != '{')
    fail(ErrorCode::invalid,
         stele::text("request: is ", kind_of(text_), ", not an object; write one like {\"op\":\"collections\"}"),
         {{"reason", "NotAnObject"}});
  members_ = members(text_);
}

const std::string_view* Request::find(std::string_view field) const {
  for (const RawMember& member : members_)
    if (member.name == field) return &member.value;
  return nullptr;
}

std::string_view Request::id() const {
  const std::string_view* found = find("id");
  return found ? *found : std::string_view();
}

std::string Request::name() const {
  const std::string_view* found = find("op");
  if (!found || found->front() != '"')
    fail(ErrorCode::invalid,
         stele::text("request: \"op\" ", found ? stele::text("is ", kind_of(*found)) : "is missing",
                     "; give the operation's name, as in {\"op\":\"collections\"}"),
         {{"reason", "InvalidField"}, {"field", "op"}});
  return json::unquoted(*found);
}

void Request::check_fields(const Operation& operation) {
  operation_ = &operation;
  const auto known = all_fields(operation);
  for (const RawMember& member : members_) {
    if (std::ranges::find(known, member.name) != known.end()) continue;
    if (std::ranges::find(operation.later_fields, member.name) != operation.later_fields.end())
      fail(ErrorCode::unsupported,
           stele::text(operation.name, ": the field ", shown(member.name), " is not offered yet; leave it out"),
           {{"reason", "LaterField"}, {"field", member.name}});
    fail(ErrorCode::invalid,
         stele::text(operation.name, ": unknown field ", shown(member.name), "; its fields are ", listed(known)),
         {{"reason", "UnknownField"}, {"field", member.name.substr(0, 60)}});
  }
  if (operation.tx == Operation::Tx::must) required("tx", "an open transaction's number");
}

void Request::refuse(std::string_view field, std::string_view rule) const {
  fail(ErrorCode::invalid,
       stele::text(operation_->name, ": \"", field, "\" ", rule, "; a right request: ", operation_->example),
       {{"reason", "InvalidField"}, {"field", std::string(field)}});
}

std::string_view Request::required(std::string_view field, std::string_view kind) const {
  const std::string_view* found = find(field);
  if (!found) refuse(field, stele::text("is missing, it must be ", kind));
  return *found;
}

std::string_view Request::raw(std::string_view field) const { return required(field, "a JSON value"); }

std::string Request::text(std::string_view field) const {
  const std::string_view value = required(field, "a string");
  if (value.front() != '"') refuse(field, stele::text("must be a string, not ", kind_of(value)));
  return json::unquoted(value);
}

std::string Request::name_field(std::string_view field) const {
  std::string name = text(field);
  if (name.empty()) refuse(field, "is an empty string, it must be a name");
  return name;
}

bool Request::boolean(std::string_view field, bool otherwise) const {
  const std::string_view* found = find(field);
  if (!found) return otherwise;
  if (*found != "true" && *found != "false") refuse(field, stele::text("must be true or false, not ", kind_of(*found)));
  return *found == "true";
}

std::optional<std::uint64_t> Request::number(std::string_view field) const {
  const std::string_view* found = find(field);
  if (!found) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(found->data(), found->data() + found->size(), value);
  if (error != std::errc() || end != found->data() + found->size())
    refuse(field, stele::text("must be an integer from 0 on, not ",
                              kind_of(*found) == "a number" ? found->substr(0, 40) : kind_of(*found)));
  return value;
}

std::vector<std::string_view> Request::array(std::string_view field) const {
  const std::string_view value = required(field, "an array");
  if (value.front() != '[') refuse(field, stele::text("must be an array, not ", kind_of(value)));
  return elements(value);
}

std::string_view Request::object(std::string_view field) const {
  const std::string_view value = required(field, "an object");
  if (value.front() != '{') refuse(field, stele::text("must be an object, not ", kind_of(value)));
  return value;
}

std::string_view Request::object(std::string_view field, std::string_view otherwise) const {
  return has(field) ? object(field) : otherwise;
}

std::optional<std::chrono::milliseconds> Request::deadline() const {
  const auto given = number("deadline_ms");
  if (!given) return std::nullopt;
  if (*given > deadline_ms_max) refuse("deadline_ms", stele::text("is more than ", deadline_ms_max));
  return std::chrono::milliseconds(*given);
}

std::optional<Durability> Request::durability() const {
  if (!has("durability")) return std::nullopt;
  const std::string given = text("durability");
  if (given == "sync") return Durability::sync;
  if (given == "relaxed") return Durability::relaxed;
  refuse("durability", "must be \"sync\" or \"relaxed\"");
}

}  // namespace stele::tool
