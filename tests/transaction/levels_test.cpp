// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What each isolation level allows, over rows and keys of the real stores.
#include "engine/base/step.h"
#include "tests/support/numbered_append.h"
#include "tests/transaction/store_fixture.h"

#include <functional>
#include <thread>
#include <utility>

namespace stele::transaction {
namespace {

class Levels : public StoreTest {};

TEST_F(Levels, write_skew_is_refused_when_serializable_and_allowed_at_snapshot) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    const Tx one = begin(isolation);
    const Tx two = begin(isolation);
    get(one, "a");
    get(two, "b");
    put(one, "b", "1");
    put(two, "a", "1");
    one->commit();
    EXPECT_EQ(thrown([&] { two->commit(); }),
              isolation == Isolation::serializable ? std::optional(ErrorCode::conflict) : std::nullopt);
  }
}

TEST_F(Levels, a_lost_update_of_a_key_is_refused_at_both_levels) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    put("k", "0");
    const Tx one = begin(isolation);
    const Tx two = begin(isolation);
    EXPECT_EQ(get(one, "k") + get(two, "k"), "00");
    put(one, "k", "1");
    put(two, "k", "2");
    one->commit();
    EXPECT_EQ(thrown([&] { two->commit(); }), ErrorCode::conflict);
    EXPECT_EQ(get("k"), "1");
  }
}

TEST_F(Levels, a_lost_update_of_a_row_is_refused_at_both_levels) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    sql("UPDATE t SET v = 0");
    const Tx one = begin(isolation);
    EXPECT_EQ(row(one, 1), 0);
    sql("UPDATE t SET v = 5 WHERE k = 1");
    EXPECT_EQ(thrown([&] { set_row(one, 1, row(one, 1) + 1); }), ErrorCode::conflict);
    EXPECT_EQ(thrown([&] { one->commit(); }), ErrorCode::aborted) << "what it read is stale: nothing of it may go on";
    EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 5);
  }
}

TEST_F(Levels, a_phantom_in_a_scanned_range_is_refused) {
  put("m1", "x");
  const Tx one = begin();
  EXPECT_EQ(scan(one, "m", "n"), "m1 ");
  put("m2", "x");
  put(one, "total", "1");
  EXPECT_EQ(thrown([&] { one->commit(); }), ErrorCode::conflict);
}

TEST_F(Levels, an_entry_outside_the_scanned_range_is_no_phantom) {
  const Tx one = begin();
  EXPECT_EQ(scan(one, "m", "n"), "");
  put("n", "x");
  put(one, "total", "1");
  EXPECT_EQ(thrown([&] { one->commit(); }), std::nullopt);
}

TEST_F(Levels, a_scan_left_early_reads_only_as_far_as_it_went) {
  for (const char* key : {"m1", "m3", "m5"}) put(key, "x");
  auto first_of = [&](const Tx& tx) {
    tx->statement([&] {
      const auto scan = tx->scan(Keyspace::documents, {"m", "n"});
      EXPECT_TRUE(scan->next());
    });
    put(tx, "total", "1");
  };
  const Tx before = begin();
  first_of(before);
  put("m0", "x");
  EXPECT_EQ(thrown([&] { before->commit(); }), ErrorCode::conflict);
  const Tx eraser = begin();
  eraser->statement([&] { eraser->writes().erase(Keyspace::documents, "m0"); });
  eraser->commit();
  const Tx beyond = begin();
  first_of(beyond);
  put("m4", "x");
  EXPECT_EQ(thrown([&] { beyond->commit(); }), std::nullopt);
}

TEST_F(Levels, binding_reads_are_checked_at_snapshot_isolation) {
  const Tx one = begin(Isolation::snapshot);
  EXPECT_EQ(get(one, "unique", Record::binding), "-");
  put("unique", "taken");
  put(one, "mine", "1");
  EXPECT_EQ(thrown([&] { one->commit(); }), ErrorCode::conflict);
}

TEST_F(Levels, rows_read_are_checked_against_rows_written) {
  const Tx one = begin();
  row(one, 1);
  sql("UPDATE t SET v = 1 WHERE k = 1");
  put(one, "k", "1");
  EXPECT_EQ(thrown([&] { one->commit(); }), ErrorCode::conflict);

  const Tx unrelated = begin();
  row(unrelated, 1);
  sql("INSERT INTO other VALUES(1, 1)");
  put(unrelated, "k", "1");
  EXPECT_EQ(thrown([&] { unrelated->commit(); }), std::nullopt);
}

TEST_F(Levels, rows_read_are_plain_reads_at_snapshot_isolation) {
  const Tx one = begin(Isolation::snapshot);
  row(one, 1);
  sql("UPDATE t SET v = 1 WHERE k = 1");
  put(one, "k", "1");
  EXPECT_EQ(thrown([&] { one->commit(); }), std::nullopt);
}

TEST_F(Levels, rows_read_under_the_writer_lock_stay_true_up_to_the_commit_when_only_keys_are_written) {
  options_.lock_timeout = std::chrono::milliseconds(20);
  reopen();
  put("y", "0");
  const Tx one = begin_writing_sql();
  EXPECT_EQ(row(one, 1), 0);
  put(one, "y", "1");
  // The writer lock is kept up to the commit, although no SQL was written: so nobody can come in between who reads y
  // as it was and writes the row.
  const Tx two = begin();
  EXPECT_EQ(get(two, "y"), "0");
  std::thread([&] { EXPECT_EQ(thrown([&] { set_row(two, 1, 1); }), ErrorCode::busy); }).join();
  one->commit();
  EXPECT_EQ(thrown([&] { set_row(two, 1, 1); }), ErrorCode::conflict) << "y has changed since it was read";
}

