// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What may be stored. A document is a JSON object. Names of members, at any depth:
//   empty             allowed
//   beginning with $  refused, but for Extended JSON: they would read as operators or types
//   holding a dot     refused: a path could not tell them from nested members
//   holding NUL       refused
// `_id` is any scalar: null, bool, number, string, date, binary, oid. It is stored as the first member.
#pragma once

#include "engine/base/json.h"
#include "engine/model/value.h"

#include <string>
#include <string_view>

namespace stele::model {

struct NewDocument {
  std::string text;  // minified, `_id` first
  Value id;
};

/// Checks a document that someone wants to store, and gives it an `_id` (a UUIDv7 string) when it
/// has none. The text comes from outside: everything is validated.
NewDocument new_document(std::string_view json, const json::Limits& limits = {});

/// The same for text that passed json::minify().
NewDocument document_with_id(std::string_view minified);

/// What takes a document's place keeps its _id: it is given it, in front, when it has none, and as it was spelled when
/// it has the same. False: it has another.
bool keep_id(Value& document, const Value& id);

/// Refuses an `_id` that is an array or object.
void check_id(const Value& id);

/// Refuses member names that must not be stored, at any depth.
void check_names(const Value& value);

}  // namespace stele::model
