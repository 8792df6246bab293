// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "tools/stele/commands.h"
#include "tools/stele/exit_code.h"
#include "tools/stele/lines.h"
#include "tools/stele/output.h"
#include "tools/stele/session.h"

#include <unistd.h>

namespace stele::tool {

namespace {

std::string refuse_long_line() {
  Answer answer;
  answer.fail(name(ErrorCode::too_large),
              text("request: the line is longer than ", Request::line_bytes_max >> 20, " MB; send less in one request"),
              {{"limit", std::to_string(Request::line_bytes_max)}, {"reason", "TooLarge"}});
  return answer.line({});
}

/// False when nobody reads the answers any more.
bool serve(Session& session) {
  LineReader reader(STDIN_FILENO, Request::line_bytes_max);
  Output output(STDOUT_FILENO);
  std::string line;
  for (;;) {
    const LineReader::Result read = reader.next(line);
    if (read == LineReader::Result::end) return true;
    const std::string answer = read == LineReader::Result::too_long ? refuse_long_line() : session.answer(line);
    if (!output.put(answer, reader.has_line() ? Output::When::soon : Output::When::now)) return false;
  }
}

}  // namespace

int exec_command(const ExecArguments& arguments) {
  Session session(arguments.directory, arguments.options);
  const bool heard = serve(session);
  session.close();
  return heard ? exit_ok : exit_failed;
}

}  // namespace stele::tool
