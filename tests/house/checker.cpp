// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/house/checker.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

namespace stele::house {

namespace {

namespace fs = std::filesystem;

constexpr const char* license_line = "// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0";
constexpr const char* public_headers = "engine/include/stele";
constexpr const char* export_list = "cmake/stele.map";

// Includes run downward only, and not into another folder of the same floor.
const std::map<std::string, int> floors = {
    {"engine/base", 0},     {"engine/distance", 0},  {"engine/storage", 1},   {"engine/model", 1},   {"engine/transaction", 2},
    {"backends/sqlite", 2}, {"backends/rocksdb", 2}, {"backends/hnsw", 2},  {"backends/memory", 2},
    {"backends/flat", 2},   {"engine/catalog", 3},  {"engine/pipeline", 3},   {"engine/cache", 4},   {"engine/documents", 4},
    {"engine/events", 4},   {"engine/text", 4},      {"engine/vectors", 3}, {"engine/search", 5},
    {"engine/sql", 5},      {"engine/database", 6},  {"backends", 7},       {"bench", 8},
};
constexpr int top_floor = 8;  // tests/*, tools/*, bench

// A library's headers and the folders whose files may include them.
struct Library {
  std::string_view header;  // as it starts
  std::vector<std::string_view> folders;
};
const std::vector<Library> libraries = {
    {"sqlite3", {"backends/sqlite", "tests", "bench", "tools/demo"}},
    {"rocksdb/", {"backends/rocksdb", "tests", "bench"}},
    {"hnswlib/", {"backends/hnsw", "tests", "bench"}},
    {"roaring/", {"engine/storage", "tests", "bench"}},
    {"gtest/", {"tests"}},
    {"gmock/", {"tests"}},
    {"benchmark/", {"bench"}},
    {"CLI/", {"tools", "bench"}},
    {"fmt/", {"tools", "bench", "tests"}},
    {"simdjson", {"engine", "backends", "tests", "tools", "bench"}},
    {"xxhash", {"engine", "backends", "tests", "bench"}},
    {"xxh3", {"engine", "backends", "tests", "bench"}},
    {"re2/", {"engine", "tests", "bench"}},
};

const std::set<std::string_view> standard_headers = {"algorithm",
                                                     "any",
                                                     "array",
                                                     "atomic",
                                                     "barrier",
                                                     "bit",
                                                     "bitset",
                                                     "cassert",
                                                     "cctype",
                                                     "cerrno",
                                                     "cfenv",
                                                     "cfloat",
                                                     "charconv",
                                                     "chrono",
                                                     "cinttypes",
                                                     "climits",
                                                     "clocale",
                                                     "cmath",
                                                     "codecvt",
                                                     "compare",
                                                     "complex",
                                                     "concepts",
                                                     "condition_variable",
                                                     "coroutine",
                                                     "csetjmp",
                                                     "csignal",
                                                     "cstdarg",
                                                     "cstddef",
                                                     "cstdint",
                                                     "cstdio",
                                                     "cstdlib",
                                                     "cstring",
                                                     "ctime",
                                                     "cuchar",
                                                     "cwchar",
                                                     "cwctype",
                                                     "deque",
                                                     "exception",
                                                     "execution",
                                                     "filesystem",
                                                     "forward_list",
                                                     "fstream",
                                                     "functional",
                                                     "future",
                                                     "initializer_list",
                                                     "iomanip",
                                                     "ios",
                                                     "iosfwd",
                                                     "iostream",
                                                     "istream",
                                                     "iterator",
                                                     "latch",
                                                     "limits",
                                                     "list",
                                                     "locale",
                                                     "map",
                                                     "memory",
                                                     "memory_resource",
                                                     "mutex",
                                                     "new",
                                                     "numbers",
                                                     "numeric",
                                                     "optional",
                                                     "ostream",
                                                     "queue",
                                                     "random",
                                                     "ranges",
                                                     "ratio",
                                                     "regex",
                                                     "scoped_allocator",
                                                     "semaphore",
                                                     "set",
                                                     "shared_mutex",
                                                     "source_location",
                                                     "span",
                                                     "sstream",
                                                     "stack",
                                                     "stdexcept",
                                                     "stop_token",
                                                     "streambuf",
                                                     "string",
                                                     "string_view",
                                                     "syncstream",
                                                     "system_error",
                                                     "thread",
                                                     "tuple",
                                                     "type_traits",
                                                     "typeindex",
                                                     "typeinfo",
                                                     "unordered_map",
                                                     "unordered_set",
                                                     "utility",
                                                     "valarray",
                                                     "variant",
                                                     "vector",
                                                     "version"};

bool inside(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

/// The folder that the floors speak of: engine/x, backends/x, tests/x, tools/x, bench; for a file
/// that stands directly in one of the five, that one.
std::string unit_of(const std::string& path) {
  std::size_t first = path.find('/');
  std::size_t second = path.find('/', first + 1);
  if (path.starts_with("bench/") || second == std::string::npos) return path.substr(0, first);
  return path.substr(0, second);
}

std::optional<int> floor_of(const std::string& unit) {
  if (inside(unit, "tests") || inside(unit, "tools")) return top_floor;
  auto found = floors.find(unit);
  return found == floors.end() ? std::nullopt : std::optional(found->second);
}

struct Include {
  std::size_t line;
  std::string target;
  bool quoted;
};

struct Source {
  std::string path;  // relative to the root, with '/'
  std::vector<std::string> lines;
  std::vector<Include> includes;

  bool header() const { return path.ends_with(".h"); }
  bool is_public() const { return inside(path, public_headers); }
};

std::optional<Include> parse_include(const std::string& line, std::size_t number) {
  auto skip = [&line](std::size_t at) { return std::min(line.find_first_not_of(" \t", at), line.size()); };
  std::size_t at = skip(0);
  if (at == line.size() || line[at] != '#') return std::nullopt;
  at = skip(at + 1);
  if (line.compare(at, 7, "include") != 0) return std::nullopt;
  at = skip(at + 7);
  if (at == line.size() || (line[at] != '"' && line[at] != '<')) return std::nullopt;
  const bool quoted = line[at] == '"';
  std::size_t end = line.find(quoted ? '"' : '>', at + 1);
  if (end == std::string::npos) return std::nullopt;
  return Include{number, line.substr(at + 1, end - at - 1), quoted};
}

Source read_source(const fs::path& root, const fs::path& file) {
  Source source{fs::relative(file, root).generic_string(), {}, {}};
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    source.lines.push_back(line);
    if (auto include = parse_include(line, source.lines.size())) source.includes.push_back(*include);
  }
  return source;
}

class Checker {
 public:
  explicit Checker(const fs::path& root) : root_(root) {}

