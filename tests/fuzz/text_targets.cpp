// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "engine/model/document.h"
#include "engine/model/key.h"
#include "tests/fuzz/fuzz.h"
#include "tools/stele/raw_json.h"
#include "tools/stele/request.h"

#include <optional>

namespace stele::fuzz {

namespace {

using model::Value;

void json(std::string_view input) {
  std::string minified;
  if (!accepted([&] { minified = json::minify(input, limits, "text"); })) return;
  must(minified.size() <= input.size(), "minify made it longer");
  must(json::minify(minified, limits, "text") == minified, "minify of what is minified: ", minified);
  std::string quoted;
  json::append_quoted(quoted, minified);
  must(json::unquoted(json::minify(quoted, {1u << 20, 1}, "quoted")) == minified,
       "a quoted string comes back: ", quoted);
}

void extended_json(std::string_view input) {
  std::string minified;
  Value value;
  if (!accepted([&] { value = model::parse(minified = json::minify(input, limits, "text")); })) return;
  const std::string printed = model::to_json(value);
  must(json::minify(printed, {1u << 20, limits.depth_max}, "printed") == printed, "printed with blanks: ", printed);
  const Value again = model::parse(printed);
  must(model::to_json(again) == printed, "printed twice: ", printed, " and ", model::to_json(again));
  must(model::compare(value, again) == 0, "changed by printing: ", minified, " and ", printed);
  must(model::depth(again) == model::depth(value), "the depth changed: ", printed);
}

void document(std::string_view input) {
  model::NewDocument fresh;
  if (!accepted([&] { fresh = model::new_document(input, limits); })) return;
  const Value value = model::parse(fresh.text);
  must(value.is_object() && value.object().front().name == "_id", "the _id is not first: ", fresh.text);
  must(model::compare(value.object().front().value, fresh.id) == 0, "another id: ", fresh.text);
  must(model::new_document(fresh.text).text == fresh.text, "stored twice: ", fresh.text);
  model::check_names(value);
}

int sign(int number) { return (number > 0) - (number < 0); }

/// Two values, a line each: their keys are in the values' order, and can be read.
void key_order(std::string_view input) {
  const auto given = lines<2>(input);
  const std::string_view one = given[0], other = given[1];
  Value a, b;
  std::string key_a, key_b;
  if (!accepted([&] {
        a = model::parse(json::minify(one, limits, "a"));
        b = model::parse(json::minify(other, limits, "b"));
        model::append_key(key_a, a);
        model::append_key(key_b, b);
      }))
    return;
  must(sign(model::compare(a, b)) == sign(key_a.compare(key_b)), "order of ", one, " and ", other);
  must(sign(model::compare(a, b)) == -sign(model::compare(b, a)), "order both ways of ", one, " and ", other);
  for (std::string key : {key_a, key_b}) {
    const std::string ascending = key;
    key::make_descending(key, 0);
    for (const std::string& bytes : {ascending, key}) {
      std::string_view rest = bytes;
      std::string words;
      must(key::read_value_text(rest, words) && rest.empty(), "a key that cannot be read: ", key::describe_key(bytes));
    }
  }
  must(key_a == key_b || !(key_a.starts_with(key_b) || key_b.starts_with(key_a)), "a key begins another: ", one, " ",
       other);
}

void request(std::string_view line) {
  const std::string id = tool::id_of_broken(line);
  must(id.empty() || json::minify(id, limits, "id") == id, "an id that is no JSON: ", id);
  accepted([&] {
    tool::Request request(line);
    must(id.empty() || request.id().empty() || request.id() == id, "two ids: ", id, " and ", request.id());
    request.name();
  });
}

}  // namespace

std::span<const Target> text_targets() {
  static constexpr Target targets[] = {{"json", json},
                                       {"extended_json", extended_json},
                                       {"document", document},
                                       {"key_order", key_order},
                                       {"request", request}};
  return targets;
}

}  // namespace stele::fuzz
