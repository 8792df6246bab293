// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/parse.h"

#include <algorithm>
#include <limits>

namespace stele::pipeline {
namespace {

constexpr unsigned depth_max = 20;        // as MongoDB
constexpr std::size_t stages_max = 1000;  // as MongoDB

struct Known {
  std::string_view name;
  Stages (*parse)(const Value& spec, const Place& place);
  enum Where : std::uint8_t { anywhere, not_in_facet, last } where = anywhere;
};

constexpr Known known[] = {
    {"$match", parse_match},
    {"$project", parse_project},
    {"$set", parse_set},
    {"$addFields", parse_set},
    {"$unset", parse_unset},
    {"$replaceRoot", parse_replace_root},
    {"$replaceWith", parse_replace_with},
    {"$group", parse_group},
    {"$sort", parse_sort},
    {"$limit", parse_limit},
    {"$skip", parse_skip},
    {"$unwind", parse_unwind},
    {"$lookup", parse_lookup},
    {"$count", parse_count},
    {"$sortByCount", parse_sort_by_count},
    {"$facet", parse_facet, Known::not_in_facet},
    {"$bucket", parse_bucket},
    {"$bucketAuto", parse_bucket_auto},
    {"$sample", parse_sample},
    {"$unionWith", parse_union_with},
    {"$graphLookup", parse_graph_lookup},
    {"$setWindowFields", parse_set_window_fields},
    {"$out", parse_out, Known::last},
    {"$merge", parse_merge, Known::last},
};

constexpr std::string_view not_offered[] = {"$redact",
                                            "$densify",
                                            "$fill",
                                            "$documents",
                                            "$geoNear",
                                            "$search",
                                            "$searchMeta",
                                            "$vectorSearch",
                                            "$indexStats",
                                            "$collStats",
                                            "$currentOp",
                                            "$listSessions",
                                            "$planCacheStats",
                                            "$changeStream",
                                            "$listLocalSessions",
                                            "$listSampledQueries",
                                            "$shardedDataDistribution",
                                            "$changeStreamSplitLargeEvent",
                                            "$querySettings",
                                            "$rankFusion",
                                            "$scoreFusion"};

void parse_stage(const Value& stage, const Place& pipeline, std::size_t number, bool is_last, Stages& out) {
  Place place = pipeline.at(text("stage ", number));
  if (!stage.is_object() || stage.object().size() != 1)
    place.refuse(R"(it must be an object with one member, such as {"$match": {…}})");
  const auto& [name, spec] = stage.object()[0];
  const auto* found = std::ranges::find(known, name, &Known::name);
  if (found == std::end(known)) {
    if (std::ranges::find(not_offered, name) != std::end(not_offered))
      fail(ErrorCode::unsupported, text(place.what, ": the stage ", name, " is not offered"),
           {{"reason", "Stage"}, {"stage", name}});
    std::string names;
    for (const Known& one : known) names += text(' ', one.name);
    fail(ErrorCode::invalid, text(place.what, ": unknown stage \"", name, "\"; known:", names),
         {{"reason", "Stage"}, {"stage", name}});
  }
  place = place.at(name);
  if (found->where == Known::not_in_facet && pipeline.inside_facet)
    place.refuse("it may not stand inside $facet", "Place");
  if (found->where == Known::last && (pipeline.depth > 0 || pipeline.inside_facet))
    place.refuse("it writes, and may stand only in the outermost pipeline", "Place");
  if (found->where == Known::last && !is_last) place.refuse("it must be the last stage", "Place");
  for (StagePtr& parsed : found->parse(spec, place)) out.push_back(std::move(parsed));
}

}  // namespace

Stages parse_stages(const Value& pipeline, const Place& place) {
  if (!pipeline.is_array()) place.refuse("a pipeline is an array of stages");
  const Array& stages = pipeline.array();
  if (stages.size() > stages_max)
    fail(ErrorCode::too_large, text(place.what, ": a pipeline has at most ", stages_max, " stages"),
         {{"reason", "TooLarge"}, {"size", std::to_string(stages.size())}, {"limit", std::to_string(stages_max)}});
  if (place.depth > depth_max)
    fail(ErrorCode::too_large, text(place.what, ": more than ", depth_max, " pipelines inside each other"),
         {{"reason", "TooDeep"}, {"limit", std::to_string(depth_max)}});
  Stages out;
  for (std::size_t i = 0; i < stages.size(); ++i) parse_stage(stages[i], place, i + 1, i + 1 == stages.size(), out);
  return out;
}

// Place

Place Place::at(std::string_view part) const {
  Place inner = *this;
  inner.what += text(", ", part);
  return inner;
}

void Place::refuse(std::string_view rule, std::string_view reason) const {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", std::string(reason)}});
}

Expression Place::expression(const Value& value, std::string_view field) const {
  return Expression::parse(value, field.empty() ? what : text(what, ", \"", field, '"'), variables);
}

Expression Place::path_or_object(const Value& value, std::string_view field) const {
  const bool is_path = value.is_string() && value.string().starts_with('$');
  if (!is_path && !value.is_object())
    refuse(text(field.empty() ? "it" : text('"', field, '"'),
                R"( needs an expression, such as "$author" or {"$toLower": "$author"})"));
  return expression(value, field);
}

model::Path Place::path(const Value& value, std::string_view field) const {
  if (!value.is_string() || value.string().empty())
    refuse(text('"', field, "\" needs a path, such as \"author.name\""));
  model::Path path(value.string());
  for (const model::Step& step : path.steps())
    if (step.name.empty() || step.name[0] == '$' || step.name.find('\0') != std::string::npos)
      refuse(text('"', field, "\": the path \"", path.text(),
                  "\" has a step that is empty, begins with '$' or holds NUL"));
  return path;
}

model::Path Place::reference(const Value& value, std::string_view field) const {
  if (!value.is_string() || !value.string().starts_with('$') || value.string().starts_with("$$"))
    refuse(text(field.empty() ? "it" : text('"', field, '"'), " needs a path with '$' in front, such as \"$tags\""));
  return path(value.string().substr(1), field);
}

std::int64_t Place::integer(const Value& value, std::string_view field, std::int64_t least) const {
  const std::string subject = field.empty() ? "it" : text('"', field, '"');
  if (!value.is_number()) refuse(text(subject, " needs an integer, not a value of type ", model::name(value.type())));
  const double number = value.number();
  if (!value.is_integer() && (number != static_cast<double>(static_cast<std::int64_t>(number)) || number >= 0x1p63))
    refuse(text(subject, " needs an integer, not ", model::to_json(value)));
  const std::int64_t integer = value.is_integer() ? value.integer() : static_cast<std::int64_t>(number);
  if (integer < least) refuse(text(subject, " needs an integer of at least ", least, ", not ", integer));
  return integer;
}

const Object& Place::object(const Value& value, std::string_view example) const {
  if (!value.is_object()) refuse(text("it needs an object, such as ", example));
  return value.object();
}

std::vector<const Value*> Place::members(const Value& value, std::string_view names) const {
  if (!value.is_object()) refuse(text("it needs an object with: ", names));
  std::vector<const Value*> found;
  for (std::string_view rest = names; !rest.empty();) {
    std::string_view name = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    found.push_back(value.find(name));
    if (!found.back() && !optional) refuse(text("it lacks \"", name, "\"; it takes: ", names));
  }
  for (const model::Member& member : value.object())
    if (std::ranges::find(found, &member.value) == found.end())
      refuse(text("it has no member \"", member.name, "\"; it takes: ", names), "UnknownField");
  return found;
}

void Place::check_variable_name(std::string_view name) const {
  const bool starts_right = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] & 0x80) != 0);
  if (!starts_right || name.find_first_of(std::string_view(".$\0", 3)) != std::string_view::npos)
    refuse(text("\"let\": the variable's name \"", name, "\" must begin with a lower-case letter"));
}

