// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/plan.h"

#include "engine/pipeline/group.h"
#include "engine/pipeline/match.h"
#include "engine/pipeline/narrow.h"

#include <algorithm>
#include <limits>

namespace stele::pipeline {
namespace {

template <class T>
std::shared_ptr<const T> as(const StagePtr& stage) {
  return std::dynamic_pointer_cast<const T>(stage);
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out;
  return __builtin_add_overflow(a, b, &out) ? std::numeric_limits<std::uint64_t>::max() : out;
}

// One change, if there is one to make at i.
bool rearrange_at(Stages& stages, std::size_t i) {
  const auto match = as<Match>(stages[i + 1]);
  if (match) {
    if (const auto first = as<Match>(stages[i])) {
      stages[i] = first->combined(*match);
      stages.erase(stages.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      return true;
    }
    if (!match->may_precede(*stages[i])) {
      auto [before, behind] = match->split(*stages[i]);
      if (!before || !behind) return false;
      stages[i + 1] = std::move(behind);
      stages.insert(stages.begin() + static_cast<std::ptrdiff_t>(i), std::move(before));
      return true;
    }
  } else if (!stages[i]->one_to_one() || !(as<Limit>(stages[i + 1]) || as<Skip>(stages[i + 1]))) {
    return false;
  }
  std::swap(stages[i], stages[i + 1]);
  return true;
}

// How many rows are read of what comes before stages[from]; empty: all.
std::optional<std::uint64_t> wanted(const Stages& stages, std::size_t from) {
  std::uint64_t skipped = 0;
  for (std::size_t i = from; i < stages.size(); ++i) {
    if (const auto skip = as<Skip>(stages[i]))
      skipped = sum(skipped, skip->count());
    else if (const auto limit = as<Limit>(stages[i]))
      return sum(skipped, limit->most());
    else
      break;
  }
  return std::nullopt;
}

class ScanRows final : public Rows {
 public:
  ScanRows(const Execution& execution, std::unique_ptr<Cursor> cursor, const Needs& needs)
      : execution_(execution), cursor_(std::move(cursor)), reader_(needs) {}

  bool next(Value& row) override {
    const auto text = cursor_->next();
    if (!text) return false;
    execution_.tick(256 + text->size());
    text_ = *text;
    reader_.read(text_, row);
    return true;
  }
  std::string_view document() const override { return text_; }

 private:
  Execution execution_;  // its own: it may be another thread that reads
  std::unique_ptr<Cursor> cursor_;
  NarrowReader reader_;
  std::string_view text_;
};

/// Rows, and what they refer to.
class RequestedRows final : public Rows {
 public:
  RequestedRows(std::unique_ptr<Request> request, RowsPtr rows)
      : request_(std::move(request)), rows_(std::move(rows)) {}
  bool next(Value& row) override { return rows_->next(row); }
  bool gives_texts() const override { return rows_->gives_texts(); }
  bool next_text(std::string_view& text) override { return rows_->next_text(text); }

 private:
  std::unique_ptr<Request> request_;
  RowsPtr rows_;
};

}  // namespace

Stages rearranged(Stages stages) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i + 1 < stages.size(); ++i) changed |= rearrange_at(stages, i);
  }
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const StagePtr fused = stages[i]->fused_with(*stages[i + 1]);
    if (!fused) continue;
    stages[i] = fused;
    stages.erase(stages.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto sort = as<SortStage>(stages[i]);
    const auto most = sort ? wanted(stages, i + 1) : std::nullopt;
    if (most) stages[i] = sort->limited(*most);
  }
  return stages;
}

Needs needs_of(std::span<const StagePtr> stages) {
  Needs needs = Needs::all();
  for (std::size_t i = stages.size(); i > 0; --i) stages[i - 1]->trace_needs(needs);
  return needs;
}

Plan Plan::of(Stages parsed) {
  Plan plan;
  plan.stages = rearranged(std::move(parsed));
  Stages& stages = plan.stages;
  if (const auto match = stages.empty() ? nullptr : as<Match>(stages[0])) {
    plan.filter = match->text();
    plan.request.filter = match->filter();
    stages.erase(stages.begin());
  }
  if (!stages.empty() && (plan.sort = as<SortStage>(stages[0]))) {
    plan.request.sort = plan.sort->sort();
    stages.erase(stages.begin());
  }
  plan.request.limit = wanted(stages, 0);
  plan.needs = needs_of(stages);
  if (plan.sort) plan.sort->trace_needs(plan.needs);
  if (!plan.needs.is_all()) plan.request.paths = plan.needs.paths();
  const auto first = std::ranges::find_if(stages, [](const StagePtr& stage) { return !stage->row_wise(); });
  const bool into_group = first != stages.end() && as<Group>(*first);
  plan.request.members_in_order = !into_group;
  plan.request.to_the_end = plan.sort || (first != stages.end() && (*first)->gathers() > 0);
  plan.request.rows_in_any_order = !plan.sort && into_group && as<Group>(*first)->takes_any_order();
  if (!plan.sort && into_group) plan.group = static_cast<std::size_t>(first - stages.begin());
  return plan;
}

std::size_t Plan::gathers() const {
  std::size_t count = sort ? 1 : 0;
  for (const StagePtr& stage : stages) count += stage->gathers();
  return count;
}

std::vector<const Stage*> Plan::listed_stages() const {
  std::vector<const Stage*> out = listed(stages);
  if (sort) out.insert(out.begin(), sort.get());
  out.insert(out.begin(), nullptr);
  return out;
}

RowsPtr scan(Execution& execution, std::unique_ptr<Cursor> cursor, const Needs& needs) {
  return std::make_unique<ScanRows>(execution, std::move(cursor), needs);
}

RowsPtr open_plan(Execution& execution, const SourceName& source, const Plan& plan, OpenedFigures* figures) {
  auto request = std::make_unique<Request>(plan.request);
  request->filter.set_variables(execution.variables);
  request->parts = plan.group ? std::max(execution.settings.threads, 1u) : 1;
  const std::size_t figure = execution.next_figure;
  Opened opened = execution.sources.open(source, *request);
  if (figures) *figures = {opened.how, opened.sorted, opened.cursors.size()};
  const std::span<const StagePtr> stages = plan.stages;
  RowsPtr rows;
  if (opened.cursors.size() > 1) {
    std::vector<RowsPtr> inputs;
    for (auto& cursor : opened.cursors) inputs.push_back(scan(execution, std::move(cursor), plan.needs));
    const auto group = as<Group>(stages[*plan.group]);
    rows = measured(execution, group->open_parallel(execution, stages.first(*plan.group), std::move(inputs)));
    rows = open_stages(execution, stages.subspan(*plan.group + 1), std::move(rows));
  } else {
    const bool sorts = plan.sort && !opened.sorted, whole = sorts && plan.needs.is_all();
    Needs by = Needs::nothing();
    if (whole) plan.sort->trace_needs(by);
    rows = measured(execution, scan(execution, std::move(opened.cursors.at(0)), whole ? by : plan.needs));
    if (sorts) {
      const auto content = whole ? SortStage::Content::documents : SortStage::Content::rows;
      rows = measured(execution, plan.sort->open(execution, std::move(rows), content));
    }
    rows = open_stages(execution, stages, std::move(rows));
  }
  if (!figures && execution.figures) execution.figures->at(figure).how = std::move(opened.how);
  return std::make_unique<RequestedRows>(std::move(request), std::move(rows));
}

}  // namespace stele::pipeline
