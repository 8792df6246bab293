// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/json_writer.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"

namespace stele::tool {

namespace {

void append_text(std::string& out, std::string_view value) {
  if (is_utf8(value)) return json::append_quoted(out, value);
  std::string ascii(value);
  for (char& c : ascii)
    if (static_cast<signed char>(c) < 0) c = '?';
  json::append_quoted(out, ascii);
}

}  // namespace

void JsonObject::add_json(std::string_view name, std::string_view json) {
  if (!members_.empty()) members_ += ',';
  append_text(members_, name);
  members_ += ':';
  members_ += json;
}

void JsonObject::add_text(std::string_view name, std::string_view value) {
  std::string quoted;
  append_text(quoted, value);
  add_json(name, quoted);
}

void JsonObject::add_members(std::string_view object) {
  const std::string_view added = object.substr(1, object.size() - 2);
  if (!members_.empty() && !added.empty()) members_ += ',';
  members_ += added;
}

void JsonObject::add_texts(std::string_view name, const std::vector<std::string>& values) {
  JsonArray all;
  for (const std::string& value : values) {
    std::string quoted;
    append_text(quoted, value);
    all.add(quoted);
  }
  add_json(name, std::move(all).str());
}

void JsonArray::add(std::string_view json) {
  if (out_.size() + json.size() > bytes_max)
    fail(ErrorCode::too_large,
         text("the answer is larger than ", bytes_max >> 20, " MB; ask for less at a time with a limit"),
         {{"limit", std::to_string(bytes_max)}});
  if (out_.size() > 1) out_ += ',';
  out_ += json;
}

}  // namespace stele::tool
