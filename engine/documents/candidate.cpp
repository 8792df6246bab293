// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/candidate.h"

#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"

#include <algorithm>
#include <string>

namespace stele::documents {
namespace {

using catalog::Index;
using model::Condition;
using storage::Keyspace;
using storage::KeyRange;
using transaction::Direction;

constexpr std::size_t ranges_max = 1000;  // made of several fields; further fields are left to the filter

std::string complement(std::string element) {
  key::make_descending(element, 0);
  return element;
}

/// The ranges of keys that bounds of field after field leave.
class Ranges {
 public:
  explicit Ranges(std::string prefix) : prefixes_{std::move(prefix)} {}

  /// False when no further field can be added.
  bool add(const Bounds& bounds, bool is_descending) {
    if (!ranges_.empty() || (prefixes_.size() > 1 && prefixes_.size() * bounds.intervals.size() > ranges_max)) return false;
    std::vector<std::string> longer;
    std::vector<Interval> intervals = bounds.intervals;
    const bool points = bounds.all_points();
    if (is_descending) std::ranges::reverse(intervals);
    for (const std::string& prefix : prefixes_) {
      for (const Interval& interval : intervals) {
        if (points) {
          longer.push_back(prefix + (is_descending ? complement(interval.low) : interval.low));
        } else {
          const Interval bytes = is_descending ? descending(interval) : interval;
          ranges_.push_back({prefix + bytes.low, prefix + bytes.high});
        }
      }
    }
    if (points) prefixes_ = std::move(longer);
    return ranges_.empty();
  }

  std::vector<KeyRange> take() {
    if (ranges_.empty())
      for (const std::string& prefix : prefixes_) ranges_.push_back({prefix, key::prefix_end(prefix)});
    return std::move(ranges_);
  }

 private:
  std::vector<std::string> prefixes_;  // while all fields so far are points
  std::vector<KeyRange> ranges_;
};

class Fit {
 public:
  Fit(transaction::Reader& reader, const Index& index, const Condition& conjunction, const model::Sort& sort)
      : index_(index), conjunction_(conjunction), sort_(sort), fixed_(index.fields.size()) {
    for (std::size_t i = 0; i < index.fields.size(); ++i) {
      through_array_.push_back(reader.get(Keyspace::indexes, multikey_key(index.id, i), unused_));
      candidate_.repeats = candidate_.repeats || through_array_.back();
    }
  }

  std::optional<Candidate> run() {
    candidate_.index = &index_;
    if (index_.partial_filter && !implies(conjunction_, index_.partial_filter->root())) return std::nullopt;
    if (index_.sparse && !has_some_field()) return std::nullopt;
    if (!bound()) return candidate_;
    order();
    return candidate_;
  }

 private:
  const model::Path& path(std::size_t field) const { return index_.fields[field].path; }

  /// Every match has one of the fields.
  bool has_some_field() const {
    for (const catalog::IndexField& field : index_.fields)
      if (std::ranges::any_of(bounds_of(conjunction_, field.path.text()), [](const Bounds& bounds) { return !bounds.missing; }))
        return true;
    return false;
  }

  std::optional<Bounds> bounds(std::size_t field) const {
    std::vector<Bounds> found = bounds_of(conjunction_, path(field).text());
    // An array's element that a path names by its place has an entry; that other elements lack such a member has none.
    // Nor has it in a sparse index, beside elements that have the member.
    const bool by_place = std::ranges::any_of(path(field).steps(), [](const model::Step& step) { return step.index.has_value(); });
    if (through_array_[field] && (by_place || index_.sparse)) std::erase_if(found, [](const Bounds& bounds) { return bounds.missing && !bounds.every; });
    return joined(found, through_array_[field]);
  }

  /// Conditions on several paths of one array may be met by different elements of it: then entries have to meet only one,
  /// unless an $elemMatch holds them together.
  bool holds_beside(std::size_t field, const Bounds& bounds) {
    if (!through_array_[field] || bounds.every) return true;
    const std::string& member = path(field).steps().front().name;
    const auto before = std::ranges::find(members_, member, &std::pair<std::string, const Condition*>::first);
    if (before != members_.end()) return bounds.element && before->second == bounds.element;
    members_.emplace_back(member, bounds.element);
    return true;
  }

  /// False when nothing matches.
  bool bound() {
    Ranges ranges(index_prefix(index_.id));
    bool more = true;
    for (std::size_t i = 0; i < index_.fields.size() && more; ++i) {
      const std::optional<Bounds> found = bounds(i);
      more = found && holds_beside(i, *found);
      if (!more) break;
      candidate_.bounded = true;
      if (found->intervals.empty()) return false;
      if (i == 0) candidate_.points = found->all_points();
      fixed_[i] = found->is_point();
      more = ranges.add(*found, index_.fields[i].descending);
    }
    // Behind the fields of an entry stands its _id, unless the index is unique.
    const std::optional<Bounds> id = more && !index_.unique && fixed_.back() ? joined(bounds_of(conjunction_, "_id"), false) : std::nullopt;
    if (id && id->intervals.empty()) return false;
    if (id) ranges.add(*id, false);
    candidate_.ranges = ranges.take();
    return true;
  }

  /// The index has the order wanted when, its fixed fields aside, its fields begin with the sort's, and no array stands
  /// at those.
  void order() {
    const auto& wanted = sort_.fields();
    if (wanted.empty()) return;
    std::optional<bool> backward;
    std::size_t at = 0;
    bool id_reached = false;
    for (const model::SortField& field : wanted) {
      while (at < index_.fields.size() && path(at).text() != field.path.text() && fixed_[at]) ++at;
      const bool is_id = at == index_.fields.size() && !index_.unique && field.path.text() == "_id" && !id_reached;
      if (!is_id && (at == index_.fields.size() || path(at).text() != field.path.text() || through_array_[at])) return;
      const bool against = field.descending != (is_id ? false : index_.fields[at].descending);
      if (backward.value_or(against) != against) return;
      backward = against;
      id_reached = is_id;
      if (!is_id) ++at;
    }
    candidate_.sorted = true;
    candidate_.direction = *backward ? Direction::backward : Direction::forward;
  }

  const Index& index_;
  const Condition& conjunction_;
  const model::Sort& sort_;
  std::vector<bool> fixed_;  // to one value
  std::vector<bool> through_array_;
  std::vector<std::pair<std::string, const Condition*>> members_;  // arrays at whose elements bounds stand, and their $elemMatch
  std::string unused_;
  Candidate candidate_;
};

}  // namespace

bool concerns(const Index& index, const Condition& conjunction, const model::Sort& sort) {
  const std::string_view first = index.fields.front().path.text();
  return (!sort.empty() && sort.fields().front().path.text() == first) || !bounds_of(conjunction, first).empty();
}

std::optional<Candidate> fit(transaction::Reader& reader, const Index& index, const Condition& conjunction, const model::Sort& sort) {
  return Fit(reader, index, conjunction, sort).run();
}

}  // namespace stele::documents