TEST_F(Levels, a_commit_between_the_reads_and_the_first_sql_write_conflicts_at_both_levels) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    const Tx one = begin(isolation);
    get(one, "k");
    put("k", "changed");
    EXPECT_EQ(thrown([&] { set_row(one, 1, 1); }), ErrorCode::conflict);
    EXPECT_FALSE(one->active());
  }
}

TEST_F(Levels, an_unrelated_commit_before_the_first_sql_write_moves_the_moment) {
  put("k", "old");
  put("l", "old");
  const Tx one = begin();
  EXPECT_EQ(get(one, "k"), "old");
  put("l", "new");
  set_row(one, 1, 1);
  EXPECT_EQ(get(one, "l"), "new") << "all tiers stand at the moment of the first SQL write now";
  EXPECT_EQ(thrown([&] { one->commit(); }), std::nullopt);
}

TEST_F(Levels, an_unrelated_sql_commit_before_the_first_sql_read_moves_the_moment) {
  put("l", "old");
  const Tx one = begin();
  EXPECT_EQ(get(one, "k"), "-");
  sql("UPDATE t SET v = 7 WHERE k = 1");
  put("l", "new");
  EXPECT_EQ(row(one, 1), 7);
  EXPECT_EQ(get(one, "l"), "new") << "rows and keys are read at one moment";
  const Tx two = begin();
  EXPECT_EQ(get(two, "l"), "new");
  put("l", "newer");
  sql("UPDATE t SET v = 8 WHERE k = 1");
  EXPECT_EQ(thrown([&] { row(two, 1); }), ErrorCode::conflict);
}

TEST_F(Levels, events_read_stay_at_one_moment_when_the_moment_moves) {
  auto append = [](const Tx& tx, const char* event) {
    tx->statement([&] { tx->writes().late(testing::numbered_append(Keyspace::events, "sequence", "stream/", event)); });
  };
  auto read = [](const Tx& tx) {
    return tx->statement([&] {
      int events = 0;
      for (auto scan = tx->scan(Keyspace::events, {"stream/", "stream0"}, ScanRecord::none); scan->next();)
        ++events;
      tx->note_moment(Keyspace::events, "sequence");
      return events;
    });
  };
  const Tx one = begin();
  EXPECT_EQ(read(one), 0);
  const Tx two = begin();
  append(two, "event");
  set_row(two, 1, 1);
  two->commit();
  // Either it conflicts, or it must not see the row of the commit whose event it did not see.
  const auto outcome = thrown([&] { set_row(one, 2, 2); });
  if (outcome) {
    EXPECT_EQ(*outcome, ErrorCode::conflict);
  } else {
    EXPECT_EQ(row(one, 1), 0) << "the events were read at one moment and the rows at a later one";
  }
}

TEST_F(Levels, appends_do_not_conflict_and_get_consecutive_numbers) {
  auto append = [](const Tx& tx) {
    tx->statement([&] { tx->writes().late(testing::numbered_append(Keyspace::events, "sequence", "stream/", "event")); });
  };
  const Tx one = begin();
  const Tx two = begin();
  append(one);
  append(two);
  append(one);
  two->commit();
  one->commit();
  int events = 0;
  const Tx reader = begin();
  reader->statement([&] {
    for (auto scan = reader->scan(Keyspace::events, {"stream/", "stream0"}); scan->next(); ++events) {
      std::string number = "stream/" + std::string(7, '\0') + static_cast<char>(events);
      EXPECT_EQ(scan->key(), number);
    }
  });
  EXPECT_EQ(events, 3);
}

TEST_F(Levels, merges_do_not_conflict_and_add_up) {
  auto add = [](const Tx& tx, std::int64_t amount) {
    tx->statement([&] { tx->writes().merge(Keyspace::cache, "counter", Merge::add, amount); });
  };
  const Tx one = begin();
  const Tx two = begin();
  add(one, 5);
  add(two, 7);
  one->commit();
  two->commit();
  std::string value;
  ASSERT_TRUE(store_->latest()->get(Keyspace::cache, "counter", value));
  EXPECT_EQ(value, std::string("\x0c\0\0\0\0\0\0\0", 8));
}

TEST_F(Levels, a_snapshot_stays_where_it_is_in_all_tiers) {
  put("k", "old");
  const auto at = store_->snapshot({});
  const Tx tx = begin();
  set_row(tx, 1, 9);
  put(tx, "k", "new");
  tx->commit();
  EXPECT_EQ(row(at, 1), 0);
  EXPECT_EQ(get(at, "k"), "old");
  EXPECT_EQ(thrown([&] { put(at, "k", "x"); }), ErrorCode::readonly);
  EXPECT_EQ(thrown([&] { set_row(at, 1, 1); }), ErrorCode::readonly);
  const auto later = store_->snapshot({});
  EXPECT_EQ(row(later, 1), 9);
  EXPECT_EQ(get(later, "k"), "new");
}

TEST_F(Levels, a_transaction_sees_its_own_writes) {
  const Tx tx = begin();
  put(tx, "b", "1");
  put(tx, "a", "1");
  set_row(tx, 1, 3);
  EXPECT_EQ(get(tx, "a"), "1");
  EXPECT_EQ(row(tx, 1), 3);
  EXPECT_EQ(scan(tx, "a", "c"), "a b ");
  EXPECT_EQ(get("a"), "-") << "nobody else does";
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 0);
}

}  // namespace
}  // namespace stele::transaction
