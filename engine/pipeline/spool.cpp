// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/spool.h"

#include "engine/base/bytes.h"
#include "engine/pipeline/row_codec.h"

namespace stele::pipeline {

class Spool::Reading final : public Rows {
 public:
  explicit Reading(const Spool& spool) : spool_(spool) {
    constexpr std::size_t buffer_bytes = std::size_t{128} << 10;
    if (spool.file_) file_.emplace(*spool.file_, 0, spool.file_->size(), buffer_bytes);
  }

  bool next(Value& row) override {
    std::string_view record;
    if (!next_record(record)) return false;
    spool_.execution_.tick(record.size());
    ByteReader bytes(record);
    read_row(bytes, row);
    return true;
  }

 private:
  bool next_record(std::string_view& record) {
    if (file_) return file_->next(record);
    if (position_ == spool_.buffer_.size()) return false;
    std::uint32_t size;
    std::memcpy(&size, spool_.buffer_.data() + position_, sizeof size);
    record = std::string_view(spool_.buffer_).substr(position_ + sizeof size, size);
    position_ += sizeof size + size;
    return true;
  }

  const Spool& spool_;
  std::optional<SpillReader> file_;
  std::size_t position_ = 0;
};

Spool::Spool(Execution& execution, std::size_t memory_bytes, std::string what)
    : execution_(execution), memory_bytes_(memory_bytes), what_(std::move(what)) {}

void Spool::add(const Value& row) {
  row_.clear();
  append_row(row_, row);
  execution_.tick(row_.size());
  append_fixed(buffer_, static_cast<std::uint32_t>(row_.size()));
  buffer_ += row_;
  ++count_;
  if (!file_ && buffer_.size() <= memory_bytes_ / 3) return;  // while it grows there are two of it
  const Settings& settings = execution_.settings;
  if (!file_) {
    file_ = std::make_unique<SpillFile>(settings.spill_directory, settings.spill_bytes_max, what_);
    file_->append(buffer_);
    buffer_ = {};
    return;
  }
  file_->append(buffer_);
  buffer_.clear();
}

void Spool::add_all(Rows& input) {
  Value row;
  while (input.next(row)) add(row);
  if (file_) file_->flush();
}

RowsPtr Spool::rows() const { return std::make_unique<Reading>(*this); }

}  // namespace stele::pipeline
