// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A PostgreSQL of our own with Debian's defaults, in a cluster made for the run in /var/tmp, reached by psql through a
// socket there. It refuses to run as root and then runs as the package's user postgres.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stele::bench {

class Postgres {
 public:
  /// Debian's package postgresql is there.
  static bool installed();
  static std::unique_ptr<Postgres> start();
  ~Postgres();
  Postgres(const Postgres&) = delete;

  void execute(const std::string& statements);
  /// Lines in COPY's text format, without their ends.
  void copy(const std::string& table, std::uint32_t count, const std::function<std::string(std::uint32_t)>& line);
  struct Answer {
    std::vector<std::string> rows;  // columns with | between them
    double seconds = 0;             // by psql's clock, from sending the prepared statement to the last row
  };
  Answer query(const std::string& select);

 private:
  explicit Postgres(std::string directory) : directory_(std::move(directory)) {}
  void control(const std::string& arguments) const;
  std::string psql() const;

  const std::string directory_;
};

}  // namespace stele::bench
