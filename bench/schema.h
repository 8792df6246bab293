// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The SQL that all subjects share.
#pragma once

namespace stele::bench {

inline constexpr const char* schema[] = {
    "CREATE TABLE accounts(id INTEGER PRIMARY KEY, owner TEXT, balance INT, note TEXT)",
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, account INT REFERENCES accounts(id) DEFERRABLE INITIALLY DEFERRED, "
    "amount INT, note TEXT)",
    "CREATE INDEX orders_account ON orders(account)",
};
inline constexpr const char* fill_accounts =
    "INSERT INTO accounts WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000) "
    "SELECT i, 'owner' || i, 1000, 'some note text of a moderate length' FROM c";
inline constexpr const char* update_account = "UPDATE accounts SET balance = balance - ?2 WHERE id = ?1";
inline constexpr const char* insert_order =
    "INSERT INTO orders(id, account, amount, note) VALUES(?1, ?2, ?3, 'an order note, forty bytes or so, for size')";
inline constexpr const char* select_account = "SELECT balance FROM accounts WHERE id = ?1";
inline constexpr const char* set_account = "UPDATE accounts SET balance = ?2 WHERE id = ?1";

}  // namespace stele::bench
