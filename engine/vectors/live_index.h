// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/store.h"
#include "engine/vectors/index_files.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace stele::vectors {

/// What stands in memory of one index: the generation that answers, and a thread that keeps it up: reads it from the
/// store, moves pending rows into the graph, makes a worn one anew beside the one that answers, and saves it. Nothing
/// of it is ever needed: while there is no generation, or none that knows a reader's moment, the reader compares with
/// the vectors in the store.
class LiveIndex {
 public:
  static constexpr std::size_t pending_max = 50'000;

  LiveIndex(transaction::Store& store, std::uint64_t id, const storage::VectorShape& shape,
            const storage::VectorIndexBackend& backend);
  ~LiveIndex() { stop(); }
  LiveIndex(const LiveIndex&) = delete;

  /// The thread begins; again after stop().
  void start();
  void stop() noexcept;

  /// Saves what changed since the last save, when that is worth it. After stop().
  void save() noexcept;
  void remove_files() const noexcept { files_.remove_all(); }

  /// In the order of commits (Follower).
  void changed(std::string_view id_element, const transaction::Follower::Floats& vector, std::uint64_t gseq) noexcept;

  void touched(std::uint64_t gseq) noexcept;

  /// The generation that answers readers at that moment; null: none does.
  std::shared_ptr<const Generation> at(std::uint64_t moment) const;

  /// Waits while more than pending_max rows are pending.
  void admit();
  /// Returns when everything that was committed before is in the graph; false: not by then.
  bool wait_applied(const Interrupt& interrupt);

  struct Figures {
    Generation::Figures rows;
    std::optional<Calibration> calibration;
    std::string state;  // loading, exact (so few that no graph is made), building, ready, rebuilding
    std::string failure;
    std::uint64_t rebuilds = 0;
    std::uint64_t saved_gseq = 0;  // 0: not since it was opened
    std::string rebuilt_because;   // of what the file was like; empty: it was used, or there was none
  };
  Figures figures() const;
  /// What is wrong with the graph, if anything; waits for the thread's next pause.
  std::optional<std::string> check(const Interrupt& interrupt);

 private:
  struct Missed {
    std::string id_element;
    transaction::Follower::Floats vector;
    std::uint64_t gseq;
  };
  enum class Install : std::uint8_t { current, next };

  void run() noexcept;
  /// Something done: true.
  bool work();
  void load(Install as);
  std::shared_ptr<Generation> read(transaction::Reader& reader);
  void catch_up(const std::shared_ptr<Generation>& generation, Install as);
  bool remake(const std::shared_ptr<Generation>& next, unsigned threads);
  void lose(const std::string& why) noexcept;
  std::uint64_t changes(const Generation& generation) const;
  void save(Generation& generation);
  void keep_files(Generation& generation);
  std::uint64_t moment_now();
  void trim(std::uint64_t gseq);
  bool stopping() const;
  void stop_if_asked() const;
  void wake() noexcept;
  std::size_t pending() const;

  transaction::Store& store_;
  const std::uint64_t id_;
  const storage::VectorShape shape_;
  const storage::VectorIndexBackend& backend_;
  IndexFiles files_;
  std::uint64_t saved_changes_ = 0;  // of the thread
  bool loaded_ = false;              // likewise: the files were asked

  mutable std::mutex mutex_;             // the last lock: held shortly, also under the order lock
  std::shared_ptr<Generation> current_;  // answers
  std::shared_ptr<Generation> next_;     // follows, and is to answer
  bool capturing_ = false;               // a generation is being read, and misses what commits meanwhile:
  std::vector<Missed> missed_;
  std::string failure_;
  std::uint64_t touched_ = 0;  // the last commit that changed documents
  std::uint64_t rebuilds_ = 0;
  std::uint64_t saved_gseq_ = 0;
  std::string rebuilt_because_;
  bool lost_ = false;  // what was in memory is not to be trusted
  bool stop_ = false;
  bool idle_ = false;  // the thread waits
  bool more_ = false;  // for it to do
  bool check_wanted_ = false;
  std::optional<std::optional<std::string>> checked_;
  std::condition_variable wake_;
  std::condition_variable progress_;

  std::mutex ends_;  // held while the thread begins or ends
  std::thread thread_;
};

}  // namespace stele::vectors
