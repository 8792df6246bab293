// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/images.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace stele::crash {

namespace fs = std::filesystem;

namespace {

void write_at(std::string& content, std::uint64_t offset, std::string_view data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size());
  content.replace(offset, data.size(), data);
}

void apply_to(std::string& content, const TraceRecord& change) {
  if (change.kind == TraceKind::truncate) {
    content.resize(change.offset);
  } else {
    write_at(content, change.offset, change.data);
  }
}

/// Each 4 KiB block of the write by itself, or not.
void apply_blocks(std::string& content, const TraceRecord& change, std::mt19937_64& random) {
  if (change.kind == TraceKind::truncate) {
    if (random() % 2) content.resize(change.offset);
    return;
  }
  for (std::size_t at = 0; at < change.data.size();) {
    const std::size_t end =
        std::min<std::size_t>(change.data.size(), ((change.offset + at) / 4096 + 1) * 4096 - change.offset);
    if (random() % 2) write_at(content, change.offset + at, change.data.substr(at, end - at));
    at = end;
  }
}

std::string parent(const std::string& path) { return fs::path(path).parent_path().string(); }

std::string plain(std::string_view path) { return fs::path(path).lexically_normal().string(); }

}  // namespace

Trace::Trace(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  bytes_ = std::move(all).str();
  for (std::size_t at = 0; at + sizeof(TraceHeader) <= bytes_.size();) {
    TraceHeader header;
    std::memcpy(&header, bytes_.data() + at, sizeof header);
    at += sizeof header;
    if (at + header.size > bytes_.size()) break;
    records_.push_back({header.kind, header.handle, header.offset, std::string_view(bytes_).substr(at, header.size)});
    at += header.size;
  }
}

// What is and what is durable

void Disk::advance(std::size_t index) {
  for (; position_ <= index && position_ < records_.size(); ++position_) apply(records_[position_]);
}

void Disk::apply(const TraceRecord& record) {
  switch (record.kind) {
    case TraceKind::session:
      handles_.clear();
      syncs_.clear();
      return;
    case TraceKind::open:
    case TraceKind::create:
    case TraceKind::open_directory: return open(record);
    case TraceKind::write:
    case TraceKind::truncate: handles_.at(record.handle).file->pending.push_back(&record); return;
    case TraceKind::sync_begin: {
      const File* file = handles_.at(record.handle).file;
      syncs_[record.offset] = {file ? file->first + file->pending.size() : 0, changes_first_ + changes_.size()};
      return;
    }
    case TraceKind::sync_end: return finish_sync(record);
    case TraceKind::acknowledge: acknowledgements_ += record.data; return;
    case TraceKind::rename:
    case TraceKind::unlink:
    case TraceKind::mkdir:
    case TraceKind::rmdir: return change_name(record);
  }
}

void Disk::open(const TraceRecord& record) {
  const std::string path = plain(record.data);
  Handle& handle = handles_[record.handle];
  handle = {};
  if (record.kind == TraceKind::open_directory) {
    handle.directory = path;
  } else if (record.kind == TraceKind::open) {
    handle.file = live_.files.at(path);
  } else {
    handle.file = &files_.emplace_back();
    changes_.push_back({TraceKind::create, path, {}, handle.file});
    live_.apply(changes_.back());
  }
}

void Disk::change_name(const TraceRecord& record) {
  const std::size_t middle = record.data.find('\0');
  NameChange change{record.kind, plain(record.data.substr(0, middle)), {}, nullptr};
  if (record.kind == TraceKind::rename) change.other = plain(record.data.substr(middle + 1));
  const auto file = live_.files.find(change.path);
  if (file != live_.files.end()) change.file = file->second;
  live_.apply(change);
  changes_.push_back(std::move(change));
}

void Disk::finish_sync(const TraceRecord& record) {
  const Handle& handle = handles_.at(record.handle);
  const auto found = syncs_.find(record.offset);
  if (found == syncs_.end()) return;
  const Sync sync = found->second;
  syncs_.erase(found);
  if (File* file = handle.file; file && sync.writes > file->first) {
    const auto count = static_cast<std::ptrdiff_t>(sync.writes - file->first);
    for (std::ptrdiff_t i = 0; i < count; ++i) apply_to(file->durable, *file->pending[static_cast<std::size_t>(i)]);
    file->pending.erase(file->pending.begin(), file->pending.begin() + count);
    file->first = sync.writes;
  }
  journaled_ = std::max(journaled_, sync.names);
  for (std::uint64_t number = changes_first_; number < sync.names; ++number) {
    NameChange& change = changes_[number - changes_first_];
    const std::string& named = change.kind == TraceKind::rename ? change.other : change.path;
    const bool own_name = change.file && change.file == handle.file && change.kind != TraceKind::unlink;
    if (own_name || (!handle.directory.empty() && parent(named) == handle.directory)) change.durable = true;
  }
  for (; !changes_.empty() && changes_.front().durable; changes_.pop_front(), ++changes_first_)
    durable_.apply(changes_.front());
}

