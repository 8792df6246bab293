// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The bytes that outlive the process: outbox rows, markers, the durable floor.
#include "engine/base/files.h"
#include "engine/transaction/durable_floor.h"
#include "engine/transaction/outbox.h"
#include "tests/transaction/directory.h"

#include <gtest/gtest.h>

#include <string>

namespace stele::transaction {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string encoded_batch(std::string_view key, std::string_view value) {
  storage::Batch batch;
  batch.put(Keyspace::documents, key, value);
  std::string out;
  batch.encode(out);
  return out;
}

OutboxRow example(const std::string& batch) {
  OutboxRow row{7, 4, 3, 2, {}, origin_of({"0f8fad5b-d9cb-469f-a165-70867728950e", 5})};
  row.entries.push_back({6, 5, {}, batch});
  row.entries.push_back({7, 7, LargeFile{"0b7c2f7e-93f1-4c5e-8a55-0d1f6a3f2b11", 300'000, 99}, batch});
  return row;
}

TEST(Outbox, a_row_that_names_a_file_outside_the_directory_of_large_files_is_corrupt) {
  OutboxRow row{9, 3, 2, 1, {}};
  row.entries.push_back({7, 7, LargeFile{"../../../../../../../../etc/passwd-x", 3, 9}, ""});
  EXPECT_THROW(decode_outbox_row(encode(row), 5), Error);
}

TEST(Outbox, a_row_comes_back_as_it_was) {
  const std::string batch = encoded_batch("k", "v");
  const std::string bytes = encode(example(batch));
  const OutboxRow row = decode_outbox_row(bytes, 1);
  EXPECT_EQ(row.gseq, 7u);
  EXPECT_EQ(row.prev, 4u);
  EXPECT_EQ(row.durable, 3u);
  EXPECT_EQ(row.key_value_durable, 2u);
  EXPECT_EQ(uuid_text(row.origin.store_id), "0f8fad5b-d9cb-469f-a165-70867728950e");
  EXPECT_EQ(row.origin.epoch, 5u);
  ASSERT_EQ(row.entries.size(), 2u);
  EXPECT_EQ(row.entries[0].gseq, 6u);
  EXPECT_EQ(row.entries[0].previous_sql, 5u);
  EXPECT_FALSE(row.entries[0].file);
  EXPECT_EQ(row.entries[0].batch, batch);
  ASSERT_TRUE(row.entries[1].file);
  EXPECT_EQ(row.entries[1].file->name, "0b7c2f7e-93f1-4c5e-8a55-0d1f6a3f2b11");
  EXPECT_EQ(row.entries[1].file->size, 300'000u);
  EXPECT_EQ(row.entries[1].file->checksum, 99u);
}

TEST(Outbox, a_row_without_entries_is_69_bytes) {
  const std::string bytes = encode(OutboxRow{1, 0, 0, 0, {}});
  EXPECT_EQ(bytes.size(), 69u);
  EXPECT_TRUE(decode_outbox_row(bytes, 0).entries.empty());
}

// Stores written by an older library must be read by a newer one: these bytes never change.
TEST(Outbox, golden_bytes) {
  const OutboxRow empty{0x0102030405060708, 9, 10, 11, {}};
  EXPECT_EQ(hex(encode(empty)),
            "01"
            "0807060504030201"
            "0900000000000000"
            "0a00000000000000"
            "0b00000000000000"
            "00000000000000000000000000000000"
            "0000000000000000"
            "00000000"
            "3ba02510b3999b80");
  EXPECT_EQ(hex(encode(example(encoded_batch("k", "v")))),
            "01"
            "0700000000000000"
            "0400000000000000"
            "0300000000000000"
            "0200000000000000"
            "0f8fad5bd9cb469fa16570867728950e"
            "0500000000000000"
            "02000000"
            "0600000000000000"
            "0500000000000000"
            "00"
            "0f"
            "010001016b0176ba249fcfd504ac95"
            "0700000000000000"
            "0700000000000000"
            "01"
            "2430623763326637652d393366312d346335652d386135352d306431663661336632623131"
            "e093040000000000"
            "6300000000000000"
            "0f"
            "010001016b0176ba249fcfd504ac95"
            "b8a98b7a6f74b048");
  EXPECT_EQ(hex(encode(Marker{1, 0x0203})),
            "0100000000000000"
            "0302000000000000");
}

TEST(Outbox, every_damaged_byte_is_refused) {
  const std::string bytes = encode(example(encoded_batch("k", "v")));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      try {
        decode_outbox_row(damaged, 5);
        FAIL() << "byte " << i << " flipped by " << flip << " went unnoticed";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::corrupt);
        EXPECT_EQ(error.detail().at("slot"), "5");
      }
    }
  }
}

TEST(Outbox, every_cut_is_refused) {
  const std::string bytes = encode(example(encoded_batch("k", "v")));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(decode_outbox_row(std::string_view(bytes).substr(0, size), 1), Error) << size;
}

TEST(Marker, comes_back_and_other_sizes_are_refused) {
  const Marker marker = decode_marker(encode(Marker{12, 11}));
  EXPECT_EQ(marker.gseq, 12u);
  EXPECT_EQ(marker.previous_sql, 11u);
  EXPECT_THROW(decode_marker(""), Error);
  EXPECT_THROW(decode_marker(std::string(15, 'x')), Error);
  EXPECT_THROW(decode_marker(std::string(17, 'x')), Error);
}

class Floors : public ::testing::Test {
 protected:
  const storage::Identity identity_{"0f8fad5b-d9cb-469f-a165-70867728950e", 1};
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/durable";
};

TEST_F(Floors, the_last_one_raised_is_found) {
  DurableFloor::create(path_, identity_);
  EXPECT_EQ(DurableFloor(path_, identity_).found().gseq, 0u);
  for (std::uint64_t gseq = 1; gseq <= 5; ++gseq) {
    DurableFloor(path_, identity_).raise({gseq * 10, static_cast<std::int64_t>(gseq)});
    const DurableFloor reopened(path_, identity_);
    EXPECT_EQ(reopened.found().gseq, gseq * 10);
    EXPECT_EQ(reopened.found().time_us, static_cast<std::int64_t>(gseq));
  }
}

TEST_F(Floors, damage_to_one_slot_falls_back_to_the_other_and_to_both_is_corrupt) {
  DurableFloor::create(path_, identity_);
  DurableFloor(path_, identity_).raise({10, 0});
  DurableFloor(path_, identity_).raise({20, 0});
  const std::string whole = read_file(path_);
  for (std::size_t i = 0; i < 80; ++i) {
    for (const std::size_t slot : {std::size_t{0}, std::size_t{4096}}) {
      std::string damaged = whole;
      damaged[slot + i] = static_cast<char>(damaged[slot + i] ^ 0x40);
      replace_file(path_, damaged);
      const std::uint64_t found = DurableFloor(path_, identity_).found().gseq;
      EXPECT_TRUE(found == 10 || found == 20) << "slot " << slot << ", byte " << i;
    }
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    damaged[4096 + i] = static_cast<char>(damaged[4096 + i] ^ 0x40);
    replace_file(path_, damaged);
    EXPECT_THROW(DurableFloor(path_, identity_), Error) << "byte " << i;
  }
}

TEST_F(Floors, another_stores_file_is_corrupt) {
  DurableFloor::create(path_, identity_);
  EXPECT_THROW(DurableFloor(path_, {"ffffffff-d9cb-469f-a165-70867728950e", 1}), Error);
  EXPECT_THROW(DurableFloor(path_, {identity_.store_id, 2}), Error);
}

TEST_F(Floors, a_missing_file_is_an_error_that_names_it) {
  try {
    DurableFloor floor(path_, identity_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("durable"), std::string::npos);
  }
}

}  // namespace
}  // namespace stele::transaction
