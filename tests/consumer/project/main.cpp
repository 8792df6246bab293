// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A first program with Stele, as somebody who has only the installed tree writes it:
//   consumer DIRECTORY
// Exits with 0 when what it wrote in one transaction is what it reads back.
#include <stele/stele.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "consumer: not so: " << what << "\n";
  std::exit(1);
}

void write_and_read(stele::Database& db) {
  db.sql("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL, plan TEXT) STRICT");

  const auto user = db.write([](stele::Transaction& tx) {
    const auto id = tx.sql("INSERT INTO users(name, plan) VALUES(?, ?) RETURNING id", "Ada", "pro").one<std::int64_t>();
    tx.collection("articles").insert(R"({"_id": "stones", "title": "Stones", "tags": ["slab"]})");
    tx.stream("activity").append({.key = "ada", .data = R"({"did":"publish"})", .time = {}});
    return id;
  });

  db.read([&](const stele::Snapshot& at) {
    const auto [name, plan] = at.sql("SELECT name, plan FROM users WHERE id = ?", user).one<std::string, std::string>();
    expect(name == "Ada" && plan == "pro", "the row reads as it was written");
    expect(at.collection("articles").get("stones") == R"({"_id":"stones","title":"Stones","tags":["slab"]})",
           "the document reads as it was written");
    const auto events = at.stream("activity").read();
    expect(events.size() == 1 && events[0].offset == 0u && events[0].data == R"({"did":"publish"})",
           "the event reads as it was written");
  });
}

void catch_errors(stele::Database& db) {
  try {
    db.collection("articles").insert(R"({"_id": "stones"})");
    expect(false, "a second document with the same id is refused");
  } catch (const stele::Error& error) {
    expect(error.code() == stele::ErrorCode::exists, "its code is exists, not " + std::string(name(error.code())));
  }
  try {
    db.write([](stele::Transaction& tx) {
      tx.sql("INSERT INTO users(name) VALUES('Grace')");
      throw std::runtime_error("changed my mind");
    });
    expect(false, "an exception of the body is passed on");
  } catch (const std::runtime_error& error) {
    expect(error.what() == std::string("changed my mind"), "the exception is the body's own");
  }
  expect(db.sql("SELECT count(*) FROM users").one<std::int64_t>() == 1, "its transaction was rolled back");
}

}  // namespace

int main(int argc, char** argv) {
  expect(argc == 2, "one argument, a directory");
  expect(std::string(stele::version())
             .starts_with(std::to_string(STELE_VERSION_MAJOR) + "." + std::to_string(STELE_VERSION_MINOR) + "."),
         "the library has the headers' version");
  try {
    auto db = stele::Database::open(argv[1]);
    write_and_read(db);
    catch_errors(db);
    db.close();
  } catch (const stele::Error& error) {
    std::cerr << "consumer: " << name(error.code()) << ": " << error.what() << "\n";
    return 1;
  }
  std::cout << "consumer: ok\n";
}
