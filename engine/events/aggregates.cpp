// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/aggregates.h"

#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/model/compare.h"
#include "engine/model/key.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <utility>

namespace stele::events {

using model::Value;
using Of = Aggregate::Of;

namespace {

[[noreturn]] void refuse(std::string_view rule) {
  fail(ErrorCode::invalid,
       text("window: aggregates ", rule, R"(; give such as {"n":"count","total":{"sum":"amount"}})"),
       {{"reason", "InvalidAggregates"}});
}

std::optional<Of> kind_of(std::string_view name) {
  static constexpr std::string_view names[] = {"count", "sum", "min", "max", "avg", "distinct", "quantiles"};
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<Of>(found - std::begin(names));
}

const Value* at_path(const Value& data, std::string_view path) {
  const Value* value = &data;
  while (value && !path.empty()) {
    if (!value->is_object()) return nullptr;
    const std::size_t dot = std::min(path.find('.'), path.size());
    value = value->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return value;
}

void append_null(std::string& out) { out += "null"; }

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// As an integer where it is one and a double holds it exactly.
void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) return append_null(out);
  const bool whole = std::abs(value) <= 0x1p53 && value == std::trunc(value);
  whole ? append_integer(out, static_cast<std::int64_t>(value)) : void(out += model::to_json(Value(value)));
}

Number number_of(const Value& value) {
  return value.is_integer() ? Number{true, value.integer(), 0} : Number{false, 0, value.real().number};
}

int compare(const Number& a, const Number& b) {
  if (a.is_whole && b.is_whole) return a.whole < b.whole ? -1 : a.whole > b.whole;
  if (a.is_whole) return model::compare_mixed(a.whole, b.real);
  if (b.is_whole) return -model::compare_mixed(b.whole, a.real);
  return a.real < b.real ? -1 : a.real > b.real;
}

/// Of equal ones the integer, whichever came first.
void take_extreme(Of of, bool first, Number& extreme, const Number& other) {
  const int order = first ? 0 : compare(other, extreme);
  if (first || (order == 0 ? other.is_whole : (order < 0) == (of == Of::min))) extreme = other;
}

void append_number(std::string& out, const Number& number) {
  number.is_whole ? append_integer(out, number.whole) : append_number(out, number.real);
}

constexpr std::uint64_t whole_follows = 0x7FF8000000000001;
constexpr std::int64_t double_holds_max = std::int64_t{1} << 53;

void append_extreme(std::string& out, const Number& number) {
  const bool follows = number.is_whole && (number.whole > double_holds_max || number.whole < -double_holds_max);
  const double real = number.is_whole ? static_cast<double>(number.whole) : number.real;
  append_fixed(out, follows ? whole_follows : std::bit_cast<std::uint64_t>(real));
  if (follows) append_fixed(out, number.whole);
}

bool read_extreme(ByteReader& reader, Number& number) {
  std::uint64_t bits = 0;
  number = {};
  if (!reader.fixed(bits)) return false;
  if (bits == whole_follows) return reader.fixed(number.whole);
  number.is_whole = false;
  number.real = std::bit_cast<double>(bits);
  return !std::isnan(number.real);
}

}  // namespace

std::vector<Aggregate> parse_aggregates(std::string_view json) {
  const Value value = model::parse(json::minify(json, {}, "aggregates"));
  if (!value.is_object() || value.object().empty()) refuse("must be an object with at least one result");
  if (value.object().size() > 32) refuse("are at most 32");
  std::vector<Aggregate> out;
  for (const model::Member& member : value.object()) {
    Aggregate& aggregate = out.emplace_back();
    aggregate.name = member.name;
    json::append_quoted(aggregate.label, member.name);
    aggregate.label += ':';
    if (member.value.is_string() && member.value.string() == "count") continue;
    if (!member.value.is_object() || member.value.object().size() != 1)
      refuse(text("of \"", member.name, "\" are no aggregate"));
    const model::Member& what = member.value.object().front();
    const auto kind = kind_of(what.name);
    if (!kind || *kind == Of::count) refuse(text("have no \"", what.name, "\""));
    if (!what.value.is_string() || what.value.string().empty()) refuse(text("need a path for \"", member.name, "\""));
    aggregate.of = *kind;
    aggregate.path = what.value.string();
  }
  return out;
}

void Totals::add(const std::vector<Aggregate>& aggregates, const Value* data) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    if (aggregates[i].of == Of::count) {
      ++part.count;
      continue;
    }
    const Value* value = data ? at_path(*data, aggregates[i].path) : nullptr;
    if (!value) continue;
    if (aggregates[i].of == Of::distinct) {
      ++part.count;
      std::string element;
      model::append_sort_element(element, *value);  // 2 and 2.0 are one value
      part.distinct.add(checksum(element));
      continue;
    }
    if (!value->is_number()) continue;
    const double as_double = value->number();
    take_extreme(aggregates[i].of, part.count == 0, part.extreme, number_of(*value));
    ++part.count;
    if (aggregates[i].of == Of::quantiles) part.quantiles.add(as_double);
    if (value->is_integer()) {
      part.integers += value->integer();
    } else {
      part.reals += as_double;
      part.any_reals = true;
    }
  }
}

