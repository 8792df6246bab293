// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace stele::transaction {

/// What a tier keeps beside a transaction, until that ends: Transaction::attached().
class Attached {
 public:
  virtual ~Attached() = default;
  /// Before the commit point, under the order lock: `conflict` when something was changed that the transaction has read
  /// outside the stores; it stays as it is from here to release(). `all` false: only binding reads count.
  virtual void validate(bool all) { (void)all; }
  /// The transaction has ended, or validation failed. May be called again.
  virtual void release() noexcept {}
};

}  // namespace stele::transaction
