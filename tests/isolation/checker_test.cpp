// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The checker itself: forged histories with one anomaly each, and sound ones.
#include "tests/isolation/history.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stele::isolation {
namespace {

const Key x{Tier::row, 1};
const Key y{Tier::document, 1};
const Key s{Tier::stream, 1};

Operation append(const Key& key, Element element) { return {Operation::Kind::append, key, element, {}}; }
Operation read(const Key& key, std::vector<Element> list) { return {Operation::Kind::read, key, 0, std::move(list)}; }

/// All at the same time unless ordered.
Attempt transaction(std::vector<Operation> operations, std::uint64_t begin = 0, std::uint64_t end = 1000) {
  return {std::move(operations), Outcome::committed, begin, end};
}
Attempt aborted(std::vector<Operation> operations) { return {std::move(operations), Outcome::aborted, 0, 1000}; }
Attempt last(std::vector<Operation> operations) { return {std::move(operations), Outcome::committed, 2000, 2001}; }

/// The kind of the first anomaly; empty: none.
std::string kind(const History& history, Level level = Level::serializable) {
  const auto anomalies = check(history, level);
  return anomalies.empty() ? "" : anomalies.front().kind;
}

TEST(Checker, accepts_a_serial_history) {
  EXPECT_EQ(kind({transaction({append(x, 1), append(y, 2)}, 0, 1), transaction({read(x, {1}), append(y, 3)}, 2, 3),
                  transaction({append(x, 4), read(x, {1, 4}), read(y, {2, 3})}, 4, 5),
                  last({read(x, {1, 4}), read(y, {2, 3})})}),
            "");
}

TEST(Checker, accepts_concurrent_transactions_that_have_an_order) {
  EXPECT_EQ(
      kind({transaction({append(x, 1)}), transaction({read(x, {}), append(y, 2)}), last({read(x, {1}), read(y, {2})})}),
      "");
}

TEST(Checker, finds_writes_in_two_orders) {  // G0
  EXPECT_EQ(kind({transaction({append(x, 1), append(y, 2)}), transaction({append(x, 3), append(y, 4)}),
                  last({read(x, {1, 3}), read(y, {4, 2})})}),
            "G0");
}

TEST(Checker, finds_a_read_of_what_was_aborted) {  // G1a
  EXPECT_EQ(kind({aborted({append(x, 1)}), transaction({read(x, {1})}), last({read(x, {1})})}), "G1a");
}

TEST(Checker, finds_a_read_of_what_was_rolled_back_to_a_savepoint) {  // G1a: nobody appended it
  EXPECT_EQ(kind({transaction({append(x, 1)}), last({read(x, {1, 9})})}), "G1a");
}

TEST(Checker, finds_a_read_of_an_unfinished_transaction) {  // G1b
  EXPECT_EQ(kind({transaction({append(x, 1), append(x, 2)}), transaction({read(x, {1})}), last({read(x, {1, 2})})}),
            "G1b");
}

TEST(Checker, finds_two_that_read_each_other) {  // G1c
  EXPECT_EQ(kind({transaction({append(x, 1), read(y, {2})}), transaction({append(y, 2), read(x, {1})}),
                  last({read(x, {1}), read(y, {2})})}),
            "G1c");
}

TEST(Checker, finds_tiers_read_at_two_moments) {  // G-single
  const History history{transaction({append(x, 1), append(y, 2)}), transaction({read(x, {}), read(y, {2})}),
                        last({read(x, {1}), read(y, {2})})};
  EXPECT_EQ(kind(history), "G-single");
  EXPECT_EQ(kind(history, Level::snapshot), "G-single");
}

TEST(Checker, finds_a_stream_read_at_another_moment_than_a_row) {  // G-single
  EXPECT_EQ(kind({transaction({append(s, 1), append(x, 2)}), transaction({read(s, {}), read(x, {2})}),
                  last({read(x, {2}), read(s, {1})})},
                 Level::snapshot),
            "G-single");
}

TEST(Checker, finds_a_lost_update) {  // G-single: both read nothing, both appended
  EXPECT_EQ(kind({transaction({read(x, {}), append(x, 1)}), transaction({read(x, {}), append(x, 2)}),
                  last({read(x, {1, 2})})},
                 Level::snapshot),
            "G-single");
}

TEST(Checker, finds_write_skew_and_allows_it_at_snapshot) {  // G2
  const History history{transaction({read(x, {}), append(y, 1)}), transaction({read(y, {}), append(x, 2)}),
                        last({read(x, {2}), read(y, {1})})};
  EXPECT_EQ(kind(history), "G2");
  EXPECT_EQ(kind(history, Level::snapshot), "");
}

TEST(Checker, finds_a_longer_cycle_of_anti_dependencies) {  // G2 over three
  const Key z{Tier::found, 1};
  EXPECT_EQ(kind({transaction({read(x, {}), append(y, 1)}), transaction({read(y, {}), append(z, 2)}),
                  transaction({read(z, {}), append(x, 3)}), last({read(x, {3}), read(y, {1}), read(z, {2})})}),
            "G2");
}

TEST(Checker, finds_a_lost_append) {
  EXPECT_EQ(kind({transaction({append(x, 1)}), transaction({append(x, 2)}), last({read(x, {2})})}), "lost");
}

TEST(Checker, finds_lists_that_do_not_continue_each_other) {
  EXPECT_EQ(kind({transaction({append(x, 1)}), transaction({append(x, 2)}), transaction({read(x, {2})}),
                  last({read(x, {1, 2})})}),
            "incompatible");
}

TEST(Checker, finds_a_transaction_that_does_not_see_its_own_append) {
  EXPECT_EQ(kind({transaction({append(x, 1), read(x, {})}), last({read(x, {1})})}), "internal");
}

TEST(Checker, finds_a_read_that_changes_within_a_transaction) {
  EXPECT_EQ(kind({transaction({append(x, 1)}), transaction({read(x, {}), read(x, {1})}), last({read(x, {1})})}),
            "internal");
}

TEST(Checker, finds_a_reader_that_misses_what_was_acknowledged) {  // a cycle of one rw and real time
  EXPECT_EQ(kind({transaction({append(x, 1)}, 0, 10), transaction({read(x, {})}, 20, 30), last({read(x, {1})})}),
            "G-single");
}

TEST(Checker, finds_writes_against_real_time) {
  EXPECT_EQ(kind({transaction({append(x, 1)}, 20, 30), transaction({append(x, 2)}, 0, 10), last({read(x, {1, 2})})}),
            "realtime");
}

TEST(Checker, allows_what_the_end_of_a_stream_does_not_bind) {
  const Key r{Tier::stream, 2};
  EXPECT_EQ(kind({transaction({read(s, {}), append(r, 1)}), transaction({read(r, {}), append(s, 2)}),
                  last({read(s, {2}), read(r, {1})})}),
            "");
}

}  // namespace
}  // namespace stele::isolation
