// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/bytes_json.h"

#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "engine/model/extended_json.h"
#include "engine/model/value.h"

namespace stele::tool {

std::string bytes_json(std::string_view bytes) {
  std::string out;
  if (is_utf8(bytes)) {
    json::append_quoted(out, bytes);
  } else {
    model::append_extended_json(out, model::Binary{0, std::string(bytes)});
  }
  return out;
}

std::string bytes_from(const Request& request, std::string_view field, std::string_view json) {
  if (json.front() == '"') return json::unquoted(json);
  const model::Value value = model::parse(json);
  if (value.type() != model::Type::binary) request.refuse(field, "must be a string or {\"$binary\":…}");
  return value.binary().bytes;
}

}  // namespace stele::tool
