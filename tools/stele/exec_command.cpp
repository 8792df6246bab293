// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "tools/stele/commands.h"
#include "tools/stele/exit_code.h"
#include "tools/stele/lines.h"
#include "tools/stele/session.h"

#include <unistd.h>

namespace stele::tool {

namespace {

constexpr std::size_t answers_held_bytes = 64u << 10;

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
  std::string line;
  std::string answers;
  for (;;) {
    // Requests that are here already are answered together.
    if (!answers.empty() && (answers.size() >= answers_held_bytes || !reader.has_line())) {
      if (!write_to(STDOUT_FILENO, answers)) return false;
      answers.clear();
    }
    const LineReader::Result read = reader.next(line);
    if (read == LineReader::Result::end) return true;
    answers += read == LineReader::Result::too_long ? refuse_long_line() : session.answer(line);
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
