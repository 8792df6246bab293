// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/plan.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/candidate.h"
#include "engine/documents/estimate.h"
#include "engine/documents/index_entries.h"

#include <algorithm>
#include <limits>

namespace stele::documents {
namespace {

using catalog::Definition;
using catalog::Index;
using model::Condition;
using storage::Keyspace;
using storage::KeyRange;
using transaction::Direction;
using transaction::Reader;

// Costs, in documents read one after the other.
constexpr double fetch_cost = 4;                    // of a document that an entry or id leads to
constexpr double sort_cost = 1;                     // of each document that is sorted
constexpr double large_sort_penalty = 16;           // beyond sort_bytes: what is sorted is held in memory
constexpr std::uint64_t sort_bytes = 16u << 20;
constexpr std::uint64_t count_first = 64;           // entries counted of each way
constexpr std::uint64_t count_more = 4096;          // when none has so few, and nothing is known to end early
constexpr std::uint64_t few = 1000;                 // so many entries within bounds are taken without asking what a scan costs
constexpr std::uint64_t limit_small = 1000;
constexpr std::size_t branches_max = 100;

/// A plan, and what it is found to cost.
struct Option {
  Plan plan;
  bool bounded = false;  // by the filter; otherwise everything there is
  bool points = false;
  std::optional<Estimate> estimate = {};
  double cost = 0;

  double entries() const { return static_cast<double>(estimate->entries); }
};

class Planner {
 public:
  Planner(Reader& reader, const Definition& collection, const Wanted& wanted)
      : reader_(reader), collection_(collection), wanted_(wanted) {}

  Plan make() {
    if (!wanted_.hint.empty()) return hinted();
    Option best = choose(wanted_.filter.root(), true);
    best.plan.considered = std::move(considered_);
    return std::move(best.plan);
  }

 private:
  // Ways

  Option by_documents() const {
    Option all;
    const std::string prefix = index_prefix(collection_.id);
    all.plan.ranges.push_back({prefix, key::prefix_end(prefix)});
    order_by_id(all.plan);
    return all;
  }

  void order_by_id(Plan& plan) const {
    const auto& fields = wanted_.sort.fields();
    plan.sorted = fields.empty() || fields.front().path.text() == "_id";
    if (plan.sorted && !fields.empty() && fields.front().descending) plan.direction = Direction::backward;
  }

  std::optional<Option> by_id(const Condition& conjunction) const {
    const std::optional<Bounds> bounds = joined(bounds_of(conjunction, "_id"), false);
    if (!bounds) return std::nullopt;
    Option option;
    option.bounded = true;
    option.points = bounds->all_points();
    Plan& plan = option.plan;
    if (bounds->intervals.empty()) {
      plan.kind = Plan::Kind::nothing;
      return option;
    }
    const std::string prefix = index_prefix(collection_.id);
    for (const Interval& interval : bounds->intervals) plan.ranges.push_back({prefix + interval.low, prefix + interval.high});
    if (option.points) plan.kind = Plan::Kind::ids;
    order_by_id(plan);
    if (plan.direction == Direction::backward) std::ranges::reverse(plan.ranges);
    return option;
  }

  Option of(Candidate candidate) const {
    Option option;
    option.bounded = candidate.bounded;
    option.points = candidate.points;
    Plan& plan = option.plan;
    plan.kind = candidate.ranges.empty() ? Plan::Kind::nothing : Plan::Kind::index;
    plan.index = candidate.index;
    plan.ranges = std::move(candidate.ranges);
    plan.repeats = candidate.repeats;
    plan.sorted = wanted_.sort.empty() || candidate.sorted;
    plan.direction = candidate.direction;
    if (plan.direction == Direction::backward) std::ranges::reverse(plan.ranges);
    return option;
  }

  /// The ways by one range of keys after the other; those that nothing bounds and that have no order wanted, too, are left out.
  std::vector<Option> simple_ways(const Condition& conjunction) const {
    std::vector<Option> ways;
    if (auto option = by_id(conjunction)) ways.push_back(*std::move(option));
    for (const Index& index : collection_.indexes) {
      if (index.state != Index::State::ready || !concerns(index, conjunction, wanted_.sort)) continue;
      auto candidate = fit(reader_, index, conjunction, wanted_.sort);
      if (candidate && (candidate->bounded || candidate->sorted)) ways.push_back(of(*std::move(candidate)));
    }
    return ways;
  }

