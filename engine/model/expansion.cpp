// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/expansion.h"

#include "engine/base/error.h"

namespace stele::model {
namespace {

const Value* child_of(const Value* parent, const Step& step) {
  if (!parent) return nullptr;
  if (parent->is_object()) return parent->find(step.name);
  const bool there = parent->is_array() && step.index && *step.index < parent->array().size();
  return there ? &parent->array()[*step.index] : nullptr;
}

}  // namespace

void Expansion::expand_elements(const Path& path, std::size_t i, const Value* at, const std::string& taken,
                                std::deque<Path>& out) const {
  const Step& step = path.steps()[i];
  if (!at || !at->is_array())
    refuse_update("NoArray", text("\"", path.text(), "\" needs an array at \"", taken, "\", the document has ",
                                  at ? text("a value of type ", name(at->type())) : "none"));
  for (std::size_t k = 0; k < at->array().size(); ++k) {
    const Value& element = at->array()[k];
    if (kind_of(step) == StepKind::filtered && !filters_.matches(identifier_of(step), element)) continue;
    expand_from(path, i + 1, &element, text(taken, ".", k), out);
  }
}

void Expansion::expand_from(const Path& path, std::size_t i, const Value* at, const std::string& taken,
                            std::deque<Path>& out) const {
  if (i == path.steps().size()) {
    out.emplace_back(taken);
    return;
  }
  const Step* step = &path.steps()[i];
  if (is_many(*step)) return expand_elements(path, i, at, taken, out);
  Step matched;
  if (kind_of(*step) == StepKind::matched) {
    if (!matched_)
      refuse_update("NoMatchedElement", text("\"", path.text(),
                                             "\": the filter matched no element of an array that $ could "
                                             "stand for; give it a condition on the array, or use $[] or $[name]"));
    matched = {std::to_string(*matched_), static_cast<std::uint32_t>(*matched_)};
    step = &matched;
  }
  expand_from(path, i + 1, child_of(at, *step), taken.empty() && i == 0 ? step->name : text(taken, ".", step->name),
              out);
}

}  // namespace stele::model
