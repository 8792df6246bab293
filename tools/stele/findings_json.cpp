// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/findings_json.h"

#include "tools/stele/json_writer.h"

#include <string_view>

namespace stele::tool {

std::string findings_json(const std::vector<Finding>& findings) {
  JsonArray all;
  for (const Finding& finding : findings) {
    JsonObject one;
    one.add_text("severity", finding.severity == Finding::Severity::note ? "note" : "damage");
    one.add_text("part", finding.part);
    one.add_text("message", finding.message);
    all.add(one.str());
  }
  return std::move(all).str();
}

}  // namespace stele::tool
