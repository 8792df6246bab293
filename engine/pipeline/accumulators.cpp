// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/accumulators.h"

#include "engine/base/interrupt.h"
#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "engine/model/key.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/row_codec.h"

#include <algorithm>
#include <cmath>

namespace stele::pipeline {
namespace {

std::size_t bytes_of(const Value& value) {
  constexpr std::size_t allocation = 32;  // what one costs beside its bytes
  return value.is_number() ? 0 : bytes_in_memory(value) + allocation;
}

std::size_t growth(std::size_t before, std::size_t after) { return after > before ? after - before : 0; }

void add_number(Moments& moments, double number) {  // Welford's recurrence: no difference of large sums
  const double delta = number - moments.mean;
  moments.mean += delta / static_cast<double>(++moments.count);
  moments.squares += delta * (number - moments.mean);
}

void merge_moments(Moments& a, const Moments& b) {
  if (b.count == 0) return;
  const double count = static_cast<double>(a.count + b.count), delta = b.mean - a.mean;
  a.squares += b.squares + delta * delta * static_cast<double>(a.count) * static_cast<double>(b.count) / count;
  a.mean += delta * static_cast<double>(b.count) / count;
  a.count += b.count;
}

std::string key_of(const Value& value, bool descending) {
  std::string key;
  model::append_sort_element(key, value);
  if (descending) key::make_descending(key, 0);
  return key;
}

bool comes_before(const Ranked::Entry& a, const Ranked::Entry& b) {
  const int c = a.key.compare(b.key);
  return c != 0 ? c < 0 : a.number < b.number;
}

// What is gathered can be long to sort.
template <class Range, class Before>
void sort_polled(Range& range, Before before) {
  unsigned steps = 0;
  std::sort(range.begin(), range.end(), [&](const auto& a, const auto& b) {
    if (++steps % (1u << 16) == 0) Interrupt::poll();
    return before(a, b);
  });
}

Array in_order(Many&& many) {
  std::rotate(many.values.begin(), many.values.begin() + static_cast<std::ptrdiff_t>(many.first), many.values.end());
  return std::move(many.values);
}

}  // namespace

Gathered Accumulator::begin() const {
  switch (kind_) {
    case Kind::sum:
    case Kind::avg:
    case Kind::count: return Total();
    case Kind::std_dev_pop:
    case Kind::std_dev_samp: return Moments();
    case Kind::min:
    case Kind::max:
    case Kind::first:
    case Kind::last:
    case Kind::merge_objects: return One();
    case Kind::push:
    case Kind::first_n:
    case Kind::last_n: return Many();
    case Kind::add_to_set: return Different();
    case Kind::median:
    case Kind::percentile: return Numbers();
    default: return Ranked();
  }
}

bool Accumulator::takes_any_order() const {
  switch (kind_) {
    case Kind::sum:
    case Kind::avg:
    case Kind::min:
    case Kind::max:
    case Kind::count:
    case Kind::median:
    case Kind::percentile: return true;
    default: return false;
  }
}

void Accumulator::trace_needs(Needs& needs) const {
  if (input_) needs.add(*input_);
  for (const model::SortField& field : sort_.fields()) needs.add(field.path.text());
}

// Rows

std::size_t Accumulator::add(Gathered& gathered, Evaluator& evaluate, const Value& row) const {
  if (kind_ == Kind::count) {
    ++std::get<Total>(gathered).count;
    return 0;
  }
  if (kind_ == Kind::first && std::get<One>(gathered).there) return 0;
  Value own;
  const Value* value = evaluate(*input_, row, own);
  if (sort_.empty()) return evaluate.with(row, [&](const model::Variables&) { return add_value(gathered, value); });
  std::string key;
  evaluate.append_key(key, sort_, row, what_);
  Ranked& ranked = std::get<Ranked>(gathered);
  return add_ranked(ranked, {std::move(key), ranked.next++, value ? *value : Value()});
}

// Null: missing.
std::size_t Accumulator::add_value(Gathered& gathered, const Value* value) const {
  static const Value null;
  switch (kind_) {
    case Kind::sum:
    case Kind::avg:
      if (value && value->is_number()) {
        Total& total = std::get<Total>(gathered);
        total.sum.add(*value);
        ++total.count;
        total.doubles += !value->is_integer();
      }
      return 0;
    case Kind::std_dev_pop:
    case Kind::std_dev_samp:
      if (value && value->is_number()) add_number(std::get<Moments>(gathered), value->number());
      return 0;
    case Kind::median:
    case Kind::percentile:
      if (!value || !value->is_number()) return 0;
      std::get<Numbers>(gathered).values.push_back(value->number());
      return 2 * sizeof(double);
    case Kind::push: return value ? add_many(std::get<Many>(gathered), *value) : 0;
    case Kind::first_n:
    case Kind::last_n: return add_many(std::get<Many>(gathered), value ? *value : null);
    case Kind::add_to_set: return value ? add_different(std::get<Different>(gathered), *value) : 0;
    case Kind::min_n:
    case Kind::max_n: {
      if (!value || value->is_null()) return 0;
      Ranked& ranked = std::get<Ranked>(gathered);
      return add_ranked(ranked, {key_of(*value, kind_ == Kind::max_n), ranked.next++, *value});
    }
    default: return add_one(std::get<One>(gathered), value);
  }
}

std::size_t Accumulator::add_one(One& one, const Value* value) const {
  const std::size_t before = bytes_of(one.value);
  switch (kind_) {
    case Kind::min:
    case Kind::max: {
      if (!value || value->is_null()) return 0;
      const int c = one.there ? model::compare(*value, one.value) : 0;
      if (one.there && (kind_ == Kind::min ? c >= 0 : c <= 0)) return 0;
      one.value = *value;
      break;
    }
    case Kind::merge_objects:
      if (!value || value->is_null()) return 0;
      merge_object(one, *value);
      break;
    default: one.value = value ? *value : Value(); break;  // $first is asked once
  }
  one.there = true;
  return growth(before, bytes_of(one.value));
}

void Accumulator::merge_object(One& one, const Value& object) const {
  if (!object.is_object())
    fail(ErrorCode::invalid, text(what_, ": needs objects, not a value of type ", model::name(object.type())),
         {{"reason", "WrongType"}});
  if (!one.value.is_object()) one.value = Object();
  for (const model::Member& member : object.object()) {
    if (Value* present = one.value.find(member.name))
      *present = member.value;
    else
      one.value.object().push_back(member);
  }
}

std::size_t Accumulator::add_many(Many& many, const Value& value) const {
  if (kind_ == Kind::first_n && many.values.size() == n_) return 0;
  if (kind_ == Kind::last_n && many.values.size() == n_) {
    Value& oldest = many.values[many.first];
    many.first = (many.first + 1) % n_;
    const std::size_t before = bytes_of(oldest);
    oldest = value;
    return growth(before, bytes_of(value));
  }
  many.values.push_back(value);
  return 2 * sizeof(Value) + bytes_of(value);
}

std::size_t Accumulator::add_different(Different& set, const Value& value) const {
  std::string key = key_of(value, false);
  const std::size_t bytes = key.size() + 80 + sizeof(Value) + bytes_of(value);
  if (!set.seen.insert(std::move(key)).second) return 0;
  set.values.push_back(value);
  return bytes;
}

std::size_t Accumulator::add_ranked(Ranked& ranked, Ranked::Entry entry) const {
  const bool keeps_last = kind_ == Kind::bottom || kind_ == Kind::bottom_n;
  const auto stays = [keeps_last](const Ranked::Entry& a, const Ranked::Entry& b) {
    return keeps_last ? comes_before(b, a) : comes_before(a, b);
  };
  const auto bytes_in = [](const Ranked::Entry& one) { return sizeof one + one.key.size() + bytes_of(one.value); };
  auto& heap = ranked.heap;
  std::size_t before = 0;
  if (heap.size() == n_) {
    if (!stays(entry, heap.front())) return 0;
    std::ranges::pop_heap(heap, stays);
    before = bytes_in(heap.back());
    heap.pop_back();
  }
  const std::size_t bytes = bytes_in(entry);
  heap.push_back(std::move(entry));
  std::ranges::push_heap(heap, stays);
  return growth(before, bytes);
}

void Accumulator::remove(Gathered& gathered, Evaluator& evaluate, const Value& row) const {
  Total& total = std::get<Total>(gathered);
  if (kind_ == Kind::count) {
    --total.count;
    return;
  }
  Value own;
  const Value* value = evaluate(*input_, row, own);
  if (!value || !value->is_number()) return;
  total.sum.subtract(*value);
  --total.count;
  if (!value->is_integer() && --total.doubles == 0) total.sum.forget_doubles();  // no residue; an integer again
}

// What others gathered

std::size_t Accumulator::merge(Gathered& gathered, Gathered&& later) const {
  if (auto* total = std::get_if<Total>(&gathered)) {
    total->sum.add(std::get<Total>(later).sum);
    total->count += std::get<Total>(later).count;
    return 0;
  }
  if (auto* moments = std::get_if<Moments>(&gathered)) {
    merge_moments(*moments, std::get<Moments>(later));
    return 0;
  }
  if (auto* one = std::get_if<One>(&gathered)) {
    const One& other = std::get<One>(later);
    if (!other.there || (kind_ == Kind::first && one->there)) return 0;
    return add_one(*one, &other.value);
  }
  std::size_t bytes = 0;
  if (auto* many = std::get_if<Many>(&gathered)) {
    for (const Value& value : in_order(std::move(std::get<Many>(later)))) bytes += add_many(*many, value);
  } else if (auto* set = std::get_if<Different>(&gathered)) {
    for (const Value& value : std::get<Different>(later).values) bytes += add_different(*set, value);
  } else if (auto* ranked = std::get_if<Ranked>(&gathered)) {
    Ranked& other = std::get<Ranked>(later);
    for (Ranked::Entry& entry : other.heap) {
      entry.number += ranked->next;
      bytes += add_ranked(*ranked, std::move(entry));
    }
    ranked->next += other.next;
  } else {
    for (const double number : std::get<Numbers>(later).values) {
      std::get<Numbers>(gathered).values.push_back(number);
      bytes += 2 * sizeof number;
    }
  }
  return bytes;
}

// Results

Value Accumulator::finite(double number) const {
  if (!std::isfinite(number))
    fail(ErrorCode::out_of_range, text(what_, ": leaves the range of a double; NaN and infinity are no values here"),
         {{"reason", "NumberOutOfRange"}});
  return number;
}

Value Accumulator::result(Gathered&& gathered) const {
  switch (kind_) {
    case Kind::count: return std::get<Total>(gathered).count;
    case Kind::sum: {
      Value sum = std::get<Total>(gathered).sum.value();
      return sum.is_integer() ? sum : finite(sum.number());
    }
    case Kind::avg: {
      const Total& total = std::get<Total>(gathered);
      if (total.count == 0) return nullptr;
      return finite(total.sum.number() / static_cast<double>(total.count));
    }
    case Kind::std_dev_pop:
    case Kind::std_dev_samp: {
      const Moments& moments = std::get<Moments>(gathered);
      const std::int64_t divisor = kind_ == Kind::std_dev_samp ? moments.count - 1 : moments.count;
      if (divisor <= 0) return nullptr;
      return finite(std::sqrt(std::max(moments.squares, 0.0) / static_cast<double>(divisor)));
    }
    case Kind::merge_objects:
      if (!std::get<One>(gathered).there) return Object();
      return std::move(std::get<One>(gathered).value);
    case Kind::push:
    case Kind::first_n:
    case Kind::last_n: return in_order(std::move(std::get<Many>(gathered)));
    case Kind::add_to_set: return std::move(std::get<Different>(gathered).values);
    case Kind::top:
    case Kind::bottom: {
      auto& heap = std::get<Ranked>(gathered).heap;
      return heap.empty() ? Value() : std::move(heap[0].value);
    }
    case Kind::top_n:
    case Kind::bottom_n:
    case Kind::min_n:
    case Kind::max_n: {
      Array out;
      auto& heap = std::get<Ranked>(gathered).heap;
      sort_polled(heap, comes_before);
      for (Ranked::Entry& entry : heap) out.push_back(std::move(entry.value));
      return out;
    }
    case Kind::median:
    case Kind::percentile: {
      auto& values = std::get<Numbers>(gathered).values;
      sort_polled(values, std::less<>());
      if (kind_ == Kind::median) return model::percentile_of(values, 0.5);
      Array out;
      for (const double part : parts_) out.push_back(model::percentile_of(values, part));
      return out;
    }
    default: return std::move(std::get<One>(gathered).value);
  }
}

// For spill files

Value Accumulator::saved(Gathered&& gathered) const {
  if (const auto* total = std::get_if<Total>(&gathered)) return Array{total->sum.saved(), total->count};
  if (const auto* moments = std::get_if<Moments>(&gathered))
    return Array{moments->count, moments->mean, moments->squares};
  if (auto* one = std::get_if<One>(&gathered)) return one->there ? Array{std::move(one->value)} : Array();
  if (auto* many = std::get_if<Many>(&gathered)) return in_order(std::move(*many));
  if (auto* set = std::get_if<Different>(&gathered)) return std::move(set->values);
  if (const auto* numbers = std::get_if<Numbers>(&gathered))
    return std::string(reinterpret_cast<const char*>(numbers->values.data()), numbers->values.size() * sizeof(double));
  Array out;
  auto& heap = std::get<Ranked>(gathered).heap;
  sort_polled(heap, comes_before);
  for (Ranked::Entry& entry : heap) {
    out.push_back(std::move(entry.key));
    out.push_back(std::move(entry.value));
  }
  return out;
}

Gathered Accumulator::restored(Value&& saved) const {
  Gathered gathered = begin();
  if (auto* numbers = std::get_if<Numbers>(&gathered)) {
    numbers->values.resize(saved.string().size() / sizeof(double));
    if (!numbers->values.empty()) std::memcpy(numbers->values.data(), saved.string().data(), saved.string().size());
    return gathered;
  }
  Array& parts = saved.array();
  if (auto* total = std::get_if<Total>(&gathered)) {
    total->sum = model::Sum::restored(parts[0]);
    total->count = parts[1].integer();
  } else if (auto* moments = std::get_if<Moments>(&gathered)) {
    *moments = {parts[0].integer(), parts[1].number(), parts[2].number()};
  } else if (auto* one = std::get_if<One>(&gathered)) {
    one->there = !parts.empty();
    if (one->there) one->value = std::move(parts[0]);
  } else if (auto* many = std::get_if<Many>(&gathered)) {
    many->values = std::move(parts);
  } else if (auto* set = std::get_if<Different>(&gathered)) {
    for (const Value& value : parts) add_different(*set, value);
  } else {
    Ranked& ranked = std::get<Ranked>(gathered);
    for (std::size_t i = 0; i + 1 < parts.size(); i += 2)
      add_ranked(ranked, {std::move(parts[i].string()), ranked.next++, std::move(parts[i + 1])});
  }
  return gathered;
}

}  // namespace stele::pipeline
