// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/similar.h"

#include "tools/demo/package.h"
#include "tools/demo/report.h"
#include "tools/demo/schema.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <functional>

namespace stele::demo {
namespace {

constexpr const char* path = "embedding";
constexpr std::size_t vectors_a_transaction = 500;
constexpr const char* installed_file = "/var/lib/dpkg/status";
constexpr int many_packages = 20;

using simdjson::dom::element;

void add_words(std::string_view text, std::vector<std::string>& out) {
  std::string word;
  for (const char c : std::string(text) + ' ') {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (word.size() >= 2) out.push_back("word:" + word);
    word.clear();
  }
}

/// Relations are groups of alternatives, each an object with a name.
void add_names(const element& value, std::vector<std::string>& out) {
  simdjson::dom::array items;
  std::string_view name;
  if (value.get(items) == simdjson::SUCCESS) {
    for (const element item : items) add_names(item, out);
  } else if (value["name"].get(name) == simdjson::SUCCESS || value.get(name) == simdjson::SUCCESS) {
    out.push_back("needs:" + std::string(name));
  }
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(const std::string& feature) {  // FNV-1a: the same on every machine
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : feature) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string text_of(std::string_view document, const char* field) {
  simdjson::dom::parser parser;
  std::string_view found;
  const element root = parser.parse(document.data(), document.size());
  return root[field].get(found) == simdjson::SUCCESS ? std::string(found) : std::string();
}

std::vector<std::string> installed_packages() {
  std::vector<std::string> names;
  std::ifstream status(installed_file);
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Package: ")) names.push_back(line.substr(9));
  return names;
}

/// {"package":{"$nin":[…]}}
std::string not_installed_filter(const std::vector<std::string>& installed) {
  std::string list;
  for (const std::string& name : installed) list += (list.empty() ? "" : ",") + json_string(name);
  return R"({"package":{"$nin":[)" + list + "]}}";
}

/// The best hits whose maintainers have many packages: which, the rows know.
bool add_similar(const Snapshot& at, const Names& names, const std::string& id, const std::string& package,
                 const std::string& filter, Table& table) {
  const auto stanzas = at.collection(names.collection);
  const NearestOptions options{.k = 100, .filter = filter};
  const Neighbours found = stanzas.nearest_to(path, id, options);
  NearestOptions exactly = options;
  exactly.exact = true;
  exactly.k = 1;
  const Neighbours truth = stanzas.nearest_to(path, id, exactly);
  int rows = 0;
  for (const auto& hit : found.hits) {
    if (rows == 3) break;
    const auto about = at.sql("SELECT p.name, m.name, (SELECT count(*) FROM " + names.packages +
                                  " WHERE maintainer_id = m.id) FROM " + names.packages + " p JOIN " +
                                  names.maintainers + " m ON m.id = p.maintainer_id WHERE p.document_id = ?",
                              hit.id.text())
                           .all<std::string, std::string, std::int64_t>();
    if (about.empty() || std::get<2>(about[0]) < many_packages || std::get<0>(about[0]) == package) continue;
    const auto& [name, maintainer, count] = about[0];
    const std::string synopsis = text_of(stanzas.get(hit.id).value_or("{}"), "description");
    table.add({rows == 0 ? package : "", name, fmt::format("{:.2f}", 1 - hit.distance), shortened(maintainer, 30),
               grouped(count), shortened(synopsis.substr(0, synopsis.find('\n')), 44)});
    ++rows;
  }
  return truth.hits.empty() || (!found.hits.empty() && found.hits[0].distance <= truth.hits[0].distance + 1e-4f);
}

}  // namespace

std::vector<std::string> features_of(std::string_view document) {
  std::vector<std::string> out;
  simdjson::dom::parser parser;
  const element root = parser.parse(document.data(), document.size());
  std::string_view text;
  if (root["package"].get(text) == simdjson::SUCCESS) add_words(text, out);
  if (root["description"].get(text) == simdjson::SUCCESS) add_words(text.substr(0, text.find('\n')), out);
  if (root["section"].get(text) == simdjson::SUCCESS) out.push_back("section:" + std::string(text));
  simdjson::dom::array tags;
  if (root["tag"].get(tags) == simdjson::SUCCESS)
    for (const element tag : tags)
      if (tag.get(text) == simdjson::SUCCESS) out.push_back("tag:" + std::string(text));
  element relations;
  if (root["depends"].get(relations) == simdjson::SUCCESS) add_names(relations, out);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

void Embedding::count(std::string_view document) {
  for (const std::string& feature : features_of(document)) ++documents_with_[hash_of(feature) % features];
  ++documents_;
}

std::vector<float> Embedding::vector(std::string_view document) const {
  constexpr int signs_a_feature = 8;
  std::vector<float> out(dimensions);
  for (const std::string& feature : features_of(document)) {
    std::uint64_t bits = hash_of(feature);
    const double rarity = std::log((documents_ + 1.0) / (documents_with_[bits % features] + 1.0)) + 0.01;
    for (int i = 0; i < signs_a_feature; ++i) {
      bits = mixed(bits);
      out[bits % dimensions] += static_cast<float>((bits >> 63) != 0 ? rarity : -rarity);
    }
  }
  if (std::ranges::all_of(out, [](float x) { return x == 0; })) out[0] = 1;  // no direction otherwise
  return out;
}

void embed_everything(Database& db) {
  heading("vectors: a simple embedding of name, synopsis, section, tags and dependencies, 256 dimensions");
  const Names names("");
  Collection stanzas = db.collection(names.collection);
  const Timer timer;
  Embedding embedding;
  Documents counted = stanzas.find();
  while (const auto document = counted.next()) embedding.count(*document);
  stanzas.create_vector_index(path, {.dimensions = Embedding::dimensions});
  std::int64_t done = 0;
  {
    Progress progress("vectors");
    std::vector<std::pair<std::string, std::vector<float>>> batch;
    const auto write = [&] {
      db.write({.durability = Durability::relaxed}, [&](Transaction& tx) {
        for (const auto& [id, vector] : batch) tx.collection(names.collection).set_vector(path, id, vector);
      });
      done += static_cast<std::int64_t>(batch.size());
      progress.show(grouped(done) + " vectors");
      batch.clear();
    };
    Documents all = stanzas.find();
    while (const auto document = all.next()) {
      batch.emplace_back(text_of(*document, "_id"), embedding.vector(*document));
      if (batch.size() == vectors_a_transaction) write();
    }
    if (!batch.empty()) write();
    db.sync_now();
  }
  const double written = timer.seconds();
  stanzas.wait_applied(path);
  fmt::print("  {} vectors made and on disk in {} ({}), all in the graph after {}\n", grouped(done),
             seconds_text(written), rate_text(done, written), seconds_text(timer.seconds()));
}

bool ask_for_similar(Database& db) {
  heading(
      "what is like this one, is not installed here, and comes from people with many packages? (vectors: the "
      "nearest; documents: the filter; rows: maintainers)");
  const Names names("");
  const Timer timer;
  const std::string filter = not_installed_filter(installed_packages());
  Table table({{"like"},
               {"is", Table::Align::left},
               {"cosine", Table::Align::right},
               {"maintainer"},
               {"packages", Table::Align::right},
               {"which is"}});
  bool right = true;
  db.read([&](const Snapshot& at) {
    auto wanted =
        at.sql("SELECT document_id, name FROM " + names.packages +
               " WHERE name IN ('postgresql', 'redis-server', 'vim', 'nginx', 'sqlite3') GROUP BY name ORDER BY name")
            .all<std::string, std::string>();
    if (wanted.empty())
      wanted = at.sql("SELECT document_id, name FROM " + names.packages + " ORDER BY id LIMIT 5")
                   .all<std::string, std::string>();
    for (const auto& [id, name] : wanted) right = add_similar(at, names, id, name, filter, table) && right;
  });
  table.print();
  fmt::print("  ({}){}\n", seconds_text(timer.seconds()), right ? "" : "  WRONG: an exact search finds nearer ones");
  return right;
}

}  // namespace stele::demo
