// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/vectors.h"

#include "engine/base/error.h"
#include "engine/documents/expiry.h"
#include "engine/model/member_scan.h"
#include "engine/vectors/truth.h"

#include <charconv>
#include <cstdlib>
#include <utility>

namespace stele::documents {

using catalog::VectorIndex;

namespace {

/// Where names are spelled with escapes, or the text is damaged.
std::string parsed_text_at(std::string_view document, const model::Path& path) {
  const model::Value root = model::parse(document);
  const model::Value* value = &root;
  for (const model::Step& step : path.steps()) {
    if (!value->is_object() || !(value = value->find(step.name))) return {};
  }
  return value->is_null() ? std::string() : model::to_json(*value);
}

double number(std::string_view text, std::size_t& size) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  size = static_cast<std::size_t>(end - text.data());
  // Too great is infinity, which prepare() refuses; too small is 0.
  if (error == std::errc::result_out_of_range) value = std::strtod(std::string(text.substr(0, size)).c_str(), nullptr);
  return value;
}

}  // namespace

std::string text_at(std::string_view document, const model::Path& path) {
  std::string_view rest = document;
  for (const model::Step& step : path.steps()) {
    if (!rest.starts_with('{')) return {};
    model::MemberScan scan(rest);
    bool found = false;
    while (!found && scan.next()) {
      found = scan.name() == step.name;
      if (found) rest = scan.value();
    }
    if (scan.stopped()) return parsed_text_at(document, path);
    if (!found) return {};
  }
  return rest == "null" ? std::string() : std::string(rest);
}

std::vector<float> parse_vector(std::string_view array, const VectorIndex& index, std::string_view collection) {
  const auto refuse = [&](std::string_view what) {
    fail(ErrorCode::invalid,
         text("collection \"", collection, "\", vector at \"", index.path.text(), "\": ", what, "; give an array of ",
              index.options.dimensions, " numbers, null, or nothing"),
         {{"reason", "not_a_vector"}, {"collection", collection}, {"path", index.path.text()}});
  };
  if (!array.starts_with('[')) refuse("it is no array");
  std::vector<float> out;
  out.reserve(index.options.dimensions);
  std::string_view rest = array.substr(1);
  while (!rest.starts_with(']')) {
    std::size_t size = 0;
    const double value = number(rest, size);
    if (size == 0) refuse(text("element ", out.size(), " is no number"));
    out.push_back(static_cast<float>(value));
    rest.remove_prefix(size);
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return out;
}

void VectorWriter::add(const VectorIndex& index, std::string_view id_element, std::string_view document) const {
  const std::string array = text_at(document, index.path);
  if (array.empty()) return;
  vectors::set(transaction_, index.id, index.options, id_element, parse_vector(array, index, collection_.name));
}

void VectorWriter::put(std::string_view id_element, std::optional<std::string_view> before,
                       std::string_view after) const {
  touch();
  // A new document in the place of an expired one does not inherit what stood beside that.
  const bool gone = before && collection_.expires() && Expiry(collection_, transaction_.time_us()).expired(*before);
  for (const VectorIndex& index : collection_.vector_indexes) {
    if (gone) vectors::remove(transaction_, index.id, id_element);
    const std::string old = before && !gone ? text_at(*before, index.path) : std::string();
    const std::string fresh = text_at(after, index.path);
    if (fresh == old && !(index.building && !fresh.empty())) continue;
    if (fresh.empty()) {
      vectors::remove(transaction_, index.id, id_element);
    } else {
      vectors::set(transaction_, index.id, index.options, id_element, parse_vector(fresh, index, collection_.name));
    }
  }
}

void VectorWriter::touch() const {
  if (std::exchange(touched_, true)) return;
  for (const VectorIndex& index : collection_.vector_indexes) vectors::touch(transaction_, index.id);
}

void VectorWriter::erase(std::string_view id_element) const {
  touch();
  for (const VectorIndex& index : collection_.vector_indexes) vectors::remove(transaction_, index.id, id_element);
}

}  // namespace stele::documents
