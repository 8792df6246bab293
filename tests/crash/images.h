// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// From a trace to what a disk may hold after a power cut. At any record of the trace, a file's content is what was
// synced, then any of: nothing more, everything, a prefix of the later writes with the last one torn at 512 bytes, or
// any subset of the 4 KiB blocks of them; for all files alike, for each its own, or one tier everything and the other
// nothing. Names (creation, renaming, removal) go with one of two models:
//   journal  as ext4 and xfs do: in order, and any sync makes all earlier ones durable
//   strict   as POSIX says: durable by a sync of their directory, or of the file itself for its own name; of the rest,
//            each directory keeps a prefix
// Acknowledgements are whole up to the record.
#pragma once

#include "tests/crash/trace.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stele::crash {

struct TraceRecord {
  TraceKind kind;
  std::uint32_t handle;
  std::uint64_t offset;
  std::string_view data;
};

/// A trace file in memory. A record cut short by the end of the process that wrote it is left out.
class Trace {
 public:
  explicit Trace(const std::filesystem::path& file);
  const std::vector<TraceRecord>& records() const { return records_; }

 private:
  std::string bytes_;
  std::vector<TraceRecord> records_;
};

/// The disk while the records of a trace go by.
class Disk {
 public:
  Disk(const Trace& trace, std::string directory) : records_(trace.records()), directory_(std::move(directory)) {}

  /// Applies records up to and with `index`. Only forward.
  void advance(std::size_t index);

  /// Writes one state that the disk may be in to `image`/store and `image`/acknowledgements; returns its name.
  std::string make_image(const std::filesystem::path& image, std::mt19937_64& random) const;

 private:
  struct File {
    std::string durable;
    std::vector<const TraceRecord*> pending;  // writes and truncations after it, in order
    std::uint64_t first = 0;                  // number of the first pending one since the file's creation
  };
  struct NameChange {
    TraceKind kind;
    std::string path;
    std::string other;
    File* file;            // null for directories
    bool durable = false;  // in the strict model
  };
  struct Names {
    std::map<std::string, File*> files;
    std::set<std::string> directories;
    void apply(const NameChange& change);
  };
  struct Handle {
    File* file = nullptr;
    std::string directory;
  };
  struct Sync {
    std::uint64_t writes;  // of the file, that had happened when it began
    std::uint64_t names;
  };
  enum class Content { none, all, prefix, blocks };
  struct Shape {
    const char* name;
    Content sql;
    Content key_value;
  };
  static const std::vector<Shape>& shapes();

  void apply(const TraceRecord& record);
  void open(const TraceRecord& record);
  void change_name(const TraceRecord& record);
  void finish_sync(const TraceRecord& record);
  Names choose_names(bool strict, bool all, std::mt19937_64& random) const;
  static std::string content(const File& file, Content how, std::mt19937_64& random);

  const std::vector<TraceRecord>& records_;
  const std::string directory_;
  std::size_t position_ = 0;

  std::deque<File> files_;
  std::map<std::uint32_t, Handle> handles_;  // of the session
  std::map<std::uint64_t, Sync> syncs_;      // begun
  Names live_;
  Names durable_;  // what the changes follow
  std::deque<NameChange> changes_;
  std::uint64_t changes_first_ = 0;  // number of the first
  std::uint64_t journaled_ = 0;      // in the journal model, changes below this number are durable
  std::string acknowledgements_;
};

}  // namespace stele::crash