  /// Of an $or with other conditions beside it: each branch together with those.
  std::optional<Option> by_branches(const Condition& conjunction, const Condition& any) {
    if (any.children.size() > branches_max) return std::nullopt;
    Condition rest;
    for (const Condition& part : conjunction.children)
      if (&part != &any) rest.children.push_back(part);
    Option all;
    all.bounded = true;
    all.estimate.emplace();
    all.plan.kind = Plan::Kind::branches;
    all.plan.repeats = true;
    all.plan.sorted = wanted_.sort.empty();
    for (const Condition& branch : any.children) {
      Condition both = rest;
      both.children.push_back(branch);
      Option best = choose(both, false);
      if (!best.bounded) return std::nullopt;
      measure(best);
      *all.estimate += *best.estimate;
      if (best.plan.kind != Plan::Kind::nothing) all.plan.branches.push_back(std::move(best.plan));
    }
    return all;
  }

  // Costs

  bool in_order(const Plan& plan) const { return wanted_.sort.empty() || plan.sorted; }

  /// Ends as soon as enough is found.
  bool stops_early(const Option& option) const {
    return in_order(option.plan) && wanted_.documents && *wanted_.documents <= limit_small;
  }

  void measure(Option& option, std::uint64_t count_max = count_first) const {
    const Plan& plan = option.plan;
    if (option.estimate && (option.estimate->exact || count_max == count_first)) return;
    if (plan.kind == Plan::Kind::nothing) {
      option.estimate = Estimate();
    } else if (plan.kind == Plan::Kind::ids) {
      option.estimate = Estimate{plan.ranges.size(), 0, true};
    } else {
      option.estimate = estimate(reader_, plan.kind == Plan::Kind::index ? Keyspace::indexes : Keyspace::documents, plan.ranges, count_max);
    }
  }

  /// `matches`: at most so many documents match, as far as known.
  void set_cost(Option& option, double matches) const {
    double examined = option.entries();
    if (in_order(option.plan) && wanted_.documents) {
      const double each = std::max(1.0, examined / std::max(matches, 1.0));
      examined = std::min(examined, static_cast<double>(*wanted_.documents) * each);
    }
    const bool scans = option.plan.kind == Plan::Kind::documents;
    option.cost = examined * (scans ? 1 : fetch_cost);
    if (in_order(option.plan)) return;
    const bool large = !wanted_.documents && examined > few && documents_bytes(option) > static_cast<double>(sort_bytes);
    option.cost += examined * sort_cost * (large ? large_sort_penalty : 1);
  }

  /// Of the documents that the option finds.
  double documents_bytes(const Option& option) const {
    if (option.plan.kind == Plan::Kind::documents) return static_cast<double>(option.estimate->bytes);
    const Estimate& all = everything();
    return static_cast<double>(all.bytes) / static_cast<double>(std::max<std::uint64_t>(all.entries, 1)) * option.entries();
  }

  const Estimate& everything() const {
    if (!everything_) everything_ = estimate(reader_, Keyspace::documents, by_documents().plan.ranges, count_first);
    return *everything_;
  }

  void note(const Option& option) {
    if (option.plan.kind == Plan::Kind::nothing) return;
    constexpr std::string_view kinds[] = {"nothing", "ids", "documents", "index", "branches"};
    const std::string name = option.plan.index ? option.plan.index->name : std::string(kinds[static_cast<std::size_t>(option.plan.kind)]);
    considered_.push_back(text(name, ": ", option.estimate->exact ? "" : "about ", option.estimate->entries, " entries",
                               !wanted_.sort.empty() && option.plan.sorted ? ", in order" : ""));
  }

  // Choice