  std::vector<std::string> run() {
    for (const char* top : {"backends", "bench", "engine", "tests", "tools"}) read(top);
    for (const Source& source : sources_) check_source(source);
    check_exports();
    check_loops("file", [](const std::string& path) { return path; });
    check_loops("folder", [](const std::string& path) { return fs::path(path).parent_path().generic_string(); });
    std::sort(findings_.begin(), findings_.end());
    std::vector<std::string> texts;
    for (const auto& [path, line, text] : findings_)
      texts.push_back(path + ":" + std::to_string(line) + ": error: " + text);
    return texts;
  }

 private:
  void read(const char* top) {
    if (!fs::exists(root_ / top)) return;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / top)) {
      const fs::path& path = entry.path();
      if (entry.is_regular_file() && (path.extension() == ".h" || path.extension() == ".cpp"))
        sources_.push_back(read_source(root_, path));
    }
  }

  void report(const Source& source, std::size_t line, std::string text) {
    findings_.emplace_back(source.path, line, std::move(text));
  }

  void check_source(const Source& source) {
    check_head(source);
    const std::string unit = unit_of(source.path);
    if (!source.is_public() && !floor_of(unit))
      report(source, 1, "folder " + unit + " stands on no floor; add it to the floor table in tests/house/checker.cpp");
    for (const Include& include : source.includes) {
      if (include.quoted) {
        check_own(source, include);
      } else {
        check_foreign(source, include);
      }
    }
  }

  void check_head(const Source& source) {
    if (source.lines.empty() || source.lines.front() != license_line)
      report(source, 1, std::string("no license line; start the file with \"") + license_line + "\"");
    if (source.header() && std::count(source.lines.begin(), source.lines.end(), "#pragma once") != 1)
      report(source, 1, "no #pragma once; put one before the first #include");
  }

  void check_own(const Source& source, const Include& include) {
    const std::string quoted = "\"" + include.target + "\"";
    if (source.is_public())
      return report(source, include.line,
                    "public header includes " + quoted + "; include <stele/...> or the standard library only");
    if (inside(include.target, "engine/include"))
      return report(source, include.line, quoted + " is a public header; include <stele/...>");
    if (!fs::is_regular_file(root_ / include.target))
      return report(source, include.line,
                    "no file " + quoted +
                        " below the repository's root; write the path from there, as in \"engine/base/bytes.h\"");
    check_direction(source, include);
  }

