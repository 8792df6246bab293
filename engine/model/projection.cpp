// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/projection.h"

#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/first_steps.h"
#include "engine/model/matched_element.h"

#include <algorithm>
#include <limits>

namespace stele::model {
namespace {

// One $slice may skip this many at most: sums of two stay in 64 bits.
constexpr std::int64_t slice_most = std::numeric_limits<std::int32_t>::max();

std::optional<std::int64_t> integer32(const Value& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.number();
  if (number < -static_cast<double>(slice_most) - 1 || number > static_cast<double>(slice_most)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

bool all_numbers(const Array& array) { return std::ranges::all_of(array, &Value::is_number); }

}  // namespace

// Reading

class Projection::Reader {
 public:
  Reader(Projection& projection, std::string_view what, std::span<const std::string> variables)
      : projection_(projection), what_(what), variables_(variables) {}

  void read(const Value& object) {
    if (!object.is_object()) refuse(R"(it must be an object, such as {"title": 1})");
    for (const Member& member : object.object()) read_member(member.name, member.value);
    finish();
  }

 private:
  [[noreturn]] void refuse(std::string_view rule) const {
    fail(ErrorCode::invalid, text(what_, ": ", rule), {{"reason", "InvalidProjection"}});
  }

  [[noreturn]] void refuse_operator(std::string_view path, std::string_view name) const {
    fail(ErrorCode::unsupported, text(what_, ", path \"", path, "\": ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", std::string(name)}, {"path", std::string(path)}});
  }

  // {"a": {"b": 1}} is {"a.b": 1}.
  void read_member(const std::string& path, const Value& value) {
    Rule rule;
    if (value.is_number() || value.type() == Type::boolean) {
      rule.kind = truth(value) ? Kind::include : Kind::exclude;
    } else if (value.is_object() && !value.object().empty() && !is_operators(value)) {
      for (const Member& member : value.object()) read_member(text(path, '.', member.name), member.value);
      return;
    } else if (is_operators(value)) {
      read_operator(rule, path, value);
    } else {
      if (value.is_object()) refuse(text("\"", path, "\" is an empty object; give 1, 0, or what to keep inside"));
      compute(rule, path, value);
    }
    place(Path(path), std::move(rule));
  }

  void compute(Rule& rule, std::string_view path, const Value& value) {
    rule.kind = Kind::compute;
    rule.computes = true;
    rule.expression = Expression::parse(value, text(what_, ", path \"", path, '"'), variables_);
  }

  void read_operator(Rule& rule, const std::string& path, const Value& value) {
    const Member& op = value.object()[0];
    if (op.name == "$meta") refuse_operator(path, op.name);
    if (op.name == "$slice" && (op.value.is_number() || (op.value.is_array() && all_numbers(op.value.array()))))
      return read_slice(rule, path, value);
    if (op.name == "$elemMatch") return read_elem_match(rule, path, value);
    compute(rule, path, value);
  }

  void read_slice(Rule& rule, std::string_view path, const Value& value) {
    const Value& operand = value.object()[0].value;
    rule.kind = Kind::slice;
    rule.slice = Slice{};
    std::optional<std::int64_t> skip = 0, limit;
    if (operand.is_array()) {
      const Array& array = operand.array();
      if (array.size() == 2) skip = integer32(array[0]);
      limit = array.size() == 2 ? integer32(array[1]) : std::nullopt;
      if (limit && *limit <= 0) limit.reset();
    } else if ((limit = integer32(operand)) && *limit < 0) {  // the last ones
      skip = limit;
      limit = slice_most;
    }
    if (!skip || !limit || value.object().size() != 1)
      refuse(
          text("$slice of \"", path, "\" needs a number of elements, or [how many to skip, how many above 0 to keep]"));
    rule.slice = Slice{*skip, *limit};
  }

  void read_elem_match(Rule& rule, const std::string& path, const Value& value) {
    const Value& operand = value.object()[0].value;
    if (value.object().size() != 1 || !operand.is_object())
      refuse(text("$elemMatch of \"", path, "\" needs an object of conditions, alone"));
    if (path.find('.') != std::string::npos)
      refuse(text("$elemMatch of \"", path, "\": it works on members of the document itself only"));
    const std::string what = text(what_, ", $elemMatch of \"", path, '"');
    rule.kind = Kind::elem_match;
    const bool logic = is_operators(operand) && (operand.find("$and") || operand.find("$or") || operand.find("$nor"));
    rule.objects_only = logic || !is_operators(operand);
    rule.condition = rule.objects_only ? Filter::of(operand, what).root() : parse_conditions(Path(), operand, what);
  }

  void place(const Path& path, Rule rule) {
    if (path.steps().size() > 1 && path.steps().back().name == "$") return place_positional(path, std::move(rule));
    check_path(path);
    note_mode(path, rule.kind);
    if (rule.kind == Kind::include) projection_.inclusions_.push_back(path);
    Rule* at = &root_;
    root_.computes |= rule.computes;
    for (std::size_t i = 0; i < path.steps().size(); ++i) {
      const bool last = i + 1 == path.steps().size();
      auto child = std::ranges::find(at->children, path.steps()[i].name, &Rule::name);
      const bool found = child != at->children.end();
      if (found && (last || child->kind != Kind::nested))
        refuse(text("the path \"", path.text(), "\" and another are or begin the same path; keep one of them"));
      if (!found) child = at->children.insert(child, Rule{path.steps()[i].name, {}, {}, {}, {}, {}, false, false});
      child->computes |= rule.computes;
      at = &*child;
    }
    rule.name = std::move(at->name);
    *at = std::move(rule);
  }

  // "scores.$"
  void place_positional(const Path& path, Rule rule) {
    if (rule.kind != Kind::include) refuse(text("\"", path.text(), "\": the positional $ stands only with 1"));
    if (projection_.positional_) refuse(text("the positional $ stands in \"", projection_.positional_->text(), ".$\" and in \"", path.text(), "\"; keep one"));
    const Path array(std::string_view(path.text()).substr(0, path.text().size() - 2));
    place(array, std::move(rule));
    projection_.positional_ = array;
  }

  void check_path(const Path& path) const {
    for (const Step& step : path.steps()) {
      if (step.name.empty()) refuse(text("the path \"", path.text(), "\" has an empty step"));
      if (step.name == "$") refuse(text("the path \"", path.text(), "\" has a $ that is not its last step after others"));
      if (step.name.starts_with('$') || step.name.find('\0') != std::string::npos)
        refuse(text("the path \"", path.text(), "\" has a step that begins with '$' or holds NUL"));
    }
  }

  void note_mode(const Path& path, Kind kind) {
    // These stand beside either.
    slices_ |= kind == Kind::slice;
    picks_ |= kind == Kind::elem_match;
    if (kind == Kind::slice || kind == Kind::elem_match) return;
    if (path.text() == "_id" && (kind == Kind::include || kind == Kind::exclude)) {
      (kind == Kind::include ? includes_id_ : projection_.excludes_id_) = true;
      return;
    }
    (kind == Kind::exclude ? excluded_ : included_) = path.text();
    if (!included_.empty() && !excluded_.empty())
      refuse(text("it includes or computes \"", included_, "\" and excludes \"", excluded_,
                  "\"; only _id may be excluded beside inclusions"));
  }

  void finish() {
    // Where neither inclusions nor exclusions decide, "_id": 1 does, then $slice, which leaves the rest, then $elemMatch.
    const bool chooses = excluded_.empty() && (includes_id_ || (picks_ && !slices_));
    projection_.exclusion_ = included_.empty() && !chooses;
    if (!projection_.exclusion_ && !includes_id_ && !projection_.excludes_id_ &&
        std::ranges::find(root_.children, "_id", &Rule::name) == root_.children.end()) {
      root_.children.insert(root_.children.begin(), Rule{"_id", Kind::include, {}, {}, {}, {}, false, false});
      projection_.inclusions_.insert(projection_.inclusions_.begin(), Path("_id"));
    }
    if (projection_.exclusion_)
      std::erase_if(root_.children, [](const Rule& rule) { return rule.kind == Kind::include; });  // "_id": 1
    projection_.simple_ = !projection_.exclusion_ && !projection_.positional_ && only_inclusions(root_);
    projection_.root_ = std::make_shared<const Rule>(std::move(root_));
  }

  static bool only_inclusions(const Rule& rule) {
    if (rule.kind == Kind::nested) return std::ranges::all_of(rule.children, only_inclusions);
    return rule.kind == Kind::include || (rule.kind == Kind::exclude && rule.name == "_id");
  }

  Projection& projection_;
  const std::string what_;
  const std::span<const std::string> variables_;
  Rule root_;
  std::string included_, excluded_;  // a path of each kind, for messages
  bool includes_id_ = false, slices_ = false, picks_ = false;
};

Projection Projection::of(const Value& object, std::string_view what, std::span<const std::string> variables) {
  Projection projection;
  Reader(projection, what, variables).read(object);
  return projection;
}

Projection Projection::parse(std::string_view json, const json::Limits& limits) {
  if (json.empty()) return {};
  return of(model::parse(json::minify(json, limits, "projection")), "projection");
}

// Applying

class Projection::Applied {
 public:
  Applied(bool exclusion, const Variables& variables)
      : exclusion_(exclusion), variables_(variables), budget_{variables} {}

