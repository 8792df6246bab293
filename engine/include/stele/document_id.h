// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace stele {

/// A document's `_id` as JSON text.
class DocumentId {
 public:
  DocumentId(std::int64_t id) : json_(std::to_string(id)) {}
  DocumentId(int id) : json_(std::to_string(id)) {}
  DocumentId(std::string_view text);  // a string id: quoted and escaped
  DocumentId(const char* text) : DocumentId(std::string_view(text)) {}
  DocumentId(const std::string& text) : DocumentId(std::string_view(text)) {}
  static DocumentId from_json(std::string json) { return DocumentId(Json{}, std::move(json)); }

  const std::string& json() const noexcept { return json_; }
  /// The text of a string id, otherwise the JSON.
  std::string text() const;
  friend bool operator==(const DocumentId&, const DocumentId&) = default;

 private:
  struct Json {};
  DocumentId(Json, std::string json) : json_(std::move(json)) {}
  std::string json_;
};

}  // namespace stele
