// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "tools/stele/commands.h"
#include "tools/stele/exit_code.h"
#include "tools/stele/lines.h"
#include "tools/stele/output.h"
#include "tools/stele/session.h"
#include "tools/stele/signals.h"

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

std::string answer_of(Session& session, Signals& signals, const std::string& line) {
  std::string answer = session.answer(line, signals.begin_request());
  signals.end_request();
  return answer;
}

/// `exit_failed` when nobody reads the answers any more.
ExitCode serve(Session& session, Signals& signals) {
  LineReader reader(STDIN_FILENO, Request::line_bytes_max, signals.end_fd());
  Output output(STDOUT_FILENO);
  std::string line;
  while (!signals.ending()) {
    const LineReader::Result read = reader.next(line);
    if (read == LineReader::Result::end) break;
    if (reader.has_read()) signals.forget();
    const std::string answer = read == LineReader::Result::too_long ? refuse_long_line() : answer_of(session, signals, line);
    if (!output.put(answer, reader.has_line() ? Output::When::soon : Output::When::now)) return exit_failed;
  }
  return signals.ending() ? exit_interrupted : exit_ok;
}

}  // namespace

int exec_command(const ExecArguments& arguments) {
  Signals signals;  // before there are other threads
  Session session(arguments.directory, arguments.options);
  const ExitCode code = serve(session, signals);
  session.close();
  return code;
}

}  // namespace stele::tool
