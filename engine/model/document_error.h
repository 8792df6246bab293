// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/error.h"
#include "engine/model/value.h"

#include <string>

namespace stele::model {

/// Throws an error that came up while a document was looked at, with its _id. `document`: its members.
[[noreturn]] inline void rethrow_at(const Error& error, const Value& document) {
  const Value* id = document.is_object() ? document.find("_id") : nullptr;
  const bool own = error.code() == ErrorCode::interrupted || error.code() == ErrorCode::corrupt;
  if (!id || own || error.detail().contains("document")) throw error;
  Error::Detail detail = error.detail();
  const std::string spelled = to_json(*id).substr(0, 200);
  detail["document"] = spelled;
  throw Error(error.code(), text(error.message(), " (document with _id ", spelled, ")"), std::move(detail));
}

}  // namespace stele::model
