// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/listener.h"

#include "backends/rocksdb/errors.h"

#include <rocksdb/listener.h>

#include <algorithm>

namespace stele::rocks {

namespace {

std::string_view operation_of(rocksdb::BackgroundErrorReason reason) {
  switch (reason) {
    case rocksdb::BackgroundErrorReason::kFlush:
    case rocksdb::BackgroundErrorReason::kFlushNoWAL: return "flush of a memory table";
    case rocksdb::BackgroundErrorReason::kCompaction: return "compaction";
    case rocksdb::BackgroundErrorReason::kWriteCallback: return "write";
    case rocksdb::BackgroundErrorReason::kMemTable: return "write to a memory table";
    case rocksdb::BackgroundErrorReason::kManifestWrite:
    case rocksdb::BackgroundErrorReason::kManifestWriteNoWAL: return "write of the manifest";
    default: return "background work";
  }
}

void take(std::atomic<std::uint32_t>& figure, std::uint32_t amount) {
  std::uint32_t now = figure.load(std::memory_order_relaxed);
  while (!figure.compare_exchange_weak(now, now - std::min(now, amount), std::memory_order_relaxed)) {
  }
}

class Listener final : public rocksdb::EventListener {
 public:
  Listener(std::shared_ptr<FileGate> gate, std::shared_ptr<Load> load, std::string path)
      : gate_(std::move(gate)), load_(std::move(load)), path_(std::move(path)) {}

  void OnMemTableSealed(const rocksdb::MemTableInfo& info) override {
    if (KeyspaceLoad* load = find(info.cf_name)) {
      load->memory.store(0, std::memory_order_relaxed);
      load->waiting.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    if (KeyspaceLoad* load = find(info.cf_name)) load->flushing.store(load->waiting.load());
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    if (KeyspaceLoad* load = find(info.cf_name)) {
      take(load->waiting, load->flushing.load());
      load->level0_files.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) override {
    if (!info.status.ok() || info.base_input_level != 0) return;
    KeyspaceLoad* load = find(info.cf_name);
    if (load == nullptr) return;
    const auto gone = static_cast<std::uint32_t>(
        std::count_if(info.input_file_infos.begin(), info.input_file_infos.end(),
                      [](const rocksdb::CompactionFileInfo& file) { return file.level == 0; }));
    take(load->level0_files, gone);
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    gate_->failure.report(error_of(*status, operation_of(reason), path_));
  }

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;  // nothing is tried again after a failure
  }

 private:
  KeyspaceLoad* find(const std::string& name) {
    const auto found = std::find(storage::keyspace_names.begin(), storage::keyspace_names.end(), name);
    if (found == storage::keyspace_names.end()) return nullptr;
    return &(*load_)[static_cast<std::size_t>(found - storage::keyspace_names.begin())];
  }

  std::shared_ptr<FileGate> gate_;
  std::shared_ptr<Load> load_;
  std::string path_;
};

}  // namespace

std::shared_ptr<rocksdb::EventListener> make_listener(std::shared_ptr<FileGate> gate, std::shared_ptr<Load> load,
                                                      std::string path) {
  return std::make_shared<Listener>(std::move(gate), std::move(load), std::move(path));
}

}  // namespace stele::rocks
