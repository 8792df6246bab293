// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A graph's file: what was saved comes back, and nothing else does.
#include "backends/hnsw/open.h"
#include "engine/base/checksum.h"
#include "engine/base/files.h"
#include "tests/support/temporary_directory.h"
#include "tests/vectors/index_fixture.h"

#include <fcntl.h>

#include <cstring>

namespace stele::storage {
namespace {

using vectors_test::Data;
using vectors_test::make;
using vectors_test::Numbers;

class GraphFile : public ::testing::Test {
 protected:
  GraphFile() : rows_({.dimensions = 24, .metric = Metric::cosine, .m = 6, .ef_construction = 40}) {}

  void build(std::size_t count, Data data = Data::clustered) {
    vectors_ = make(data, count, 24, random_);
    rows_.put_all(vectors_);
    rows_.index({"hnsw", hnsw::make_hnsw});
    ASSERT_TRUE(rows_.index().save(path_, "tag"));
    bytes_ = read_file(path_);
  }
  LoadedVectorIndex load(std::string_view tag = "tag") {
    return hnsw::load_hnsw(rows_.shape(), {rows_.vectors(), rows_.versions()}, path_, tag);
  }
  LoadedVectorIndex load_bytes(const std::string& bytes) {
    remove_file(path_);
    write_all_at(open_file(path_, O_WRONLY | O_CREAT), path_, bytes, 0);
    return load();
  }
  std::vector<VectorHit> hits(const VectorIndex& index, const std::vector<float>& vector) {
    const auto target = prepare(rows_.shape(), vector);
    return index.search({.vector = target, .k = 10, .strategy = Strategy::graph}).hits;
  }

  Numbers random_{20};
  ::stele::testing::TemporaryDirectory directory_;
  std::string path_ = directory_ / "graph";
  Rows rows_;
  std::vector<std::vector<float>> vectors_;
  std::string bytes_;
};

TEST_F(GraphFile, a_loaded_graph_answers_as_the_saved_one_and_grows_on) {
  build(5000);  // more than a block
  auto loaded = load();
  ASSERT_TRUE(loaded.index) << loaded.why_not;
  EXPECT_EQ(loaded.index->rows(), 5000u);
  EXPECT_EQ(loaded.index->check(), std::nullopt);
  EXPECT_EQ(loaded.index->figures().quantization, rows_.index().figures().quantization);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(hits(*loaded.index, vectors_[i * 7]), hits(rows_.index(), vectors_[i * 7]));
  const auto late = random_.vector(24, 1);
  const Row row = rows_.put(late);
  loaded.index->add(row + 1);
  EXPECT_EQ(hits(*loaded.index, late).front().row, row);
}

TEST_F(GraphFile, chains_of_equal_vectors_come_back) {
  build(1500, Data::duplicates);
  auto loaded = load();
  ASSERT_TRUE(loaded.index) << loaded.why_not;
  EXPECT_EQ(loaded.index->check(), std::nullopt);
  EXPECT_EQ(hits(*loaded.index, vectors_[3]), hits(rows_.index(), vectors_[3]));
}

TEST_F(GraphFile, what_is_not_this_index_is_refused_with_a_reason) {
  build(300);
  EXPECT_EQ(load("other").why_not, "it is of another index or another moment");
  const auto other_shape = [&](VectorShape shape) {
    return hnsw::load_hnsw(shape, {rows_.vectors(), rows_.versions()}, path_, "tag").why_not;
  };
  VectorShape shape = rows_.shape();
  shape.m = 7;
  EXPECT_EQ(other_shape(shape), "it is of an index with other parameters");
  shape = rows_.shape();
  shape.metric = Metric::l2;
  EXPECT_EQ(other_shape(shape), "it is of an index with other parameters");
  RowVersions none;
  EXPECT_EQ(hnsw::load_hnsw(rows_.shape(), {rows_.vectors(), none}, path_, "tag").why_not,
            "it has rows that are not there");
  EXPECT_EQ(load_bytes(bytes_ + "x").why_not, "something follows its end");
  EXPECT_EQ(load_bytes("").why_not, "it does not begin as one");
  remove_file(path_);
  EXPECT_EQ(load().why_not, "there is no file");
}

TEST_F(GraphFile, every_flipped_bit_and_every_truncation_is_noticed) {
  build(200);
  for (int i = 0; i < 1500; ++i) {
    std::string damaged = bytes_;
    const auto at = static_cast<std::size_t>(random_.next() % (damaged.size() * 8));
    damaged[at / 8] ^= static_cast<char>(1 << at % 8);
    EXPECT_FALSE(load_bytes(damaged).index) << "bit " << at;
  }
  for (int i = 0; i < 300; ++i) {
    const auto size = static_cast<std::size_t>(random_.next() % bytes_.size());
    EXPECT_FALSE(load_bytes(bytes_.substr(0, size)).index) << "cut at " << size;
  }
}

TEST_F(GraphFile, a_forged_file_with_right_checksums_is_refused_or_searched_without_harm) {
  build(200, Data::duplicates);
  // The one block stands behind the header: 8 bytes of magic, a length, that many bytes, a checksum.
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes_.data() + 8, sizeof header_bytes);
  const std::size_t block = 8 + 4 + header_bytes + 8;
  int accepted = 0, refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string forged = bytes_;
    for (std::uint32_t changes = 1 + random_.below(3); changes > 0; --changes) {
      const std::size_t at = block + 8 + random_.below(static_cast<std::uint32_t>(forged.size() - block - 16));
      forged[at] = static_cast<char>(random_.next() >> 56);
    }
    const std::uint64_t sum = checksum(std::string_view(forged).substr(block, forged.size() - block - 8));
    std::memcpy(forged.data() + forged.size() - 8, &sum, sizeof sum);
    auto loaded = load_bytes(forged);
    ++(loaded.index ? accepted : refused);
    if (!loaded.index) continue;
    const auto found = hits(*loaded.index, vectors_[random_.below(200)]);
    EXPECT_EQ(found.size(), 10u);
    loaded.index->check();
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(GraphFile, an_empty_graph_is_not_worth_a_file) {
  rows_.index({"hnsw", hnsw::make_hnsw});
  EXPECT_FALSE(rows_.index().save(path_, "tag"));
  EXPECT_FALSE(exists(path_));
}

}  // namespace
}  // namespace stele::storage