  Option choose(const Condition& conjunction, bool with_branches) {
    std::vector<Option> ways = simple_ways(conjunction);
    for (Option& option : ways)
      if (option.plan.kind == Plan::Kind::nothing) return std::move(option);
    with_branches = with_branches && has_either(conjunction);
    if (ways.size() == 1 && !with_branches && is_plain(ways.front(), conjunction)) return std::move(ways.front());
    if (with_branches)
      for (const Condition& part : conjunction.children)
        if (is_either(part))
          if (auto branches = by_branches(conjunction, part)) ways.push_back(*std::move(branches));
    for (Option& option : ways) measure(option);
    const bool known = std::ranges::any_of(ways, [&](const Option& option) { return option.estimate->exact || stops_early(option); });
    for (Option& option : ways)
      if (!known && option.plan.kind == Plan::Kind::index) measure(option, count_more);
    return cheapest(std::move(ways), conjunction);
  }

  /// The common cases, a given value or the first few in an order, need no measuring.
  bool is_plain(const Option& option, const Condition& conjunction) const {
    if (stops_early(option) && (option.bounded || conjunction.children.empty())) return true;
    return option.bounded && option.points;
  }

  static bool is_either(const Condition& part) { return part.kind == Condition::Kind::any_of && part.children.size() > 1; }
  static bool has_either(const Condition& conjunction) {
    return std::ranges::any_of(conjunction.children, is_either);
  }

  Option cheapest(std::vector<Option> ways, const Condition& conjunction) {
    double matches = std::numeric_limits<double>::infinity();
    for (const Option& option : ways)
      if (option.bounded) matches = std::min(matches, option.entries());
    const bool few_match = matches <= few;
    if (!few_match) {  // otherwise no need to know how many there are
      ways.push_back(by_documents());
      ways.back().estimate = everything();
      matches = std::min(matches, static_cast<double>(everything().entries) / (conjunction.children.empty() ? 1 : 10));
      for (Option& option : ways)  // an estimate beyond all documents is none
        if (option.plan.kind == Plan::Kind::index && !option.estimate->exact && !option.plan.repeats)
          option.estimate->entries = std::min(option.estimate->entries, everything().entries);
    }
    for (Option& option : ways) {
      set_cost(option, matches);
      note(option);
    }
    return std::move(*std::ranges::min_element(ways, {}, &Option::cost));
  }

  // Hints

  [[noreturn]] void refuse_hint(std::string_view rule) const {
    fail(ErrorCode::invalid, text("find: the hint ", wanted_.hint, ' ', rule), {{"reason", "InvalidHint"}, {"index", wanted_.hint}});
  }

  const Index* hinted_index() const {
    if (!wanted_.hint.starts_with('{')) return collection_.index(wanted_.hint);
    Index like;
    like.fields = catalog::parse_index_fields(wanted_.hint);
    const auto at = std::ranges::find(collection_.indexes, like.keys_json(), &Index::keys_json);
    return at == collection_.indexes.end() ? nullptr : &*at;
  }

  bool hints(std::string_view name, std::string_view only_field) const {
    if (!wanted_.hint.starts_with('{')) return wanted_.hint == name;
    const model::Value keys = model::parse(json::minify(wanted_.hint, {}, "hint"));
    return keys.object().size() == 1 && keys.find(only_field);
  }

  Plan hinted() const {
    if (hints("$natural", "$natural")) {
      if (wanted_.hint.find('-') != std::string::npos) refuse_hint("gives $natural backwards, which is not offered; sort by _id");
      return by_documents().plan;
    }
    if (hints("_id_", "_id")) {
      const auto option = by_id(wanted_.filter.root());
      return option ? option->plan : by_documents().plan;
    }
    const Index* index = hinted_index();
    if (!index || index->state != Index::State::ready)
      refuse_hint(text("names ", index ? "an index that is not ready" : "no index", " of collection \"", collection_.name,
                       "\"; list its indexes, or leave the hint out"));
    auto candidate = fit(reader_, *index, wanted_.filter.root(), wanted_.sort);
    if (!candidate) refuse_hint("names an index that leaves out documents which the filter may match; leave the hint out");
    return of(*std::move(candidate)).plan;
  }

  Reader& reader_;
  const Definition& collection_;
  const Wanted& wanted_;
  mutable std::optional<Estimate> everything_;
  std::vector<std::string> considered_;
};

}  // namespace

Plan make_plan(Reader& reader, const Definition& collection, const Wanted& wanted) {
  return Planner(reader, collection, wanted).make();
}

}  // namespace stele::documents
