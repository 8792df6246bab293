// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/import.h"

#include <simdjson.h>

#include <optional>
#include <span>

namespace stele::demo {
namespace {

struct Counter {
  const char* name;
  std::int64_t BatchReport::*value;
};
constexpr Counter counters[] = {
    {"batch", &BatchReport::batch},
    {"stanzas_end", &BatchReport::stanzas_end},
    {"stanzas", &BatchReport::stanzas},
    {"packages", &BatchReport::packages},
    {"maintainers", &BatchReport::maintainers},
    {"dependencies", &BatchReport::dependencies},
    {"provides", &BatchReport::provides},
    {"refused", &BatchReport::refused},
    {"repeated", &BatchReport::repeated},
    {"malformed", &BatchReport::malformed},
    {"bytes", &BatchReport::bytes},
};

template <class T>
Value value_or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

}  // namespace

void BatchReport::add(const BatchReport& other) {
  for (const Counter& counter : counters) this->*counter.value += other.*counter.value;
  batch = other.batch;
  stanzas_end = other.stanzas_end;
}

std::string BatchReport::json() const {
  std::string out;
  for (const Counter& counter : counters)
    out += (out.empty() ? "{\"" : ",\"") + std::string(counter.name) + "\":" + std::to_string(this->*counter.value);
  return out + "}";
}

BatchReport BatchReport::from_json(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::dom::object object = parser.parse(json.data(), json.size());
  BatchReport report;
  for (const Counter& counter : counters) report.*counter.value = object[counter.name].get_int64();
  return report;
}

Import::Import(Database& db, const std::string& prefix, const InputOptions& input, std::int64_t batch_stanzas)
    : db_(db), names_(prefix), input_(input), batch_stanzas_(batch_stanzas) {
  insert_package_ = "INSERT INTO " + names_.packages +
                    "(name, version, architecture, section, priority, size_bytes, installed_kilobytes, maintainer_id, "
                    "document_id, batch) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
  insert_maintainer_ = "INSERT INTO " + names_.maintainers + "(name, email) VALUES(?, ?)";
  insert_dependency_ = "INSERT INTO " + names_.dependencies +
                       "(package_id, kind, group_no, alternative_no, name, comparison, version, architecture) "
                       "VALUES(?, ?, ?, ?, ?, ?, ?, ?)";
  insert_provides_ = "INSERT INTO " + names_.provides + "(package_id, number, name, version) VALUES(?, ?, ?, ?)";
  create_tables(db_, names_);
  resume();
}

/// The last event says how far the input is in; rows and documents cannot say otherwise.
void Import::resume() {
  db_.read([&](const Snapshot& at) {
    const auto events = at.stream(names_.stream);
    if (const std::uint64_t end = events.end_offset(); end > 0)
      last_ = BatchReport::from_json(events.read(end - 1, 1).at(0).data);
    for (const Row& row : at.sql("SELECT id, name, email FROM " + names_.maintainers))
      maintainers_[{row.get<std::string>(2), row.get<std::string>(1)}] = row.get<std::int64_t>(0);
  });
  while (static_cast<std::int64_t>(input_.stanzas()) < last_.stanzas_end)
    if (!input_.next()) break;
}

void Import::run(const std::function<void(const BatchReport&)>& committed) {
  while (true) {
    const Batch batch = read_batch();
    if (batch.report.stanzas == 0) return;
    last_ = write_batch(batch);
    committed(last_);
  }
}

Import::Batch Import::read_batch() {
  Batch batch;
  BatchReport& report = batch.report;
  while (report.stanzas < batch_stanzas_) {
    const auto stanza = input_.next();
    if (!stanza) break;
    ++report.stanzas;
    report.bytes += static_cast<std::int64_t>(stanza->bytes);
    std::string why;
    auto package = read_package(*stanza, why);
    if (!package) {
      if (first_refused_.empty()) first_refused_ = "stanza " + std::to_string(input_.stanzas()) + ": " + why;
      ++report.refused;
      continue;
    }
    report.malformed += stanza->problems + package->malformed_relations;
    batch.packages.push_back(*std::move(package));
  }
  report.batch = last_.batch + 1;
  report.stanzas_end = static_cast<std::int64_t>(input_.stanzas());
  return batch;
}

/// Rows, documents and the event of one batch, in one transaction. The body may run more than once,
/// so nothing outside it changes before the commit.
BatchReport Import::write_batch(const Batch& batch) {
  std::map<MaintainerKey, std::int64_t> added;
  WriteOptions options;
  options.writes_sql = true;
  const BatchReport report = db_.write(options, [&](Transaction& tx) {
    added.clear();
    BatchReport done = batch.report;
    std::vector<std::string> documents;
    for (const Package& package : batch.packages) {
      const Value maintainer = maintainer_id(tx, package, added, done);
      const auto inserted =
          tx.sql(insert_package_, package.name, package.version, package.architecture, value_or_null(package.section),
                 value_or_null(package.priority), value_or_null(package.size_bytes),
                 value_or_null(package.installed_kilobytes), maintainer, package.document_id, done.batch);
      if (inserted.changes() == 0) {
        ++done.repeated;
        continue;
      }
      ++done.packages;
      write_relations(tx, inserted.last_insert_rowid(), package, done);
      documents.push_back(package.document(done.batch));
    }
    tx.collection(names_.collection).insert_many(documents);
    tx.stream(names_.stream).append(NewEvent{"batch", done.json(), {}});
    return done;
  });
  maintainers_.merge(added);
  return report;
}

Value Import::maintainer_id(Transaction& tx, const Package& package, std::map<MaintainerKey, std::int64_t>& added,
                            BatchReport& report) {
  if (!package.maintainer) return Value();
  const MaintainerKey key{package.maintainer->email, package.maintainer->name};
  for (const auto* known : {&maintainers_, &added})
    if (const auto found = known->find(key); found != known->end()) return Value(found->second);
  const std::int64_t id = tx.sql(insert_maintainer_, key.second, key.first).last_insert_rowid();
  added.emplace(key, id);
  ++report.maintainers;
  return Value(id);
}

void Import::write_relations(Transaction& tx, std::int64_t package_id, const Package& package, BatchReport& report) {
  for (const auto& [kind, relations] : package.dependencies) {
    std::int64_t group_no = 0;
    for (const auto& group : relations.groups) {
      std::int64_t alternative_no = 0;
      for (const Relation& relation : group) {
        tx.sql(insert_dependency_, package_id, kind, group_no, alternative_no++, relation.name,
               text_or_null(relation.comparison), text_or_null(relation.version), text_or_null(relation.architecture));
        ++report.dependencies;
      }
      ++group_no;
    }
  }
  std::int64_t number = 0;
  for (const auto& group : package.provides.groups)
    for (const Relation& relation : group) {
      tx.sql(insert_provides_, package_id, number++, relation.name, text_or_null(relation.version));
      ++report.provides;
    }
}

}  // namespace stele::demo
