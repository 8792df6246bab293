// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/schema.h"
#include "bench/subject.h"

#include <stele/stele.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace stele::bench {

int Subject::cross(const Payload&) { throw std::logic_error("not part of this subject"); }
int Subject::rows(const Payload&) { throw std::logic_error("not part of this subject"); }
int Subject::documents(const Payload&) { throw std::logic_error("not part of this subject"); }
int Subject::update_row(int) { throw std::logic_error("not part of this subject"); }
int Subject::update_document(int) { throw std::logic_error("not part of this subject"); }

namespace {

class Stele final : public Subject {
 public:
  Stele(const std::string& directory, Preload preload) : db_(Database::open(directory)) {
    for (const char* statement : schema) db_.sql(statement);
    db_.sql(fill_accounts);
    if (preload == Preload::rows) return;
    Random random(99);
    for (int id = 1; id <= document_count;) {
      db_.write([&](Transaction& tx) {
        auto docs = tx.collection("docs");
        for (int i = 0; i < 1000 && id <= document_count; ++i, ++id) docs.put(make_document(id, random));
      });
    }
  }

  int cross(const Payload& payload) override {
    return write([&](Transaction& tx) {
      write_rows(tx, payload);
      write_documents(tx, payload);
    });
  }
  int rows(const Payload& payload) override {
    return write([&](Transaction& tx) { write_rows(tx, payload); });
  }
  int documents(const Payload& payload) override {
    return write([&](Transaction& tx) { write_documents(tx, payload); });
  }
  int update_row(int account) override {
    return write([&](Transaction& tx) {
      const auto balance = tx.sql(select_account, account).one<std::int64_t>();
      tx.sql(set_account, account, balance + 1);
    });
  }
  int update_document(int id) override {
    return write([&](Transaction& tx) {
      auto docs = tx.collection("docs");
      std::string json = docs.get(id).value();
      char& last = json[json.size() - 3];
      last = last == 'z' ? 'a' : 'z';
      docs.replace(id, json);
    });
  }

 private:
  template <class Body>
  int write(Body&& body) {
    int attempts = 0;
    db_.write([&](Transaction& tx) {
      ++attempts;
      body(tx);
    });
    return attempts - 1;
  }
  static void write_rows(Transaction& tx, const Payload& payload) {
    tx.sql(update_account, payload.account, payload.order % 7);
    tx.sql(insert_order, payload.order, payload.account, payload.order % 100);
  }
  static void write_documents(Transaction& tx, const Payload& payload) {
    auto docs = tx.collection("docs");
    for (const std::string& json : payload.json) docs.put(json);
  }

  Database db_;
};

}  // namespace

std::unique_ptr<Subject> make_stele(const std::string& directory, Preload preload) {
  return std::make_unique<Stele>(directory, preload);
}

}  // namespace stele::bench
