// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/hnsw/snapshot.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>

namespace stele::hnsw {

using namespace storage;

namespace {

constexpr std::string_view magic = "STELEGR1";
constexpr Row block_rows = 4096;
constexpr std::size_t unused_bytes = 4;  // at a node's end
constexpr std::uint32_t header_bytes_max = 1u << 20;

std::string encoded(const SnapshotHeader& header) {
  std::string rest;
  append_fixed<std::uint32_t>(rest, header.shape.dimensions);
  append_fixed<std::uint8_t>(rest, static_cast<std::uint8_t>(header.shape.metric));
  append_fixed<std::uint8_t>(rest, static_cast<std::uint8_t>(header.shape.quantization));
  append_fixed<std::uint16_t>(rest, static_cast<std::uint16_t>(header.shape.m));
  append_fixed<std::uint32_t>(rest, header.shape.ef_construction);
  append_fixed<std::uint32_t>(rest, header.rows);
  append_fixed<std::uint32_t>(rest, header.entry.row);
  append_fixed<std::int32_t>(rest, header.entry.level);
  append_sized(rest, header.tag);
  rest.append(reinterpret_cast<const char*>(header.mean.data()), header.mean.size() * sizeof(float));
  std::string out(magic);
  append_fixed<std::uint32_t>(out, static_cast<std::uint32_t>(rest.size()));
  out += rest;
  append_fixed<std::uint64_t>(out, checksum(out));
  return out;
}

/// The part behind the magic and the length; false when it is not one.
bool decode(std::string_view rest, SnapshotHeader& header) {
  ByteReader reader(rest);
  std::uint8_t metric = 0, quantization = 0;
  std::uint16_t m = 0;
  std::int32_t level = 0;
  std::string_view tag;
  if (!reader.fixed(header.shape.dimensions) || !reader.fixed(metric) || !reader.fixed(quantization) ||
      !reader.fixed(m) || !reader.fixed(header.shape.ef_construction) || !reader.fixed(header.rows) ||
      !reader.fixed(header.entry.row) || !reader.fixed(level) || !reader.sized(tag))
    return false;
  if (metric > 2 || quantization > 2 || level < 0 || level > level_max || header.entry.row >= header.rows) return false;
  header.shape.metric = static_cast<Metric>(metric);
  header.shape.quantization = static_cast<Quantization>(quantization);
  header.shape.m = m;
  header.entry.level = level;
  header.tag = tag;
  const std::size_t floats = header.shape.quantization == Quantization::none ? 0 : header.shape.dimensions;
  if (reader.rest().size() != floats * sizeof(float)) return false;
  header.mean.resize(floats);
  std::memcpy(header.mean.data(), reader.rest().data(), reader.rest().size());
  return std::all_of(header.mean.begin(), header.mean.end(), [](float x) { return std::isfinite(x); });
}

std::string encoded_block(const Graph& graph, Row first, Row rows) {
  const GraphView& view = graph.view();
  std::string payload;
  for (Row row = first; row < std::min(rows, first + block_rows); ++row) {
    payload.append(view.links(row, 0), view.node_bytes - unused_bytes);
    append_fixed<std::uint8_t>(payload, static_cast<std::uint8_t>(graph.level_of(row)));
    for (int level = 1; level <= graph.level_of(row); ++level) payload.append(view.links(row, level), view.upper_bytes);
  }
  std::string out;
  append_fixed<std::uint32_t>(out, first);
  append_fixed<std::uint32_t>(out, static_cast<std::uint32_t>(payload.size()));
  out += payload;
  append_fixed<std::uint64_t>(out, checksum(out));
  return out;
}

/// What a walk relies on, once all nodes are there.
std::optional<std::string> unsound(const Graph& graph, const SnapshotHeader& header) {
  const GraphView& view = graph.view();
  std::vector<bool> twin(header.rows);
  for (Row row = 0; row < header.rows; ++row) {
    const Row next = view.twin(row).load(std::memory_order_relaxed);
    if (next == 0) continue;
    if (next > header.rows || twin[next - 1]) return text("row ", row, " has an impossible twin");
    twin[next - 1] = true;
  }
  // No walk comes to a twin but along its chain, which so has a beginning and an end.
  if (twin[header.entry.row] || graph.level_of(header.entry.row) != header.entry.level) return "an impossible entry";
  for (Row row = 0; row < header.rows; ++row)
    for (int level = 0; level <= graph.level_of(row); ++level) {
      const Links<Reading::alone> links(view, row, level);
      const std::size_t most = (level == 0 ? 2 : 1) * header.shape.m;
      if (static_cast<std::size_t>(links.end() - links.begin()) > most) return text("row ", row, " has too many links");
      for (const Row link : links)
        if (link >= header.rows || link == row || twin[link] || graph.level_of(link) < level)
          return text("row ", row, " has an impossible link");
    }
  return std::nullopt;
}

}  // namespace

void write_snapshot(const std::string& path, const SnapshotHeader& header, const Graph& graph) {
  const std::string temporary = path + ".tmp";
  remove_file(temporary);
  {
    const File file = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL);
    std::uint64_t at = 0;
    const auto append = [&](const std::string& bytes) {
      write_all_at(file, temporary, bytes, at);
      at += bytes.size();
    };
    append(encoded(header));
    for (std::uint64_t first = 0; first < header.rows; first += block_rows)
      append(encoded_block(graph, static_cast<Row>(first), header.rows));
    sync_data(file, temporary);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail_errno("rename", temporary, errno);
  const auto slash = path.rfind('/');
  sync_directory(slash == std::string::npos ? "." : path.substr(0, slash));
}

SnapshotReader::SnapshotReader(const std::string& path) : path_(path) {
  if (!exists(path)) {
    why_not_ = "there is no file";
    return;
  }
  file_ = open_file(path, O_RDONLY);
  size_ = file_size(path);
  std::string start, rest, sum;
  std::uint32_t bytes = 0;
  std::uint64_t expected = 0;
  SnapshotHeader header;
  if (!read(magic.size() + sizeof bytes, start) || !start.starts_with(magic)) {
    why_not_ = "it does not begin as one";
    return;
  }
  std::memcpy(&bytes, start.data() + magic.size(), sizeof bytes);
  if (bytes > header_bytes_max || !read(bytes, rest) || !read(sizeof expected, sum)) {
    why_not_ = "its header is cut off";
    return;
  }
  std::memcpy(&expected, sum.data(), sizeof expected);
  if (checksum(start + rest) != expected || !decode(rest, header)) {
    why_not_ = "its header is damaged";
    return;
  }
  header_ = std::move(header);
}

std::optional<std::string> SnapshotReader::read_into(Graph& graph) {
  for (std::uint64_t first = 0; first < header_->rows; first += block_rows)
    if (auto wrong = read_block(graph, static_cast<Row>(first))) return text("block of row ", first, ": ", *wrong);
  if (at_ != size_) return "something follows its end";
  if (auto wrong = unsound(graph, *header_)) return wrong;
  graph.restore(header_->entry);
  return std::nullopt;
}

std::optional<std::string> SnapshotReader::read_block(Graph& graph, Row first) {
  const GraphView& view = graph.view();
  std::string start, payload, sum;
  std::uint32_t row_there = 0, bytes = 0;
  std::uint64_t expected = 0;
  if (!read(sizeof row_there + sizeof bytes, start)) return "cut off";
  ByteReader head(start);
  head.fixed(row_there);
  head.fixed(bytes);
  if (!read(bytes, payload) || !read(sizeof expected, sum)) return "cut off";
  std::memcpy(&expected, sum.data(), sizeof expected);
  if (checksum(start + payload) != expected) return "damaged";
  if (row_there != first) return "out of its place";
  ByteReader reader(payload);
  for (Row row = first; row < std::min<std::uint64_t>(header_->rows, std::uint64_t{first} + block_rows); ++row) {
    std::string_view node, lists;
    std::uint8_t level = 0;
    if (!reader.bytes(view.node_bytes - unused_bytes, node) || !reader.fixed(level) || level > level_max ||
        !reader.bytes(level * view.upper_bytes, lists))
      return text("row ", row, " is malformed");
    std::memcpy(view.links(row, 0), node.data(), node.size());
    graph.restore(row, level);
    if (level > 0) std::memcpy(view.links(row, 1), lists.data(), lists.size());
  }
  if (!reader.empty()) return "longer than its rows";
  return std::nullopt;
}

bool SnapshotReader::read(std::uint64_t size, std::string& out) {
  if (size > size_ - at_) return false;
  out.resize(size);
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t got = ::pread(file_.fd(), out.data() + done, size - done, static_cast<off_t>(at_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("pread", path_, errno);
    if (got == 0) return false;
    done += static_cast<std::uint64_t>(got);
  }
  at_ += size;
  return true;
}

}  // namespace stele::hnsw
