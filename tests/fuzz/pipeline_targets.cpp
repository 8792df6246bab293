// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The first line is a pipeline, the second a document of "c", which it runs over, the third one of "d". What it gives at
// once, it gives when its stages run one after the other.
#include "engine/model/document.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/memory_sources.h"

namespace stele::fuzz {

namespace {

using pipeline::Texts;

/// Null: it was refused.
std::optional<Texts> results(pipeline::MemorySources& sources, const model::Value& source, const model::Value& stages) {
  pipeline::Settings settings;
  settings.limits = limits;
  settings.memory_bytes = 1 << 20;
  settings.now = model::Date{1'700'000'000'000};
  const Interrupt deadline = Interrupt::within(std::chrono::seconds(2));
  Texts out;
  const bool ran = accepted([&] {
    const auto parsed = pipeline::Pipeline::parse(model::to_json(stages), limits);
    pipeline::Results running(sources, pipeline::SourceName::parse(source, "fuzz"), parsed, settings, &deadline);
    while (const auto text = running.next()) {
      must(json::minify(*text, {16u << 20, 1000}, "result") == *text, "a result that is no JSON: ", *text);
      out.emplace_back(*text);
    }
  });
  if (!ran) return std::nullopt;
  return out;
}

void pipeline_target(std::string_view input) {
  const auto given = lines<3>(input);
  model::Value stages;
  if (!accepted([&] {
        stages = model::parse(json::minify(given[0], limits, "pipeline"));
        pipeline::Pipeline::parse(given[0], limits);
      }))
    return;
  pipeline::MemorySources sources;
  for (const std::size_t i : {1u, 2u})
    accepted([&] { sources.collections[i == 1 ? "c" : "d"] = {model::new_document(given[i], limits).text}; });
  const auto before = sources.collections;
  const auto whole = results(sources, "c", stages);
  sources.collections = before;
  sources.collections["step"] = sources.collections["c"];
  for (const model::Value& stage : stages.array()) {
    if (stage.object()[0].name == "$sample") return;
    const auto next = results(sources, "step", model::Array{stage});
    if (!next || !whole) return;  // stages that are moved see other rows, and may fail at them or not
    sources.collections["step"] = *next;
  }
  if (!whole) return;
  must(*whole == sources.collections["step"], "at once ", whole->size(), " rows, beginning ",
       whole->empty() ? "-" : whole->front(), "; one by one ", sources.collections["step"].size(), ", beginning ",
       sources.collections["step"].empty() ? "-" : sources.collections["step"].front(), ": ", input);
}

}  // namespace

std::span<const Target> pipeline_targets() {
  static constexpr Target targets[] = {{"pipeline", pipeline_target}};
  return targets;
}

}  // namespace stele::fuzz
