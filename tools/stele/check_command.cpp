// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/commands.h"
#include "tools/stele/exit_code.h"
#include "tools/stele/findings_json.h"
#include "tools/stele/json_writer.h"
#include "tools/stele/lines.h"
#include "tools/stele/wording.h"

#include <stele/check.h>

#include <unistd.h>
#include <algorithm>

namespace stele::tool {

namespace {

std::string in_words(const std::vector<Finding>& findings, std::size_t damages) {
  std::string out;
  for (const Finding& finding : findings)
    out += (finding.severity == Finding::Severity::note ? "note: " : "damage: ") + finding.part + ": " +
           finding.message + "\n";
  if (damages == 0) return out + "sound\n";
  return out + std::to_string(damages) + (damages == 1 ? " finding\n" : " findings\n");
}

}  // namespace

int check_command(const CheckArguments& arguments) {
  CheckOptions options;
  options.deep = arguments.deep;
  const std::vector<Finding> findings = check(arguments.directory, options);
  const auto damages =
      static_cast<std::size_t>(std::ranges::count(findings, Finding::Severity::damage, &Finding::severity));
  if (arguments.json) {
    JsonObject report;
    report.add_boolean("ok", damages == 0);
    report.add_json("findings", findings_json(findings));
    write_to(STDOUT_FILENO, report.str() + "\n");
  } else {
    write_to(STDOUT_FILENO, printable(in_words(findings, damages), Lines::kept));
  }
  return damages == 0 ? exit_ok : exit_failed;
}

}  // namespace stele::tool