  Object object(const Object& members, const Rule& rule) const {
    Object out;
    for (const Member& member : members) {
      const auto child = std::ranges::find(rule.children, member.name, &Rule::name);
      auto value = child == rule.children.end() ? kept(member.value) : projected(member.value, *child);
      if (value) out.push_back({member.name, std::move(*value)});
    }
    if (rule.computes)
      for (const Rule& child : rule.children)
        if (child.computes) add_computed(out, child);
    return out;
  }

 private:
  std::optional<Value> kept(const Value& value) const { return exclusion_ ? std::optional(value) : std::nullopt; }

  std::optional<Value> projected(const Value& value, const Rule& rule) const {
    switch (rule.kind) {
      case Kind::include: return value;
      case Kind::exclude:
      case Kind::compute: return std::nullopt;
      case Kind::slice: return value.is_array() ? sliced(value.array(), *rule.slice) : value;
      case Kind::elem_match: return first_match(value, rule);
      case Kind::nested: break;
    }
    if (value.is_object()) return object(value.object(), rule);
    if (!value.is_array()) return kept(value);
    Array out;
    for (const Value& element : value.array())
      if (auto one = projected(element, rule)) out.push_back(std::move(*one));
    return out;
  }

  static Value sliced(const Array& array, const Slice& slice) {
    const auto size = static_cast<std::int64_t>(array.size());
    const std::int64_t from =
        slice.skip < 0 ? std::max<std::int64_t>(size + slice.skip, 0) : std::min(slice.skip, size);
    return Array(array.begin() + from, array.begin() + std::min(from + slice.limit, size));
  }

