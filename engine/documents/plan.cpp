// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/plan.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"

#include <algorithm>

namespace stele::documents {
namespace {

using catalog::Definition;
using catalog::Index;
using model::Condition;
using storage::Keyspace;
using storage::KeyRange;
using transaction::Direction;
using transaction::Reader;

constexpr std::size_t ranges_max = 1000;         // of one plan; further fields are left to the filter
constexpr std::uint64_t probes[] = {64, 4096};   // entries counted of each index before the next round

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
    if (!ranges_.empty() || prefixes_.size() * bounds.intervals.size() > ranges_max) return false;
    std::vector<std::string> longer;
    std::vector<Interval> intervals = bounds.intervals;
    if (is_descending) std::ranges::reverse(intervals);
    for (const std::string& prefix : prefixes_) {
      for (const Interval& interval : intervals) {
        if (bounds.all_points()) {
          longer.push_back(prefix + (is_descending ? complement(interval.low) : interval.low));
        } else {
          const Interval bytes = is_descending ? descending(interval) : interval;
          ranges_.push_back({prefix + bytes.low, prefix + bytes.high});
        }
      }
    }
    if (bounds.all_points()) prefixes_ = std::move(longer);
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

bool is_empty(const Bounds& bounds) { return bounds.intervals.empty(); }

/// Which index, what of it, and what it would cost.
struct Candidate {
  const Index* index = nullptr;
  std::vector<KeyRange> ranges;
  bool repeats = false;
  bool bounded = false;
  bool sorted = false;
  Direction direction = Direction::forward;
  std::uint64_t entries = 0;  // as far as counted
  bool counted_all = false;
};

class Planner {
 public:
  Planner(Reader& reader, const Definition& collection, const Wanted& wanted)
      : reader_(reader), collection_(collection), wanted_(wanted) {}

  Plan make() {
    if (!wanted_.hint.empty()) return hinted();
    if (auto plan = by_id()) return *std::move(plan);
    if (auto plan = by_index(wanted_.filter.root())) return *std::move(plan);
    if (auto plan = by_branches()) return *std::move(plan);
    return all_documents();
  }

 private:
  bool multikey(const Index& index) const {
    std::string present;
    return reader_.get(Keyspace::indexes, multikey_key(index.id), present);
  }

  Plan all_documents() const {
    Plan plan;
    const std::string prefix = index_prefix(collection_.id);
    plan.ranges.push_back({prefix, key::prefix_end(prefix)});
    order_by_id(plan);
    plan.considered = considered_;
    return plan;
  }

  void order_by_id(Plan& plan) const {
    const auto& fields = wanted_.sort.fields();
    plan.sorted = fields.empty() || fields.front().path.text() == "_id";
    if (plan.sorted && !fields.empty() && fields.front().descending) plan.direction = Direction::backward;
  }

  std::optional<Plan> by_id() const {
    const std::vector<Bounds> found = bounds_of(wanted_.filter.root(), "_id");
    if (found.empty()) return std::nullopt;
    Bounds bounds = found.front();
    for (const Bounds& other : found) bounds = intersection(bounds, other);
    Plan plan;
    if (is_empty(bounds)) {
      plan.kind = Plan::Kind::nothing;
      return plan;
    }
    const std::string prefix = index_prefix(collection_.id);
    for (const Interval& interval : bounds.intervals) plan.ranges.push_back({prefix + interval.low, prefix + interval.high});
    if (bounds.all_points()) plan.kind = Plan::Kind::ids;
    order_by_id(plan);
    if (plan.direction == Direction::backward) std::ranges::reverse(plan.ranges);
    return plan;
  }

  /// Null intervals of missing fields are not in a sparse index, and documents outside the filter not in a partial one.
  bool holds_all(const Index& index, const Condition& conjunction, bool bounds_leave_null) const {
    if (index.sparse && bounds_leave_null) return false;
    return !index.partial_filter || implies(conjunction, index.partial_filter->root());
  }