void Disk::Names::apply(const NameChange& change) {
  auto forget = [&](const std::string& path) {
    const auto found = files.find(path);
    if (found != files.end() && found->second == change.file) files.erase(found);
  };
  switch (change.kind) {
    case TraceKind::create: files[change.path] = change.file; return;
    case TraceKind::mkdir: directories.insert(change.path); return;
    case TraceKind::rmdir: directories.erase(change.path); return;
    case TraceKind::unlink: return forget(change.path);
    case TraceKind::rename:
      forget(change.path);
      files[change.other] = change.file;
      return;
    default: return;
  }
}

// What may be there after the cut

Disk::Names Disk::choose_names(bool strict, bool all, std::mt19937_64& random) const {
  Names names = durable_;
  const std::uint64_t journal_end = std::max(journaled_, changes_first_);
  const std::uint64_t end = changes_first_ + changes_.size();
  const std::uint64_t cut = all ? end : journal_end + random() % (end - journal_end + 1);
  std::map<std::string, bool> stopped;  // strict: the directory's prefix has ended
  for (std::uint64_t number = changes_first_; number < end; ++number) {
    const NameChange& change = changes_[number - changes_first_];
    bool kept = number < cut;
    if (strict && !all) {
      bool& stop = stopped[parent(change.path)];
      if (!change.durable && random() % 8 == 0) stop = true;
      kept = change.durable || !stop;
    }
    if (kept) names.apply(change);
  }
  return names;
}

std::string Disk::content(const File& file, Content how, std::mt19937_64& random) {
  std::string bytes = file.durable;
  if (how == Content::none) return bytes;
  const std::size_t whole = how == Content::prefix ? random() % (file.pending.size() + 1) : file.pending.size();
  for (std::size_t i = 0; i < whole; ++i) {
    if (how == Content::blocks) {
      apply_blocks(bytes, *file.pending[i], random);
    } else {
      apply_to(bytes, *file.pending[i]);
    }
  }
  if (whole < file.pending.size() && file.pending[whole]->kind == TraceKind::write) {
    const TraceRecord& torn = *file.pending[whole];
    write_at(bytes, torn.offset, torn.data.substr(0, random() % (torn.data.size() / 512 + 1) * 512));
  }
  return bytes;
}

const std::vector<Disk::Shape>& Disk::shapes() {
  static const std::vector<Shape> all = {
      {"nothing", Content::none, Content::none},
      {"everything", Content::all, Content::all},
      {"prefix", Content::prefix, Content::prefix},
      {"blocks", Content::blocks, Content::blocks},
      {"key-value everything, SQL nothing", Content::none, Content::all},
      {"SQL everything, key-value nothing", Content::all, Content::none},
      {"key-value prefix, SQL nothing", Content::none, Content::prefix},
      {"SQL prefix, key-value nothing", Content::prefix, Content::none},
      {"key-value everything, SQL blocks", Content::blocks, Content::all},
      {"SQL everything, key-value blocks", Content::all, Content::blocks},
  };
  return all;
}

std::string Disk::make_image(const fs::path& image, std::mt19937_64& random) const {
  const Shape& shape = shapes()[random() % shapes().size()];
  const bool strict = random() % 3 == 0;
  const bool all_names = random() % 3 == 0;
  const Names names = choose_names(strict, all_names, random);

  fs::remove_all(image);
  fs::create_directories(image);
  auto inside = [&](const std::string& path) {
    return image / "store" / fs::path(path).lexically_relative(directory_);
  };
  for (const std::string& directory : names.directories) {
    fs::create_directories(inside(directory));
    fs::permissions(inside(directory), fs::perms::owner_all);
  }
  for (const auto& [path, file] : names.files) {
    if (!path.starts_with(directory_ + "/")) continue;  // the acknowledgements
    const bool sql = path.find("/relational.db") != std::string::npos;
    const bool key_value = path.find("/kv/") != std::string::npos;
    const Content how = sql ? shape.sql : key_value ? shape.key_value : static_cast<Content>(random() % 3);
    fs::create_directories(inside(path).parent_path());
    std::ofstream(inside(path), std::ios::binary) << content(*file, how, random);
  }
  std::ofstream(image / "acknowledgements", std::ios::binary) << acknowledgements_;
  return std::string(shape.name) + ", names " + (all_names ? "all" : strict ? "strict" : "journal");
}

}  // namespace stele::crash
