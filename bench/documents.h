// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The document workload: load, get, equality, range with order and limit, scan, update.
#pragma once

#include "bench/document_store.h"
#include "bench/workload.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace stele::bench {

class Documents {
 public:
  using Make = std::function<std::unique_ptr<DocumentStore>(const std::string& directory)>;

  /// Works in `directory`, which it makes. Throws when the generator is not the one it should be.
  Documents(std::string directory, std::uint32_t count);

  /// Each runs once over the subject of that name, which is loaded first where it is not. They throw when the subject
  /// delivers something else than the one before it.
  Figures load(const std::string& subject, const Make& make);
  Figures get(const std::string& subject, const Make& make);
  Figures equality(const std::string& subject, const Make& make);
  Figures range(const std::string& subject, const Make& make);
  Figures scan(const std::string& subject, const Make& make);
  Figures update(const std::string& subject, const Make& make);

 private:
  DocumentStore& of(const std::string& subject, const Make& make);
  void expect_same(const std::string& what, const Tally& tally);

  const std::string directory_;
  const std::uint32_t count_;
  std::map<std::string, std::unique_ptr<DocumentStore>> stores_;
  std::map<std::string, Tally> delivered_;
  std::map<std::string, int> updates_;
};

}  // namespace stele::bench
