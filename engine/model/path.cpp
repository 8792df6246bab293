// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/path.h"

#include "engine/base/error.h"

#include <charconv>

namespace stele::model {
namespace {

// As deep as documents may be made: code that follows a path may recurse.
constexpr std::size_t steps_max = 1000;

std::optional<std::uint32_t> index_of(std::string_view name) {
  std::uint32_t index;
  if (name.empty() || (name.size() > 1 && name[0] == '0')) return std::nullopt;
  const auto result = std::from_chars(name.data(), name.data() + name.size(), index);
  if (result.ec != std::errc() || result.ptr != name.data() + name.size()) return std::nullopt;
  return index;
}

}  // namespace

Path::Path(std::string_view dotted) : text_(dotted) {
  if (dotted.find('\0') != std::string_view::npos)
    fail(ErrorCode::invalid, "a path holds a NUL byte, which no member's name may hold; leave it out", {{"reason", "InvalidPath"}});
  for (;;) {
    const std::size_t dot = dotted.find('.');
    const std::string_view name = dotted.substr(0, dot);
    if (steps_.size() == steps_max)
      fail(ErrorCode::invalid, stele::text("a path has more than ", steps_max, " steps; documents cannot be that deep"),
           {{"reason", "InvalidPath"}, {"limit", std::to_string(steps_max)}});
    steps_.push_back({std::string(name), index_of(name)});
    if (dot == std::string_view::npos) return;
    dotted.remove_prefix(dot + 1);
  }
}

}  // namespace stele::model
