// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The trace of a store's file operations, in the order in which they took effect, over several sessions (processes).
// Written by trace_shim.cpp, read by images.cpp. A record: Header, then `size` bytes.
#pragma once

#include <cstdint>

namespace stele::crash {

enum class TraceKind : std::uint8_t {
  session = 'B',         // a process begins; handles count anew
  open = 'O',            // data: path. `handle` names the open file until the session's end
  create = 'C',          // as open, the file is new
  open_directory = 'D',  // as open
  write = 'W',           // offset, data
  truncate = 'T',        // offset: the new size
  sync_begin = 's',      // offset: a number that the end repeats
  sync_end = 'S',        // what was written before the beginning is durable
  rename = 'R',          // data: old path, NUL, new path
  unlink = 'U',          // data: path
  mkdir = 'M',           // data: path
  rmdir = 'r',           // data: path
  acknowledge = 'A',     // data: a line of the acknowledgements
};

struct [[gnu::packed]] TraceHeader {
  TraceKind kind;
  std::uint32_t handle;
  std::uint64_t offset;
  std::uint32_t size;
};

}  // namespace stele::crash
