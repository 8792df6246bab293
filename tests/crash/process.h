// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Child processes and scratch directories of the crash harness.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stele::crash {

namespace fs = std::filesystem;

struct Ended {
  int status = 0;  // exit status; meaningless after a signal
  int signal = 0;
  bool timed_out = false;  // and was killed
  std::string out;
  std::string err;

  bool fine() const { return signal == 0 && status == 0; }
  bool killed() const;  // by SIGKILL, as planned
  /// "exit 3: VIOLATED …", for a finding.
  std::string words() const;
};

struct Command {
  std::vector<std::string> words;
  std::map<std::string, std::string> environment{};       // beside ours
  std::optional<std::chrono::microseconds> kill_after{};  // SIGKILL then, unless it has ended
  std::chrono::seconds timeout{120};
};

Ended run(const Command& command);

/// A directory in memory (/dev/shm) where there is one, removed at the end; STELE_CRASH_DIR says where else. keep()
/// leaves it for whoever looks into a finding.
class Scratch {
 public:
  explicit Scratch(const std::string& name);
  ~Scratch();
  Scratch(const Scratch&) = delete;

  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& keep() {
    keep_ = true;
    return path_;
  }

 private:
  fs::path path_;
  bool keep_ = false;
};

}  // namespace stele::crash
