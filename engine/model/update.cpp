// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/update.h"

#include "engine/base/error.h"
#include "engine/base/uuid.h"
#include "engine/model/compare.h"
#include "engine/model/document.h"
#include "engine/model/expansion.h"
#include "engine/model/matched_element.h"
#include "engine/model/member_splice.h"

#include <algorithm>

namespace stele::model {
namespace {

[[noreturn]] void refuse_size(std::size_t bytes, const json::Limits& limits) {
  fail(ErrorCode::too_large,
       text("update: the document would have ", bytes, " bytes, the limit is ", limits.bytes_max,
            "; keep large parts in documents of their own"),
       {{"reason", "TooLarge"}, {"size", std::to_string(bytes)}, {"limit", std::to_string(limits.bytes_max)}});
}

void check_limits(const Value& document, const std::string& text_of_it, const json::Limits& limits) {
  if (depth(document) > limits.depth_max)
    fail(ErrorCode::too_large,
         text("update: the document would have more than ", limits.depth_max, " arrays and objects inside each other"),
         {{"reason", "TooDeep"}, {"limit", std::to_string(limits.depth_max)}});
  if (text_of_it.size() > limits.bytes_max) refuse_size(text_of_it.size(), limits);
}

// One operand at many places ($[]) may grow the document far beyond its limit before the end. What other changes may
// still take away was in the document at the beginning: more than both together stays too much.
class Growth {
 public:
  explicit Growth(const json::Limits& limits) : limits_(limits) {}

  void add(const Value& document, std::size_t bytes) {
    unchecked_ += bytes;
    if (unchecked_ <= 2 * limits_.bytes_max) return;
    unchecked_ = 0;
    const std::size_t size = to_json(document).size();
    if (size > 2 * limits_.bytes_max) refuse_size(size, limits_);
  }

