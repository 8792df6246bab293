// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Taking JSON text apart without reading the values in it: what a client sent goes on to the engine byte
// for byte. The text must have passed json::minify().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tool {

struct RawMember {
  std::string name;
  std::string_view value;
};

std::vector<RawMember> members(std::string_view object);
std::vector<std::string_view> elements(std::string_view array);

/// "a string", "an array" … : what the text is, for messages.
std::string_view kind_of(std::string_view json);

/// The value of the member "id" of a line that may be no valid JSON, as far as it can be made out.
std::string id_of_broken(std::string_view line);

}  // namespace stele::tool
