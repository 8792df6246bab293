// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $out and $merge. All rows are there before the first is written: what the pipeline reads is not what it writes, and a
// row that cannot be made leaves nothing behind.
#include "engine/model/document.h"
#include "engine/model/document_error.h"
#include "engine/pipeline/parse.h"
#include "engine/pipeline/spool.h"
#include "engine/pipeline/subpipeline.h"

#include <algorithm>

namespace stele::pipeline {
namespace {

/// Carries `act` out; of what it refuses the error tells the stage and the document.
template <class Act>
void writing(const std::string& what, const Value& row, Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    const bool of_the_document = error.code() == ErrorCode::invalid || error.code() == ErrorCode::exists ||
                                 error.code() == ErrorCode::constraint || error.code() == ErrorCode::too_large;
    if (!of_the_document || error.message().starts_with(what)) throw;
    model::rethrow_at(Error(error.code(), text(what, ": ", error.message()), error.detail()), row);
  }
}

/// Writes when it is asked for its first row, and has none.
template <class Stage>
class WritingRows final : public Rows {
 public:
  WritingRows(Execution& execution, RowsPtr input, const Stage& stage)
      : execution_(execution), input_(std::move(input)), stage_(stage) {}

  bool next(Value&) override {
    if (!input_) return false;
    if (execution_.figures) {  // explained: nothing is written
      Value row;
      while (input_->next(row)) execution_.tick();
      input_.reset();
      return false;
    }
    Spool spool(execution_, execution_.stage_bytes, stage_.what());
    spool.add_all(*input_);
    input_.reset();
    const RowsPtr rows = spool.rows();
    stage_.write(execution_, *rows);
    return false;
  }

 private:
  Execution& execution_;
  RowsPtr input_;
  const Stage& stage_;
};

class Out final : public Stage {
 public:
  Out(const std::string& what, std::string collection) : Stage(what), collection_(std::move(collection)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<WritingRows<Out>>(execution, std::move(input), *this);
  }
  void write(Execution& execution, Rows& rows) const {
    const std::unique_ptr<Target> target = execution.sources.target(collection_);
    target->clear();
    Value row;
    while (rows.next(row)) writing(what(), row, [&] { target->insert(row); });
  }
  void trace_needs(Needs& needs) const override { needs.add_all(); }
  std::size_t gathers() const override { return 1; }
  Value notes() const override { return Object{{"into", collection_}, {"written", false}}; }

 private:
  std::string collection_;
};

struct MergeSpec {
  enum class Matched : std::uint8_t { replace, keep_existing, merge, fail, pipeline };
  enum class NotMatched : std::uint8_t { insert, discard, fail };
  std::string into;
  std::vector<model::Path> on;
  Matched matched = Matched::merge;
  NotMatched not_matched = NotMatched::insert;
  Stages stages;  // of the pipeline for matched documents
  std::vector<std::pair<std::string, Expression>> let;
};

class Merge final : public Stage {
 public:
  Merge(const std::string& what, MergeSpec spec) : Stage(what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return std::make_unique<WritingRows<Merge>>(execution, std::move(input), *this);
  }
  void write(Execution& execution, Rows& rows) const {
    const std::unique_ptr<Target> target = execution.sources.target(spec_.into);
    if (!target->is_unique(spec_.on))
      fail(ErrorCode::invalid,
           text(what(), ": \"on\" needs exactly the paths of a unique index of \"", spec_.into,
                "\", one that is ready and not partial"),
           {{"reason", "NotUnique"}});
    Evaluator evaluate(execution);  // of errors
    Value row;
    while (rows.next(row)) {
      execution.tick();
      evaluate.with(row, [&](const model::Variables&) { write_row(execution, *target, row); });
    }
  }
  void trace_needs(Needs& needs) const override { needs.add_all(); }
  std::size_t gathers() const override { return 1; }
  Value notes() const override { return Object{{"into", spec_.into}, {"written", false}}; }

 private:
  using Matched = MergeSpec::Matched;
  using NotMatched = MergeSpec::NotMatched;

  void write_row(Execution& execution, Target& target, Value& row) const {
    const bool finds_one = can_be_found(row);
    std::optional<Value> present = finds_one ? target.find(row, spec_.on) : std::nullopt;
    if (present) return write_matched(execution, target, std::move(*present), row);
    if (spec_.not_matched == NotMatched::fail)
      fail(ErrorCode::not_found,
           text(what(), ": \"", spec_.into, "\" has no document for ", model::to_json(row).substr(0, 200)),
           {{"reason", "NotMatched"}});
    if (spec_.not_matched == NotMatched::insert) writing(what(), row, [&] { target.insert(row); });
  }

  // False: it has no _id yet, and with a new one it finds nothing.
  bool can_be_found(const Value& row) const {
    bool found = true;
    for (const model::Path& path : spec_.on) {
      const Value* at = &row;
      for (const model::Step& step : path.steps()) at = at && at->is_object() ? at->find(step.name) : nullptr;
      if (!at && path.text() == "_id")
        found = false;
      else if (!at || at->is_array() || (at->is_null() && path.text() != "_id"))  // one document may have _id null
        fail(ErrorCode::invalid,
             text(what(), ": \"on\": \"", path.text(), "\" is ",
                  !at             ? "missing"
                  : at->is_null() ? "null"
                                  : "an array",
                  ", by which no single document can be found; $match or $unwind before"),
             {{"reason", "ValueOfOn"}, {"path", path.text()}});
    }
    return found;
  }