void Place::check_field_name(std::string_view name) const {
  if (name.empty() || name[0] == '$' || name.find_first_of(std::string_view(".\0", 2)) != std::string_view::npos)
    refuse(text("the field \"", name, "\" needs a name that is not empty, does not begin with '$' and holds no dot"));
}

// Sources

SourceName SourceName::parse(const Value& value, std::string_view what) {
  const auto refuse = [&](std::string_view rule) {
    fail(ErrorCode::invalid, stele::text(what, ": ", rule), {{"reason", "InvalidSource"}});
  };
  SourceName name;
  if (value.is_string()) {
    name.text = value.string();
  } else if (value.is_object() && value.find("stream") && value.object().size() == 1) {
    name.kind = Kind::stream;
    if (!value.find("stream")->is_string()) refuse("\"stream\" needs a stream's name");
    name.text = value.find("stream")->string();
  } else if (value.is_object() && value.find("sql") && value.find("sql")->is_string()) {
    name.kind = Kind::sql;
    name.text = value.find("sql")->string();
    const Value* parameters = value.find("parameters");
    if (parameters && !parameters->is_array()) refuse("\"parameters\" needs an array");
    if (value.object().size() != (parameters ? 2u : 1u)) refuse("it takes \"sql\" and \"parameters\"");
    if (parameters) name.parameters = parameters->array();
  } else {
    refuse(R"(needs a collection's name, {"stream": name} or {"sql": select, "parameters": […]})");
  }
  if (name.text.empty()) refuse("needs a name that is not empty");
  return name;
}

Value SourceName::value() const {
  constexpr std::string_view kinds[] = {"collection", "stream", "sql"};
  Object out;
  out.push_back({std::string(kinds[static_cast<std::size_t>(kind)]), text});
  if (!parameters.empty()) out.push_back({"parameters", parameters});
  return out;
}

}  // namespace stele::pipeline