void Totals::merge(const std::vector<Aggregate>& aggregates, const Totals& other) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    const Part& more = other.parts_[i];
    if (more.count == 0) continue;
    take_extreme(aggregates[i].of, part.count == 0, part.extreme, more.extreme);
    part.count += more.count;
    part.integers += more.integers;
    part.reals += more.reals;
    part.any_reals = part.any_reals || more.any_reals;
    part.distinct.merge(more.distinct);
    part.quantiles.merge(more.quantiles);
  }
}

std::string Totals::values(const std::vector<Aggregate>& aggregates) const {
  std::string out;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    out += i == 0 ? '{' : ',';
    out += aggregates[i].label;
    const double sum = static_cast<double>(part.integers) + part.reals;
    switch (aggregates[i].of) {
      case Of::count: append_integer(out, static_cast<std::int64_t>(part.count)); break;
      case Of::distinct: append_integer(out, static_cast<std::int64_t>(part.distinct.estimate())); break;
      case Of::sum:
        if (!part.any_reals && part.integers >= INT64_MIN && part.integers <= INT64_MAX)
          append_integer(out, static_cast<std::int64_t>(part.integers));
        else
          append_number(out, sum);
        break;
      case Of::avg:
        part.count > 0 ? append_number(out, sum / static_cast<double>(part.count)) : append_null(out);
        break;
      case Of::min:
      case Of::max: part.count > 0 ? append_number(out, part.extreme) : append_null(out); break;
      case Of::quantiles: {
        if (part.quantiles.empty()) {
          append_null(out);
          break;
        }
        char before = '{';
        for (const auto& [name, rank] : {std::pair("p50", 0.5), {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}) {
          (((out += std::exchange(before, ',')) += '"') += name) += "\":";
          append_number(out, part.quantiles.quantile(rank));
        }
        out += '}';
        break;
      }
    }
  }
  return out += '}';
}

bool Totals::agrees(const std::vector<Aggregate>& aggregates, const Totals& other) const {
  const auto as_stored = [&](Totals totals) {
    std::string bytes;
    for (Part& part : totals.parts_) part.reals = 0;
    totals.encode(aggregates, bytes);
    return bytes;
  };
  if (as_stored(*this) != as_stored(other)) return false;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (aggregates[i].of != Aggregate::Of::sum && aggregates[i].of != Aggregate::Of::avg) continue;
    const double ours = parts_[i].reals;
    const double theirs = other.parts_[i].reals;
    if (!std::isfinite(ours) || !std::isfinite(theirs)) continue;
    // Terms may cancel, so the bound is for terms of everyday size.
    if (std::abs(ours - theirs) > 1e-6 * (1 + std::abs(ours)) * static_cast<double>(parts_[i].count)) return false;
  }
  return true;
}

void Totals::encode(const std::vector<Aggregate>& aggregates, std::string& out) const {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    append_varint(out, part.count);
    switch (aggregates[i].of) {
      case Of::count: break;
      case Of::sum:
      case Of::avg:
        append_fixed(out, static_cast<std::int64_t>(part.integers >> 64));
        append_fixed(out, static_cast<std::uint64_t>(part.integers));
        append_fixed(out, std::bit_cast<std::uint64_t>(part.reals));
        out += part.any_reals ? '\1' : '\0';
        break;
      case Of::min:
      case Of::max: append_extreme(out, part.extreme); break;
      case Of::distinct: part.distinct.encode(out); break;
      case Of::quantiles: part.quantiles.encode(out); break;
    }
  }
}

bool Totals::decode(const std::vector<Aggregate>& aggregates, std::string_view bytes) {
  ByteReader reader(bytes);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    if (!reader.varint(part.count) || part.count >> 62) return false;
    std::uint64_t bits = 0;
    switch (aggregates[i].of) {
      case Of::count: break;
      case Of::sum:
      case Of::avg: {
        std::int64_t high = 0;
        std::uint64_t low = 0;
        char any = 0;
        if (!reader.fixed(high, low, bits, any)) return false;
        part.integers =
            static_cast<__int128>((static_cast<unsigned __int128>(static_cast<std::uint64_t>(high)) << 64) | low);
        const auto magnitude = part.integers < 0 ? -static_cast<unsigned __int128>(part.integers)
                                                 : static_cast<unsigned __int128>(part.integers);
        if (magnitude > static_cast<unsigned __int128>(part.count) << 63) return false;  // so few int64 give less
        part.reals = std::bit_cast<double>(bits);
        part.any_reals = any != 0;
        break;
      }
      case Of::min:
      case Of::max:
        if (!read_extreme(reader, part.extreme)) return false;
        break;
      case Of::distinct:
        part.distinct = {};
        if (!part.distinct.decode(reader)) return false;
        break;
      case Of::quantiles:
        part.quantiles = {};
        if (!part.quantiles.decode(reader)) return false;
        break;
    }
  }
  return reader.empty();
}

}  // namespace stele::events