  void write_matched(Execution& execution, Target& target, Value present, Value& row) const {
    const Value id = *present.find("_id");
    switch (spec_.matched) {
      case Matched::keep_existing: return;
      case Matched::fail:
        fail(ErrorCode::exists,
             text(what(), ": \"", spec_.into, "\" has a document with _id ", model::to_json(id), " already"),
             {{"reason", "Matched"}});
      case Matched::replace: present = std::move(row); break;
      case Matched::merge:
        for (model::Member& member : row.object()) {
          if (Value* old = present.find(member.name))
            *old = std::move(member.value);
          else
            present.object().push_back(std::move(member));
        }
        break;
      case Matched::pipeline: present = changed(execution, std::move(present), row); break;
    }
    if (!model::keep_id(present, id))
      fail(ErrorCode::invalid,
           text(what(), ": it would change the _id ", model::to_json(id), " of a document in \"", spec_.into,
                "\"; leave _id out before"),
           {{"reason", "ImmutableId"}});
    writing(what(), present, [&] { target.replace(present); });
  }

  Value changed(Execution& execution, Value present, const Value& row) const {
    Execution inner = inner_execution(execution);
    inner.variables.named["new"] = row;
    Evaluator evaluate(execution);
    for (const auto& [name, expression] : spec_.let) {
      Value own;
      if (const Value* value = evaluate(expression, row, own)) inner.variables.named[name] = *value;
    }
    Array rows;
    rows.push_back(std::move(present));
    const RowsPtr out = open_stages(inner, spec_.stages, std::make_unique<GivenRows>(std::move(rows)));
    Value changed;
    out->next(changed);
    return changed;
  }

  MergeSpec spec_;
};

template <class Choice, std::size_t n>
Choice choose(const Value& value, std::string_view field, const std::pair<std::string_view, Choice> (&choices)[n],
              const Place& place) {
  std::string names;
  for (const auto& [name, choice] : choices) {
    if (value.is_string() && value.string() == name) return choice;
    names += text(' ', name);
  }
  place.refuse(text('"', field, "\" is one of:", names));
}

std::string collection_name(const Value& value, std::string_view field, const Place& place) {
  if (!value.is_string() || value.string().empty()) place.refuse(text('"', field, "\" needs a collection's name"));
  return value.string();
}

void parse_matched(const Value& spec, const Value* let, const Place& place, MergeSpec& out) {
  using Matched = MergeSpec::Matched;
  if (!spec.is_array()) {
    if (let) place.refuse("\"let\" is for a pipeline as \"whenMatched\"");
    out.matched = choose<Matched>(spec, "whenMatched",
                                  {{"replace", Matched::replace},
                                   {"keepExisting", Matched::keep_existing},
                                   {"merge", Matched::merge},
                                   {"fail", Matched::fail}},
                                  place);
    return;
  }
  constexpr std::string_view allowed[] = {"$set", "$addFields", "$unset", "$project", "$replaceRoot", "$replaceWith"};
  out.matched = Matched::pipeline;
  Place inner = place.at("\"whenMatched\"");
  inner.depth = place.depth + 1;
  inner.variables = {"new"};
  if (let)
    for (const auto& [name, expression] : place.object(*let, R"({"limit": "$limit"})")) {
      place.check_variable_name(name);
      if (name == "new") place.refuse("\"let\": \"new\" is the row itself; give the variable another name");
      out.let.emplace_back(name, place.expression(expression, text("let.", name)));
      inner.variables.push_back(name);
    }
  out.stages = parse_stages(spec, inner);
  for (const StagePtr& stage : out.stages)
    if (std::ranges::find(allowed, stage->name()) == std::end(allowed))
      inner.refuse(text(stage->name(), " may not stand here; allowed: $set $unset $project $replaceWith"), "Place");
}

}  // namespace

Stages parse_out(const Value& spec, const Place& place) {
  return {std::make_shared<Out>(place.what, collection_name(spec, "$out", place))};
}

Stages parse_merge(const Value& spec, const Place& place) {
  using NotMatched = MergeSpec::NotMatched;
  MergeSpec out;
  out.on = {model::Path("_id")};
  if (spec.is_string()) {
    out.into = collection_name(spec, "$merge", place);
    return {std::make_shared<Merge>(place.what, std::move(out))};
  }
  const auto parts = place.members(spec, "into on? whenMatched? whenNotMatched? let?");
  out.into = collection_name(*parts[0], "into", place);
  if (parts[1]) {
    const Array on = parts[1]->is_array() ? parts[1]->array() : Array{*parts[1]};
    if (on.empty()) place.refuse("\"on\" needs one or more paths");
    out.on.clear();
    for (const Value& path : on) out.on.push_back(place.path(path, "on"));
  }
  if (parts[2])
    parse_matched(*parts[2], parts[4], place, out);
  else if (parts[4])
    place.refuse("\"let\" is for a pipeline as \"whenMatched\"");
  if (parts[3])
    out.not_matched = choose<NotMatched>(
        *parts[3], "whenNotMatched",
        {{"insert", NotMatched::insert}, {"discard", NotMatched::discard}, {"fail", NotMatched::fail}}, place);
  return {std::make_shared<Merge>(place.what, std::move(out))};
}

}  // namespace stele::pipeline
