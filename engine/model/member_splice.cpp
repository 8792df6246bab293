// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/member_splice.h"

#include "engine/base/json.h"
#include "engine/model/member_scan.h"

#include <algorithm>

namespace stele::model {

std::optional<MemberSplice> MemberSplice::read(std::string_view minified, std::span<const std::string> names,
                                               Parser& parser) {
  if (minified.starts_with("{\"$")) return std::nullopt;  // Extended JSON is no object
  MemberSplice splice;
  splice.minified_ = minified;
  splice.members = Object();
  MemberScan scan(minified);
  while (splice.places_.size() < names.size() && scan.next()) {
    const auto name = std::ranges::find(names, scan.name());
    if (name == names.end()) continue;
    const auto offset = [&](const char* at) { return static_cast<std::size_t>(at - minified.data()); };
    const std::size_t begin = offset(scan.name().data()) - 1;
    splice.places_.push_back({scan.name(), begin, offset(scan.value().data()) + scan.value().size()});
    splice.members.object().push_back({*name, read_exact(scan.value(), parser)});
  }
  if (scan.stopped()) return std::nullopt;
  return splice;
}

std::string MemberSplice::text() const {
  std::string out = "{";
  out.reserve(minified_.size() + 64);
  const auto separate = [&] {
    if (out.size() > 1) out += ',';
  };
  auto member = members.object().begin();
  const auto append_next = [&] {
    separate();
    json::append_quoted(out, member->name);
    out += ':';
    append_json(out, member->value);
    ++member;
  };
  std::size_t from = 1;  // of what is copied next
  const auto copy_to = [&](std::size_t end) {
    if (from >= end) return;
    separate();
    out += minified_.substr(from, end - from);
  };
  for (const Place& place : places_) {
    copy_to(place.begin - 1);
    if (member != members.object().end() && member->name == place.name) append_next();
    from = place.end + 1;
  }
  copy_to(minified_.size() - 1);
  while (member != members.object().end()) append_next();
  out += '}';
  return out;
}

}  // namespace stele::model
