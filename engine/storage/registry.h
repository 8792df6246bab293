// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Backends by name. An embedding program may add its own before it opens a database; see
// tests/contract/outside_backend_test.cpp for the few lines it takes.
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/storage/vector_index.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace stele::storage {

using OpenKeyValue = std::function<std::unique_ptr<KeyValueStore>(const KeyValueOptions&)>;
using OpenRelational = std::function<std::unique_ptr<RelationalStore>(const RelationalOptions&)>;

/// `load` empty: its indexes are never saved.
struct VectorIndexBackend {
  MakeVectorIndex make;
  LoadVectorIndex load = {};
};

class Registry {
 public:
  /// Adding a name that is there replaces it. Not for use beside open(). `on_disk` is what its stores with a directory
  /// offer: asked before a database is made, so that a backend that cannot hold one leaves nothing behind.
  void add_key_value(std::string name, OpenKeyValue open, Capabilities on_disk = {}) {
    capabilities_[name] = on_disk;
    key_value_[std::move(name)] = std::move(open);
  }
  void add_relational(std::string name, OpenRelational open) { relational_[std::move(name)] = std::move(open); }

  void add_vector_index(std::string name, VectorIndexBackend backend) { vector_[std::move(name)] = std::move(backend); }

  /// Unknown name: `invalid`, listing the known ones.
  const OpenKeyValue& key_value(const std::string& name) const;
  const Capabilities& capabilities(const std::string& name) const;
  const OpenRelational& relational(const std::string& name) const;
  const VectorIndexBackend& vector_index(const std::string& name) const;

 private:
  std::map<std::string, OpenKeyValue> key_value_;
  std::map<std::string, Capabilities> capabilities_;
  std::map<std::string, OpenRelational> relational_;
  std::map<std::string, VectorIndexBackend> vector_;
};

/// The process's registry. backends/open.cpp fills in the bundled ones.
Registry& registry();

}  // namespace stele::storage
