// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/stele.h>

#include <iostream>

int main() {
  auto db = stele::Database::open("shop");  // a directory; made when absent
  db.sql("CREATE TABLE IF NOT EXISTS users(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT");

  db.write([](stele::Transaction& tx) {  // all of it or nothing; on disk when write() returns
    tx.sql("INSERT INTO users(name) VALUES(?)", "Ada");
    tx.collection("articles").put(R"({"_id": "stones", "title": "On stones", "tags": ["slab"]})");
    tx.stream("activity").append({.key = "ada", .data = R"({"did": "publish"})"});
  });

  db.read([](const stele::Snapshot& at) {  // one moment over rows, documents and events
    for (const auto& row : at.sql("SELECT id, name FROM users"))
      std::cout << "row      " << row.get<int64_t>(0) << " " << row.get<std::string>(1) << "\n";
    for (const auto& json : at.collection("articles").find(R"({"tags": "slab"})").all())
      std::cout << "document " << json << "\n";
    for (const auto& event : at.stream("activity").read())
      std::cout << "event    " << *event.offset << " " << event.key << " " << event.data << "\n";
  });
}
