// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/answer.h"

namespace stele::tool {

void Answer::fail(std::string_view code, std::string_view message, const Error::Detail& detail) {
  JsonObject error;
  error.add_text("code", code);
  error.add_text("message", message);
  if (!detail.empty()) {
    JsonObject details;
    for (const auto& [key, value] : detail) details.add_text(key, value);
    error.add_json("detail", details.str());
  }
  error_ = error.str();
}

std::string Answer::line(std::string_view id) const {
  JsonObject head;
  head.add_boolean("ok", error_.empty());
  if (!error_.empty()) head.add_json("error", error_);
  if (!id.empty()) head.add_json("id", id);
  return "{" + head.members() + (empty() ? "" : ",") + members() + "}\n";
}

}  // namespace stele::tool
