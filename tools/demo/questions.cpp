// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/questions.h"

#include "tools/demo/report.h"
#include "tools/demo/schema.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace stele::demo {
namespace {

using Align = Table::Align;

/// A document to read single fields of.
class Document {
 public:
  explicit Document(std::string_view json) : root_(parser_.parse(json.data(), json.size())) {}

  std::string text(const char* field) const {
    std::string_view found;
    return root_[field].get(found) == simdjson::SUCCESS ? std::string(found) : std::string();
  }
  bool flag(const char* field) const {
    bool found = false;
    return root_[field].get(found) == simdjson::SUCCESS && found;
  }
  std::string first_items(const char* field, std::size_t count) const {
    simdjson::dom::array items;
    if (root_[field].get(items) != simdjson::SUCCESS) return {};
    std::string out;
    for (const simdjson::dom::element item : items) {
      std::string_view name;
      if (count == 0 || item.get(name) != simdjson::SUCCESS) break;
      out += (out.empty() ? "" : ", ") + std::string(name);
      --count;
    }
    return out;
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

Document document_of(const Snapshot& at, const Names& names, const std::string& id) {
  const auto json = at.collection(names.collection).get(id);
  if (!json) throw Error(ErrorCode::corrupt, "demo: document " + id + " is missing though its row is there");
  return Document(*json);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void print_answered(const Timer& timer) { fmt::print("  ({})\n", seconds_text(timer.seconds())); }

void most_needed_maintainers(const Snapshot& at, const Names& names) {
  heading("whose packages are needed most? (rows: dependencies; documents: homepage and tags of the top package)");
  const Timer timer;
  Table table({{"maintainer"},
               {"packages", Align::right},
               {"needed by", Align::right},
               {"top package"},
               {"homepage"},
               {"tags"}});
  // With a single max(), SQLite takes the other columns from the row that has the maximum.
  auto rows = at.sql(R"(
      WITH needed AS (SELECT target_id AS id, count(DISTINCT package_id) AS dependents FROM dependencies
                      WHERE kind IN ('Depends', 'Pre-Depends') AND target_id IS NOT NULL GROUP BY target_id)
      SELECT m.name, count(*), sum(n.dependents), max(n.dependents), p.name, p.document_id
      FROM needed n JOIN packages p USING (id) JOIN maintainers m ON m.id = p.maintainer_id
      GROUP BY m.id ORDER BY 3 DESC, 1 LIMIT 8)");
  while (rows.next()) {
    const auto [maintainer, packages, dependents, most, package, document_id] =
        rows.row().as<std::string, std::int64_t, std::int64_t, std::int64_t, std::string, std::string>();
    const Document document = document_of(at, names, document_id);
    table.add({shortened(maintainer, 34), grouped(packages), grouped(dependents), package,
               shortened(document.text("homepage"), 38), shortened(document.first_items("tag", 2), 34)});
  }
  table.print();
  print_answered(timer);
}

void indispensable_packages(const Snapshot& at, const Names& names) {
  heading("what may not be removed? (documents: essential, important, protected; rows: who needs it)");
  const Timer timer;
  Table table({{"package"}, {"says"}, {"priority"}, {"needed by", Align::right}, {"installed", Align::right}});
  FindOptions by_name;
  by_name.sort = R"({"package":1})";
  auto found = at.collection(names.collection)
                   .find(R"({"$or":[{"essential":true},{"important":true},{"protected":true}]})", by_name);
  std::int64_t documents = 0;
  while (const auto json = found.next()) {
    const Document document(*json);
    std::string says;
    for (const char* field : {"essential", "important", "protected"})
      if (document.flag(field)) says += (says.empty() ? "" : ", ") + std::string(field);
    const auto [name, kilobytes, dependents] = at.sql(R"(SELECT name, ifnull(installed_kilobytes, 0),
                         (SELECT count(DISTINCT package_id) FROM dependencies
                          WHERE target_id = p.id AND kind IN ('Depends', 'Pre-Depends'))
                  FROM packages p WHERE document_id = ?)",
                                                      document.text("_id"))
                                                   .one<std::string, std::int64_t, std::int64_t>();
    table.add({name, says, document.text("priority"), grouped(dependents),
               bytes_text(static_cast<std::uint64_t>(kilobytes) * 1024)});
    ++documents;
  }
  if (documents > 0) table.print();
  fmt::print("  {} documents", grouped(documents));
  print_answered(timer);
}

// Of each group the first alternative that can be had, as apt takes it.
constexpr const char* closure_query = R"(
    WITH RECURSIVE closure(id) AS (
      SELECT ?1
      UNION
      SELECT coalesce(d.target_id, d.provider_id)
      FROM closure c JOIN dependencies d ON d.package_id = c.id
      WHERE d.kind IN ('Depends', 'Pre-Depends') AND coalesce(d.target_id, d.provider_id) IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM dependencies e
                        WHERE e.package_id = d.package_id AND e.kind = d.kind AND e.group_no = d.group_no
                          AND e.alternative_no < d.alternative_no
                          AND coalesce(e.target_id, e.provider_id) IS NOT NULL))
    SELECT count(*), sum(ifnull(p.size_bytes, 0)), sum(ifnull(p.installed_kilobytes, 0)),
           max(p.installed_kilobytes), p.name, p.document_id
    FROM closure JOIN packages p USING (id))";

void largest_closures(const Snapshot& at, const Names& names) {
  heading("what does it take to install it? (rows: closure of the dependencies; documents: descriptions)");
  const Timer timer;
  Table table({{"package"},
               {"needs", Align::right},
               {"download", Align::right},
               {"on disk", Align::right},
               {"largest part"},
               {"which is"}});
  const auto roots = at.sql(R"(SELECT p.id, p.name FROM packages p JOIN dependencies d ON d.package_id = p.id
                               WHERE d.kind = 'Depends' GROUP BY p.id ORDER BY count(*) DESC, p.name LIMIT 5)")
                         .all<std::int64_t, std::string>();
  for (const auto& [id, name] : roots) {
    const auto [packages, download_bytes, kilobytes, largest, part, document_id] =
        at.sql(closure_query, id)
            .one<std::int64_t, std::int64_t, std::int64_t, std::optional<std::int64_t>, std::string, std::string>();
    table.add({name, grouped(packages - 1), bytes_text(static_cast<std::uint64_t>(download_bytes)),
               bytes_text(static_cast<std::uint64_t>(kilobytes) * 1024), part,
               shortened(first_line(document_of(at, names, document_id).text("description")), 48)});
  }
  table.print();
  print_answered(timer);
}

void unresolved_by_kind(const Snapshot& at, const Names& names) {
  heading("what do the dependencies lead to? (rows)");
  const Timer timer;
  Table table({{"kind"},
               {"relations", Align::right},
               {"versioned", Align::right},
               {"alternatives", Align::right},
               {"to a package", Align::right},
               {"virtual", Align::right},
               {"to nothing here", Align::right}});
  auto rows = at.sql(
      "SELECT kind, count(*), count(version), sum(alternative_no > 0), count(target_id), count(provider_id), "
      "sum(target_id IS NULL AND provider_id IS NULL) FROM " +
      names.dependencies + " GROUP BY kind ORDER BY 2 DESC");
  while (rows.next()) {
    std::vector<std::string> cells{rows.row().get<std::string>(0)};
    for (std::size_t i = 1; i < 7; ++i) cells.push_back(grouped(rows.row().get<std::int64_t>(i)));
    table.add(std::move(cells));
  }
  table.print();
  print_answered(timer);
}

}  // namespace

void ask_questions(Database& db) {
  const Names names("");
  db.read([&](const Snapshot& at) {
    fmt::print("\nFour questions, one snapshot over rows, documents and events (commit {}):\n",
               grouped(static_cast<std::int64_t>(at.gseq())));
    unresolved_by_kind(at, names);
    most_needed_maintainers(at, names);
    indispensable_packages(at, names);
    largest_closures(at, names);
  });
}

}  // namespace stele::demo
