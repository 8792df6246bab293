// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Under a budget of 16 MB a pipeline over much more holds little more than that: measured at the allocator while it
// runs.
#include "tests/pipeline/pipeline_case.h"

#include <malloc.h>

#include <atomic>

namespace stele::pipeline {
namespace {

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// 40 MB of documents, made as they are read. Sees how much memory is in use meanwhile.
class ManySources final : public Sources {
 public:
  std::atomic<std::size_t> most_in_use{0};
  Opened open(const SourceName&, const Request& request) override {
    Opened opened;
    for (unsigned i = 0; i < request.parts; ++i)
      opened.cursors.push_back(std::make_unique<Made>(*this, request.filter, count * i / request.parts,
                                                      count * (i + 1) / request.parts));
    return opened;
  }
  void measure() {
    const std::size_t now = bytes_in_use();
    for (std::size_t most = most_in_use; now > most && !most_in_use.compare_exchange_weak(most, now);) {
    }
  }
  bool seeks(const SourceName&, const model::Path&) override { return false; }
  std::unique_ptr<Target> target(const std::string&) override { return std::make_unique<Nowhere>(); }

 private:
  static constexpr std::uint64_t count = 120'000;
  class Made final : public Cursor {
   public:
    Made(ManySources& sources, const model::Filter& filter, std::uint64_t begin, std::uint64_t end)
        : sources_(sources), filter_(filter), number_(begin), end_(end) {}
    std::optional<std::string_view> next() override {
      for (;;) {
        const auto text = made();
        if (!text || filter_.matches_json(*text, scratch_)) return text;
      }
    }

   private:
    std::optional<std::string_view> made() {
      if (number_ % 1000 == 0) sources_.measure();
      if (number_ == end_) return std::nullopt;
      text_ = R"({"_id":)" + std::to_string(number_) + R"(,"k":)" + std::to_string(number_ * 7919 % 200'003) +
              R"(,"s":")" + std::string(250, static_cast<char>('a' + number_ % 26)) + "\"}";
      ++number_;
      return text_;
    }

    ManySources& sources_;
    const model::Filter& filter_;
    model::Scratch scratch_;
    std::uint64_t number_, end_;
    std::string text_;
  };
  struct Nowhere final : Target {
    void clear() override {}
    void insert(const Value&) override {}
    void replace(const Value&) override {}
    std::optional<Value> find(const Value&, const std::vector<model::Path>&) override { return std::nullopt; }
    bool is_unique(const std::vector<model::Path>&) override { return true; }
  };
};

class MemoryTest : public ::testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { mallopt(M_ARENA_MAX, 1); }  // the only one that is measured
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's own allocator is not measured";
#endif
  }
};

INSTANTIATE_TEST_SUITE_P(
    Stages, MemoryTest,
    ::testing::Values(
        R"([{"$sort":{"k":1}}])", R"([{"$sort":{"k":1}},{"$limit":90000}])",
        R"([{"$group":{"_id":"$k","s":{"$first":"$s"},"n":{"$sum":1}}}])",
        R"([{"$group":{"_id":{"$mod":["$k",1000]},"all":{"$push":"$s"}}}])",
        R"([{"$group":{"_id":"$s","ids":{"$addToSet":"$k"}}}])",
        R"([{"$facet":{"n":[{"$count":"n"}],"top":[{"$sort":{"k":-1}},{"$limit":3}]}}])",
        R"([{"$bucketAuto":{"groupBy":"$k","buckets":5}}])",
        R"([{"$setWindowFields":{"partitionBy":{"$mod":["$k",500]},"sortBy":{"k":1},"output":{"r":{"$rank":{}}}}}])",
        R"([{"$lookup":{"from":"d","localField":"k","foreignField":"k","as":"d"}},{"$limit":2}])",
        R"([{"$sample":{"size":150000}}])", R"([{"$merge":"x"}])"));

TEST_P(MemoryTest, StaysNearTheBudget) {
  testing::TemporaryDirectory directory;
  Settings settings;
  settings.memory_bytes = std::size_t{16} << 20;
  settings.spill_directory = directory.path();
  ManySources sources;
  const Pipeline pipeline = Pipeline::parse(GetParam());
  const std::size_t before = bytes_in_use();
  Results results(sources, SourceName::parse(Value("c"), "test"), pipeline, settings);
  for (int i = 0; results.next(); ++i)
    if (i % 1000 == 0) sources.measure();
  const std::size_t used = sources.most_in_use - before;
  EXPECT_GT(used, std::size_t{1} << 20) << "it held nothing: is it measured?";
  EXPECT_LT(used, std::size_t{24} << 20) << GetParam();
}

}  // namespace
}  // namespace stele::pipeline
