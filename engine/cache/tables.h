// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/cache/memory_cache.h"
#include "engine/cache/table.h"
#include "engine/cache/use_order.h"
#include "engine/transaction/transaction.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::cache {

class MemoryOfTransaction;

/// Keys on disk. Cache 0 has none.
class DiskTable final : public Table {
 public:
  /// `own`: the transaction that the reader is, or null: then only for reading.
  /// `order`: of a bounded cache, else null.
  DiskTable(transaction::Reader& reader, transaction::Transaction* own, std::uint64_t cache,
            std::shared_ptr<UseOrder> order = nullptr);

  std::int64_t now() override { return reader_.time_us(); }
  bool read(std::string_view key, Entry& entry) override;
  void update(std::string_view key, Change change) override;
  void write(std::string_view key, std::optional<Entry> entry) override;
  std::string scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) override;
  void flush() override;
  void erase(std::string_view store_key);
  /// Removes what is beyond the bounds.
  void evict() { evict(std::nullopt, 0); }

 private:
  bool read(std::string_view key, Entry& entry, transaction::Record record);
  void evict(std::optional<std::string_view> key, std::size_t value_bytes);
  void note(std::optional<std::string> key, std::optional<std::uint64_t> value_bytes);
  const OwnUse& own_use();

  transaction::Reader& reader_;
  transaction::Transaction* own_;
  std::uint64_t cache_;
  std::shared_ptr<UseOrder> order_;
  std::string key_;
  std::string bytes_;
};

/// Keys in memory, inside a transaction: what it has written is laid over them, and applied when it commits. What it
/// has read is checked then: at Isolation::snapshot only what it has written, too, or changed.
class MemoryInTransaction final : public Table {
 public:
  MemoryInTransaction(transaction::Transaction& own, std::shared_ptr<MemoryCache> cache);

  std::int64_t now() override { return own_.time_us(); }
  bool read(std::string_view key, Entry& entry) override;
  void update(std::string_view key, Change change) override;
  void write(std::string_view key, std::optional<Entry> entry) override;
  std::string scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) override;
  void flush() override;

 private:
  transaction::Transaction& own_;
  std::shared_ptr<MemoryCache> cache_;
  std::shared_ptr<MemoryOfTransaction> beside_;
};

}  // namespace stele::cache
