// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/pipeline.h"

#include "engine/pipeline/parse.h"

#include <algorithm>
#include <chrono>

namespace stele::pipeline {

namespace {

bool mentions_sql(const Value& value) {
  if (value.is_array()) return std::ranges::any_of(value.array(), mentions_sql);
  return value.is_object() && std::ranges::any_of(value.object(), [](const model::Member& member) {
           return member.name == "sql" || mentions_sql(member.value);
         });
}

}  // namespace

Pipeline Pipeline::parse(std::string_view json, const json::Limits& limits) {
  const Value text = model::parse(json::minify(json, limits, "aggregate"));
  Stages stages = parse_stages(text, Place());
  Pipeline pipeline;
  pipeline.may_read_sql_ = mentions_sql(text);
  pipeline.writes_ = !stages.empty() && (stages.back()->name() == "$out" || stages.back()->name() == "$merge");
  pipeline.plan_ = Plan::of(std::move(stages));
  return pipeline;
}

// Running

struct Results::Impl {
  Impl(Sources& sources, const SourceName& source_name, const Pipeline& p, const Settings& settings,
       const Interrupt* interrupt)
      : execution(sources, settings, interrupt), source(source_name), pipeline(p) {
    execution.variables.now = settings.now;
    execution.stage_bytes = settings.memory_bytes / std::max<std::size_t>(pipeline.plan().gathers(), 1);
  }

  void open() {
    if (passes_texts()) {
      if (cursor) return;
      request = pipeline.plan().request;
      request.filter.set_variables(execution.variables);
      cursor = std::move(execution.sources.open(source, request).cursors.at(0));
    } else if (!rows) {
      rows = open_plan(execution, source, pipeline.plan(), &opened);
    }
  }

  bool next_sorted_text(std::string_view& out) {
    if (done) return false;
    std::optional<Interrupt::Here> here;
    if (execution.interrupt) here.emplace(*execution.interrupt);
    done = !rows->next_text(out);
    return !done;
  }

  bool next(Value& out) {
    if (done) return false;
    std::optional<Interrupt::Here> here;  // for expressions
    if (execution.interrupt) here.emplace(*execution.interrupt);
    open();
    done = !rows->next(out);
    return !done;
  }

  /// Nothing is left to do but to pass documents on: then their text is.
  bool passes_texts() const {
    const Plan& plan = pipeline.plan();
    return plan.stages.empty() && !plan.sort && !execution.figures;
  }

  std::optional<std::string_view> next_text() {
    open();
    const auto found = cursor->next();
    execution.tick(256 + (found ? found->size() : 0));
    return found;
  }

  Execution execution;
  const SourceName source;
  const Pipeline& pipeline;
  Request request;                 // of `cursor`
  std::unique_ptr<Cursor> cursor;  // when texts are passed on
  OpenedFigures opened;
  RowsPtr rows;
  Value row;
  std::string text;
  bool done = false;
};

Results::Results(Sources& sources, const SourceName& source, const Pipeline& pipeline, const Settings& settings,
                 const Interrupt* interrupt)
    : impl_(std::make_unique<Impl>(sources, source, pipeline, settings, interrupt)) {}

Results::~Results() = default;

void Results::open() { impl_->open(); }

std::optional<std::string_view> Results::next() {
  Impl& impl = *impl_;
  if (impl.passes_texts()) return impl.next_text();
  impl.open();
  if (impl.rows->gives_texts()) {
    std::string_view text;
    return impl.next_sorted_text(text) ? std::optional(text) : std::nullopt;
  }
  if (!impl.next(impl.row)) return std::nullopt;
  impl.text.clear();
  model::append_json(impl.text, impl.row);
  check_row_size(impl.execution.settings, impl.text.size(), "aggregate");
  return impl.text;
}

// Explaining

namespace {

Value integer(std::uint64_t number) { return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX)); }

std::int64_t microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

// `before`: the stage that it pulled from, or null.
void add_figures(Object& out, const StageFigures& figures, const StageFigures* before) {
  if (before) out.push_back({"rows_in", integer(before->rows_out)});
  out.push_back({"rows_out", integer(figures.rows_out)});
  const auto own = before && figures.time > before->time ? figures.time - before->time : figures.time;
  out.push_back({"time_us", before && figures.time <= before->time ? 0 : microseconds(own)});
  if (figures.spilled_bytes > 0) out.push_back({"spilled_bytes", integer(figures.spilled_bytes)});
  if (figures.threads > 1) out.push_back({"threads", integer(figures.threads)});
}

// Of a pipeline's stages, the first of them its source, perhaps; none of `figures`: it never ran.
Array described(std::vector<const Stage*> stages, std::vector<StageFigures> figures) {
  if (figures.empty()) figures.resize(stages.size());
  if (figures.size() + 1 == stages.size()) stages.erase(stages.begin() + 1);  // the sort, which the source has done
  Array out;
  for (std::size_t i = 0; i < std::min(stages.size(), figures.size()); ++i) {
    const Stage* stage = stages[i];
    Object one = {{"stage", stage ? stage->name() : "source"}};
    const Value notes = stage ? stage->notes() : Object();
    one.insert(one.end(), notes.object().begin(), notes.object().end());
    add_figures(one, figures[i], i > 0 ? &figures[i - 1] : nullptr);
    if (figures[i].how.is_object()) one.push_back({"how", figures[i].how});
    const auto inner = stage ? stage->inner_stages() : std::vector<std::vector<const Stage*>>();
    Array pipelines;
    for (std::size_t k = 0; k < inner.size(); ++k)
      pipelines.push_back(
          described(inner[k], k < figures[i].inner.size() ? *figures[i].inner[k] : std::vector<StageFigures>()));
    if (!pipelines.empty()) one.push_back({"pipelines", std::move(pipelines)});
    out.push_back(std::move(one));
  }
  return out;
}

Value source_value(const SourceName& source, const Plan& plan, const OpenedFigures& opened) {
  Value value = source.value();
  Object& out = value.object();
  out.push_back({"filter", plan.filter});
  if (plan.sort) {
    out.push_back({"sort", plan.sort->text()});
    out.push_back({"sorted_by_source", opened.sorted});
  }
  if (plan.request.limit) out.push_back({"limit", integer(*plan.request.limit)});
  if (plan.request.paths) {
    Array paths;
    for (const std::string& path : *plan.request.paths) paths.push_back(path);
    out.push_back({"paths", std::move(paths)});
  }
  if (opened.parts > 1) out.push_back({"parts", integer(opened.parts)});
  if (opened.how.is_object()) out.push_back({"how", opened.how});
  return value;
}

}  // namespace

std::string explain(Sources& sources, const SourceName& source, const Pipeline& pipeline, const Settings& settings,
                    const Interrupt* interrupt) {
  const auto begin = std::chrono::steady_clock::now();
  Results::Impl run(sources, source, pipeline, settings, interrupt);
  std::vector<StageFigures> figures;
  run.execution.figures = &figures;
  std::uint64_t returned = 0;
  Value row;
  while (run.next(row)) ++returned;
  const Plan& plan = pipeline.plan();
  std::vector<const Stage*> stages = plan.listed_stages();
  Value from = source_value(source, plan, run.opened);
  add_figures(from.object(), figures.at(0), nullptr);
  Array list = described(stages, figures);
  list.erase(list.begin());
  return model::to_json(Object{{"source", std::move(from)},
                               {"stages", std::move(list)},
                               {"returned", integer(returned)},
                               {"time_us", microseconds(std::chrono::steady_clock::now() - begin)}});
}

}  // namespace stele::pipeline
