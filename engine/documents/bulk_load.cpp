// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/bulk_load.h"

#include "engine/base/error.h"
#include "engine/documents/bulk_insert.h"

#include <atomic>
#include <future>
#include <string>
#include <vector>

namespace stele::documents {

namespace {

constexpr std::size_t batch_bytes = 1u << 20;

class BulkLoad {
 public:
  BulkLoad(transaction::Store& store, catalog::Catalog& catalog, std::string_view collection, const NextDocument& next,
           const json::Limits& limits, const Interrupt& interrupt)
      : store_(store),
        catalog_(catalog),
        collection_(collection),
        next_(next),
        limits_(limits),
        interrupt_(interrupt) {}

  std::uint64_t run() {
    try {
      for (std::future<Checked> ahead = check_next(); ahead.valid();) {
        const Checked batch = ahead.get();
        ahead = check_next();
        insert(batch);
      }
    } catch (const Error& error) {
      sync_what_is_there();
      Error::Detail detail = error.detail();
      detail.emplace("loaded", std::to_string(loaded_));
      const std::string_view rest = error.code() == ErrorCode::unknown_outcome ? ", and perhaps the next megabyte" : ", and no others";
      throw Error(error.code(), text(error.message(), "; of the load the first ", loaded_, " documents are there", rest),
                  std::move(detail));
    } catch (...) {
      sync_what_is_there();
      throw;
    }
    if (loaded_ > 0) store_.sync_now();
    return loaded_;
  }

 private:
  /// Beside an error already: a store that fails to sync says so at its next use.
  void sync_what_is_there() noexcept {
    try {
      if (loaded_ > 0) store_.sync_now();
    } catch (const std::exception&) {
    }
  }

  /// Invalid when there are no more.
  std::future<Checked> check_next() {
    std::vector<std::string> texts;
    for (std::size_t bytes = 0; bytes < batch_bytes;) {
      interrupt_.check();
      const auto document = next_();
      if (!document) break;
      bytes += document->size();
      texts.emplace_back(*document);
    }
    if (texts.empty()) return {};
    return std::async([this, texts = std::move(texts)] { return check_in_order(texts, limits_); });
  }

  void insert(const Checked& batch) {
    static std::atomic<int> lock_first{0};
    WriteOptions options;
    options.durability = Durability::relaxed;
    options.deadline = interrupt_.remaining();
    options.cancel = interrupt_.cancel();
    store_.write(options, lock_first, [&](const auto& own) {
      own->statement(
          [&] { bulk_insert(*own, *catalog_.find_or_create(*own, catalog::Kind::collection, collection_), batch); });
    });
    loaded_ += batch.documents.size();
  }

  transaction::Store& store_;
  catalog::Catalog& catalog_;
  const std::string_view collection_;
  const NextDocument& next_;
  const json::Limits& limits_;
  const Interrupt& interrupt_;
  std::uint64_t loaded_ = 0;
};

}  // namespace

std::uint64_t bulk_load(transaction::Store& store, catalog::Catalog& catalog, std::string_view collection,
                        const NextDocument& next, const json::Limits& limits, const Interrupt& interrupt) {
  return BulkLoad(store, catalog, collection, next, limits, interrupt).run();
}

}  // namespace stele::documents