  void check_direction(const Source& source, const Include& include) {
    const std::string from = unit_of(source.path);
    const std::string to = unit_of(include.target);
    const auto from_floor = floor_of(from);
    const auto to_floor = floor_of(to);
    if (from == to || !from_floor || !to_floor) return;
    auto say = [](const std::string& folder, int floor) { return folder + " (floor " + std::to_string(floor) + ")"; };
    const std::string both = say(from, *from_floor) + " includes " + say(to, *to_floor);
    if (*to_floor > *from_floor)
      return report(source, include.line,
                    both + ": upward; declare below what is needed from above, or move one of the two");
    if (to == "tests/support" && (inside(from, "tests") || from == "bench")) return;
    if (inside(from, "tests") && inside(to, "tools")) return;  // a tool's own parts are tested, too
    if (*to_floor == *from_floor)
      return report(source, include.line,
                    both + ": another folder of the same floor; move what both need to a lower floor" +
                        (inside(from, "tests") ? " or to tests/support" : ""));
    if (from.starts_with("backends/") && to != "engine/base" && to != "engine/distance" && to != "engine/storage")
      report(
          source, include.line,
          both + ": a backend knows engine/base, engine/distance, engine/storage and its library; put what it needs into the contract");
  }

  void check_foreign(const Source& source, const Include& include) {
    const std::string bracketed = "<" + include.target + ">";
    if (source.is_public()) {
      if (!inside(include.target, "stele") && !standard_headers.contains(include.target))
        report(source, include.line,
               "public header includes " + bracketed + "; forward-declare, or keep it behind a pointer in a .cpp file");
      return;
    }
    for (const Library& library : libraries) {
      if (!include.target.starts_with(library.header)) continue;
      auto may = [&](std::string_view folder) { return inside(source.path, folder); };
      if (std::none_of(library.folders.begin(), library.folders.end(), may))
        return report(source, include.line,
                      bracketed + " does not belong here; it may be included under " + joined(library.folders));
      if (source.header() && inside(source.path, "engine"))
        return report(source, include.line, bracketed + " in a header; include it in the .cpp file only");
    }
  }

  static std::string joined(const std::vector<std::string_view>& parts) {
    std::string out;
    for (std::string_view part : parts) out.append(out.empty() ? "" : ", ").append(part);
    return out;
  }

  /// Every class of the public headers is in the linker's list of what the shared library shows.
  void check_exports() {
    std::ifstream in(root_ / export_list);
    std::stringstream exports;
    exports << in.rdbuf();
    for (const Source& source : sources_) {
      if (!source.is_public()) continue;
      for (std::size_t i = 0; i < source.lines.size(); ++i) {
        const std::string& line = source.lines[i];
        if (!line.starts_with("class ")) continue;
        const std::size_t end = std::min(line.find_first_of(" :{;", 6), line.size());
        if (end < line.size() && line[end] == ';') continue;  // declared here, defined elsewhere
        const std::string name = line.substr(6, end - 6);
        if (exports.str().find(" stele::" + name + "::*;") == std::string::npos)
          report(source, i + 1, "class " + name + " is not exported; add stele::" + name + "::*; to " + export_list);
      }
    }
  }

  /// Follows the includes between the nodes that `node_of` makes of paths; each loop is told once,
  /// at the include that closes it.
  void check_loops(const std::string& what, const std::function<std::string(const std::string&)>& node_of) {
    struct Edge {
      const Source* source;
      std::size_t line;
    };
    std::map<std::string, std::map<std::string, Edge>> graph;
    for (const Source& source : sources_) {
      const std::string from = node_of(source.path);
      for (const Include& include : source.includes) {
        const bool is_public = !include.quoted && inside(include.target, "stele");
        if (!include.quoted && !is_public) continue;
        const std::string to = node_of(is_public ? "engine/include/" + include.target : include.target);
        if (from != to) graph[from].try_emplace(to, Edge{&source, include.line});
      }
    }
    std::set<std::string> done;
    std::vector<std::string> way;
    std::function<void(const std::string&)> visit = [&](const std::string& node) {
      way.push_back(node);
      for (const auto& [to, edge] : graph[node]) {
        auto start = std::find(way.begin(), way.end(), to);
        if (start != way.end()) {
          std::string loop;
          for (auto at = start; at != way.end(); ++at) loop += *at + " -> ";
          report(*edge.source, edge.line,
                 what + " loop " + loop + to + "; move what both sides need into a " + what + " below them");
        } else if (!done.contains(to)) {
          visit(to);
        }
      }
      way.pop_back();
      done.insert(node);
    };
    std::vector<std::string> nodes;
    for (const auto& [node, edges] : graph) nodes.push_back(node);
    for (const std::string& node : nodes)
      if (!done.contains(node)) visit(node);
  }

  const fs::path root_;
  std::vector<Source> sources_;
  std::vector<std::tuple<std::string, std::size_t, std::string>> findings_;
};

}  // namespace

std::vector<std::string> check(const std::filesystem::path& root) { return Checker(root).run(); }

}  // namespace stele::house