  static std::optional<Value> first_match(const Value& value, const Rule& rule) {
    if (!value.is_array()) return std::nullopt;
    for (const Value& element : value.array())
      if ((!rule.objects_only || element.is_object()) && rule.condition->holds(element)) return Array{element};
    return std::nullopt;
  }

  void add_computed(Object& out, const Rule& rule) const {
    const auto at = std::ranges::find(out, rule.name, &Member::name);
    if (rule.kind == Kind::nested) {  // what is there was computed on the way; a scalar or nothing becomes an object
      if (at == out.end()) out.push_back({rule.name, object({}, rule)});
    } else if (auto value = rule.expression->evaluate(variables_)) {
      budget_.charge(*value);
      out.push_back({rule.name, std::move(*value)});
    }
  }

  bool exclusion_;
  const Variables& variables_;
  mutable Context budget_;  // of what is computed into the elements of arrays
};

namespace {

// Of the first array on the path, the element that the filter matched.
void keep_matched_element(Value& projected, const Path& path, const Value& document, const Condition* filter) {
  const auto index = filter ? matched_element(*filter, document) : std::nullopt;
  if (!index)
    fail(ErrorCode::invalid,
         text("projection, path \"", path.text(), ".$\": the filter matched no element of an array in the document with _id ",
              document.find("_id") ? to_json(*document.find("_id")) : "(none)", "; give a condition on that array"),
         {{"reason", "InvalidProjection"}, {"path", path.text() + ".$"}});
  Value* at = &projected;
  for (std::size_t i = 0; at && at->is_object() && i < path.steps().size(); ++i) at = at->find(path.steps()[i].name);
  if (!at || !at->is_array()) return;
  if (*index >= at->array().size())
    fail(ErrorCode::invalid,
         text("projection, path \"", path.text(), ".$\": the filter matched element ", *index, " of another array; give a condition on that array"),
         {{"reason", "InvalidProjection"}, {"path", path.text() + ".$"}});
  Value kept = std::move(at->array()[*index]);
  *at = Array{std::move(kept)};
}

}  // namespace

Value Projection::apply(const Value& document, std::optional<Date> now, const Condition* filter) const {
  Variables variables;
  variables.root = &document;
  variables.now = now;
  Value projected = apply(variables);
  if (positional_ && document.is_object()) keep_matched_element(projected, *positional_, document, filter);
  return projected;
}

Value Projection::apply(const Variables& variables) const {
  const Value& document = *variables.root;
  if (empty() || !document.is_object()) return document;
  return Applied(exclusion_, variables).object(document.object(), *root_);
}

// What it needs

bool Projection::collect_paths(std::vector<std::string>& paths) const {
  if (exclusion_ || positional_) return false;
  const auto collect = [&paths](const auto& self, const Rule& rule, const std::string& path) -> bool {
    if (rule.expression) return rule.expression->collect_paths(paths);
    if (rule.kind == Kind::exclude) return true;
    if (rule.kind != Kind::nested || rule.computes) paths.push_back(path);  // computed inside what is there
    return std::ranges::all_of(rule.children,
                               [&](const Rule& child) { return self(self, child, text(path, '.', child.name)); });
  };
  return std::ranges::all_of(root_->children, [&](const Rule& child) { return collect(collect, child, child.name); });
}

bool Projection::collect_names(std::vector<std::string>& names) const {
  std::vector<std::string> paths;
  if (!collect_paths(paths)) return false;
  add_first_steps(paths, names);
  return true;
}

bool Projection::keeps(const Path& path) const {
  const Rule* rule = root_.get();
  for (const Step& step : path.steps()) {
    if (step.index && rule != root_.get()) return false;  // may be an element's position
    const auto child = std::ranges::find(rule->children, step.name, &Rule::name);
    if (child == rule->children.end()) return exclusion_;
    if (child->kind != Kind::nested) return child->kind == Kind::include;
    rule = &*child;
  }
  return false;
}

}  // namespace stele::model