 private:
  const json::Limits& limits_;
  std::size_t unchecked_ = 0;
};

std::optional<Value> id_of(const Value& document) {
  const Value* id = document.find("_id");
  return id ? std::optional(*id) : std::nullopt;
}

// An operator must not take it away.
bool has_same_id(Value& document, const Value& id) { return document.find("_id") && keep_id(document, id); }

void require_id(bool kept) {
  if (!kept)
    refuse_update("ImmutableId", "the _id of a document cannot change; insert a new document and remove this one");
}

}  // namespace

void Update::parse_changes(const Value& spec) {
  for (const Member& member : spec.object()) {
    const Change::Operator op = operator_named(member.name);
    if (!member.value.is_object())
      refuse_update("InvalidUpdate", text(member.name, R"( needs an object of paths, such as {"title": …})"));
    for (const Member& change : member.value.object()) changes_.push_back(Change::parse(op, member.name, change));
  }
  std::ranges::stable_sort(changes_, [](const Change& a, const Change& b) { return path_before(a.path, b.path); });
  std::vector<const Path*> paths;
  for (const Change& change : changes_) {
    paths.push_back(&change.path);
    if (change.op == Change::Operator::rename) paths.push_back(&change.source);
    positional_ |= is_positional(change.path);
  }
  for (const Path* path : paths)
    if (const std::string& member = path->steps()[0].name; std::ranges::find(members_, member) == members_.end())
      members_.push_back(member);
  refuse_conflicts(std::move(paths));
}

void Update::check_identifiers() const {
  std::vector<std::string_view> used;
  for (const Change& change : changes_)
    for (const Step& step : change.path.steps()) {
      if (kind_of(step) != StepKind::filtered) continue;
      used.push_back(identifier_of(step));
      if (!array_filters_.has(used.back()))
        refuse_update("InvalidArrayFilter", text("there is no array filter for \"", used.back(), "\" in the path \"",
                                                 change.path.text(), "\"; add one, {\"", used.back(), "\": …}"));
    }
  for (std::size_t i = 0; i < array_filters_.size(); ++i)
    if (std::ranges::find(used, array_filters_.name(i)) == used.end())
      refuse_update("InvalidArrayFilter",
                    text("the array filter for \"", array_filters_.name(i), "\" is not used by any path"));
}

Update Update::parse(std::string_view json, std::string_view array_filters, const json::Limits& limits) {
  const Value spec = model::parse(json::minify(json, limits, "update"));
  Update update;
  if (!array_filters.empty())
    update.array_filters_ = ArrayFilters::of(model::parse(json::minify(array_filters, limits, "array filters")));
  if (spec.is_array()) {
    if (!array_filters.empty())
      refuse_update("InvalidArrayFilter", "a pipeline takes no array filters; use $map or $filter in an expression");
    update.pipeline_ = PipelineUpdate::of(spec);
    return update;
  }
  if (!spec.is_object() || spec.object().empty())
    refuse_update("InvalidUpdate", R"(it must be an object of operators, such as {"$set": {"title": "Stones"}})");
  update.parse_changes(spec);
  update.check_identifiers();
  return update;
}

std::vector<Update::Target> Update::targets(const Value& document, const UpdateContext& context,
                                            std::deque<Path>& expanded) const {
  const auto matched =
      context.filter && !context.inserting ? matched_element(context.filter->root(), document) : std::nullopt;
  const Expansion expansion(document, array_filters_, matched);
  std::vector<Target> targets;
  std::vector<const Path*> paths;
  for (const Change& change : changes_) {
    std::size_t i = expanded.size();
    expansion.expand(change.path, expanded);
    for (; i < expanded.size(); ++i) {
      targets.push_back({&change, &expanded[i]});
      paths.push_back(&expanded[i]);
    }
    if (change.op == Change::Operator::rename) paths.push_back(&change.source);
  }
  refuse_conflicts(std::move(paths));
  std::ranges::stable_sort(targets, [](const Target& a, const Target& b) { return path_before(*a.path, *b.path); });
  return targets;
}

bool Update::apply_changes(Value& document, const UpdateContext& context) const {
  const std::optional<Value> id = id_of(document);
  Creator creator(context.limits);
  Growth growth(context.limits);
  bool modified = false;
  const auto make = [&](const Change& change, const Path& path) {
    if (change.op == Change::Operator::set_on_insert && !context.inserting) return;
    if (!make_change(document, change, path, context.now, creator)) return;
    const bool same_id = path.text() == "_id" && id && has_same_id(document, *id);
    if (same_id && change.op != Change::Operator::rename) return;  // that took its source away
    modified = true;
    growth.add(document, change.bytes);
  };
  if (positional_) {
    std::deque<Path> expanded;
    for (const Target& target : targets(document, context, expanded)) make(*target.change, *target.path);
  } else {
    for (const Change& change : changes_) make(change, change.path);
  }
  require_id(!id || has_same_id(document, *id));
  return modified;
}

bool Update::apply_pipeline(Value& document, const UpdateContext& context) const {
  const std::optional<Value> id = id_of(document);
  const std::string before = to_json(document);
  pipeline_->apply(document, context.now, context.limits);
  require_id(!id || keep_id(document, *id));
  return to_json(document) != before;
}

bool Update::apply_all(Value& document, const UpdateContext& context) const {
  return pipeline_ ? apply_pipeline(document, context) : apply_changes(document, context);
}

bool Update::apply(Value& document, const UpdateContext& context) const {
  Value changed = document;
  if (!apply_all(changed, context)) return false;
  check_limits(changed, to_json(changed), context.limits);
  document = std::move(changed);
  return true;
}

std::optional<std::string> Update::apply_json(std::string_view minified, const UpdateContext& context) const {
  if (!pipeline_ && !positional_) {  // it sees nothing but the members it names
    thread_local Parser parser;
    if (auto splice = MemberSplice::read(minified, members_, parser)) {
      if (!apply_changes(splice->members, context)) return std::nullopt;
      std::string changed = splice->text();
      check_limits(splice->members, changed, context.limits);  // the others were within them
      return changed;
    }
  }
  Value document = model::parse(minified);
  if (!apply_all(document, context)) return std::nullopt;
  std::string changed = to_json(document);
  check_limits(document, changed, context.limits);
  return changed;
}

Value Update::upsert_document(const UpdateContext& context) const {
  UpdateContext inserting = context;
  inserting.inserting = true;
  Value document = equality_document(*context.filter);
  check_names(document);
  apply_all(document, inserting);
  Object& members = document.object();
  const auto id = std::ranges::find(members, "_id", &Member::name);
  if (id == members.end())
    members.insert(members.begin(), Member{"_id", Value(uuid_v7())});
  else
    std::rotate(members.begin(), id, id + 1);
  check_id(members.front().value);
  check_limits(document, to_json(document), context.limits);
  return document;
}

}  // namespace stele::model