  /// Conservative: each part of the partial filter must be bounds on a path, within which the query's are.
  static bool implies(const Condition& query, const Condition& partial) {
    if (partial.kind == Condition::Kind::all_of)
      return std::ranges::all_of(partial.children, [&](const Condition& part) { return implies(query, part); });
    const std::vector<Bounds> found = bounds_of(query, partial.path.text());
    if (partial.kind == Condition::Kind::exists)
      return std::ranges::any_of(found, [](const Bounds& bounds) { return !bounds.null; });
    // Bounds of an array are wider than what is equal to it.
    if (partial.operand.is_array() || std::ranges::any_of(partial.operands, &model::Value::is_array)) return false;
    const std::vector<Bounds> wanted = bounds_of(partial, partial.path.text());
    if (wanted.size() != 1) return false;
    return std::ranges::any_of(found, [&](const Bounds& bounds) { return within(bounds, wanted.front()); });
  }

  /// Empty when the index cannot serve the conjunction.
  std::optional<Candidate> fit(const Index& index, const Condition& conjunction) const {
    Candidate candidate;
    candidate.index = &index;
    candidate.repeats = multikey(index);
    Ranges ranges(index_prefix(index.id));
    std::vector<bool> fixed(index.fields.size());
    std::vector<std::string_view> members;
    bool more = true;
    bool null = true;
    for (std::size_t i = 0; i < index.fields.size() && more; ++i) {
      const std::vector<Bounds> found = bounds_of(conjunction, index.fields[i].path.text());
      if (found.empty()) break;
      // Other elements of one array may meet other conditions: then only one of them bounds the entries.
      const std::string_view member = index.fields[i].path.steps().front().name;
      if (candidate.repeats && std::ranges::find(members, member) != members.end()) break;
      members.push_back(member);
      Bounds bounds = found.front();
      for (const Bounds& other : found) {
        if (!candidate.repeats) bounds = intersection(bounds, other);
        else if (other.all_points() && !bounds.all_points()) bounds = other;
      }
      if (is_empty(bounds)) {
        candidate.bounded = candidate.counted_all = true;
        return candidate;  // nothing matches
      }
      null = null && bounds.null;
      fixed[i] = bounds.is_point();
      candidate.bounded = true;
      more = ranges.add(bounds, index.fields[i].descending);
    }
    candidate.ranges = ranges.take();
    if (!holds_all(index, conjunction, null)) return std::nullopt;
    if (!candidate.repeats) order(index, fixed, candidate);
    return candidate;
  }

  /// The index has the order wanted when, its fixed fields aside, its fields begin with the sort's.
  void order(const Index& index, const std::vector<bool>& fixed, Candidate& candidate) const {
    const auto& sort = wanted_.sort.fields();
    if (sort.empty()) return;
    std::optional<bool> backward;
    std::size_t at = 0;
    bool id_reached = false;
    for (const model::SortField& field : sort) {
      while (at < index.fields.size() && index.fields[at].path.text() != field.path.text() && fixed[at]) ++at;
      const bool is_id = at == index.fields.size() && !index.unique && field.path.text() == "_id" && !id_reached;
      if (!is_id && (at == index.fields.size() || index.fields[at].path.text() != field.path.text())) return;
      const bool against = field.descending != (is_id ? false : index.fields[at].descending);
      if (backward.value_or(against) != against) return;
      backward = against;
      id_reached = is_id;
      if (!is_id) ++at;
    }
    candidate.sorted = true;
    candidate.direction = *backward ? Direction::backward : Direction::forward;
  }

  void count(Candidate& candidate, std::uint64_t bound) const {
    candidate.entries = 0;
    for (const KeyRange& range : candidate.ranges) {
      const auto scan = reader_.scan(Keyspace::indexes, range, transaction::ScanRecord::none);
      while (candidate.entries < bound && scan->next()) ++candidate.entries;
      if (candidate.entries >= bound) return;
    }
    candidate.counted_all = true;
  }

