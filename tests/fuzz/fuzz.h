// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What is fuzzed. Each target takes any bytes and checks properties: what is refused is refused with a stele::Error,
// what is accepted comes back as it went in. A property that does not hold throws Violated, which ends the fuzzer and
// fails the replay.
//
//   cmake --preset fuzz && cmake --build --preset fuzz      clang; then, from the source folder:
//   build/fuzz/tests/fuzz/filter_fuzz -max_total_time=300 /tmp/found tests/fuzz/corpus/filter
//
// An input that was found goes into corpus/<target>/, where fuzz_tests runs it in every build.
#pragma once

#include "engine/base/error.h"
#include "engine/base/interrupt.h"
#include "engine/base/json.h"

#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stele::fuzz {

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};
std::span<const Target> text_targets();    // text_targets.cpp: JSON and what is written in it
std::span<const Target> query_targets();   // filters, updates, projections, sorts, schemas
std::span<const Target> pipeline_targets();  // aggregation
std::span<const Target> event_targets();     // records of streams, groups, windows and caches
std::span<const Target> stored_targets();  // what is read back from a directory that may come from elsewhere

/// Runs a target by its name, as the fuzzer and the replay do: under a deadline.
void run(std::string_view target, std::string_view input);

struct Violated : std::logic_error {
  using std::logic_error::logic_error;
};

template <class... Part>
void must(bool holds, const Part&... parts) {
  if (!holds) throw Violated(text(parts...));
}

/// False when `body` threw a stele::Error that says that the input was refused.
template <class Body>
bool accepted(Body&& body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    must(!error.message().empty(), "an error without a message");
    must(error.code() != ErrorCode::corrupt && error.code() != ErrorCode::io,
         "text from outside is not damage: ", error.message());
    return false;
  }
}

/// The input's lines, the last one with all that is left.
template <std::size_t N>
std::array<std::string_view, N> lines(std::string_view input) {
  std::array<std::string_view, N> found;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = i + 1 == N ? input.size() : std::min(input.find('\n'), input.size());
    found[i] = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return found;
}

inline constexpr json::Limits limits{64u << 10, 40};

}  // namespace stele::fuzz