  /// What it costs, in entries: without the order wanted all are read and then sorted; with it, as many as are wanted,
  /// or more when the filter takes only some of them.
  std::uint64_t cost(const Candidate& candidate) const {
    const bool sorts = !wanted_.sort.empty() && !candidate.sorted;
    const std::uint64_t all = candidate.entries * (sorts ? 2 : 1) + (candidate.counted_all ? 0 : probes[1]);
    if (sorts || !wanted_.documents) return all;
    return std::min(all, *wanted_.documents * (candidate.bounded ? 2 : 20));
  }

  std::optional<Plan> by_index(const Condition& conjunction) {
    std::vector<Candidate> candidates;
    for (const Index& index : collection_.indexes) {
      if (index.state != Index::State::ready) continue;
      auto candidate = fit(index, conjunction);
      const bool serves = candidate && (candidate->bounded || (candidate->sorted && wanted_.documents));
      if (serves) candidates.push_back(*std::move(candidate));
    }
    if (candidates.empty()) return std::nullopt;
    if (candidates.size() > 1) {
      for (const std::uint64_t bound : probes) {
        for (Candidate& candidate : candidates)
          if (!candidate.counted_all) count(candidate, bound);
        if (std::ranges::any_of(candidates, &Candidate::counted_all)) break;
      }
      for (const Candidate& candidate : candidates)
        considered_.push_back(text(candidate.index->name, ": ", candidate.entries, candidate.counted_all ? "" : " or more", " entries",
                                   candidate.sorted ? ", in order" : ""));
    }
    return plan_of(*std::ranges::min_element(candidates, {}, [&](const Candidate& candidate) { return cost(candidate); }));
  }

  Plan plan_of(Candidate& candidate) const {
    Plan plan;
    plan.considered = considered_;
    plan.kind = candidate.ranges.empty() ? Plan::Kind::nothing : Plan::Kind::index;
    plan.index = candidate.index;
    plan.ranges = std::move(candidate.ranges);
    plan.repeats = candidate.repeats;
    plan.sorted = wanted_.sort.empty() || candidate.sorted;
    plan.direction = candidate.direction;
    if (plan.direction == Direction::backward) std::ranges::reverse(plan.ranges);
    return plan;
  }

  std::optional<Plan> by_branches() {
    const Condition* any = nullptr;
    for (const Condition& part : wanted_.filter.root().children)
      if (part.kind == Condition::Kind::any_of) any = &part;
    if (!any) return std::nullopt;
    Plan plan;
    plan.kind = Plan::Kind::branches;
    plan.repeats = true;
    plan.sorted = wanted_.sort.empty();
    for (const Condition& branch : any->children) {
      auto part = by_index(branch);
      if (!part) return std::nullopt;
      plan.branches.push_back(*std::move(part));
    }
    plan.considered = considered_;
    return plan;
  }

  Plan hinted() const {
    if (wanted_.hint == "$natural") return all_documents();
    const Index* index = collection_.index(wanted_.hint);
    if (!index || index->state != Index::State::ready)
      fail(ErrorCode::invalid,
           text("find: the hint names \"", wanted_.hint, "\", which is ", index ? "not ready" : "no index", " of collection \"",
                collection_.name, "\"; list its indexes, or leave the hint out"),
           {{"reason", "InvalidHint"}, {"index", wanted_.hint}});
    auto candidate = fit(*index, wanted_.filter.root());
    if (!candidate)
      fail(ErrorCode::invalid, text("find: index \"", index->name, "\" leaves out documents that the filter may match; leave the hint out"),
           {{"reason", "InvalidHint"}, {"index", index->name}});
    return plan_of(*candidate);
  }

  Reader& reader_;
  const Definition& collection_;
  const Wanted& wanted_;
  std::vector<std::string> considered_;
};

}  // namespace

Plan make_plan(Reader& reader, const Definition& collection, const Wanted& wanted) {
  return Planner(reader, collection, wanted).make();
}

}  // namespace stele::documents
