// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Exactly once, over kills: a producer and the consumers of three groups of one stream (members that share it, one
// without SQL, a queue of jobs) leave an effect of each event in the tiers, in the transaction that moves their group.
// A window and two caches go along.
#pragma once

#include "tests/crash/workload.h"

#include <string>

namespace stele::crash {

/// As run() and verify() of workload.h. verify_consumers() also processes what is left, and then wants one effect of
/// each event in each group.
void run_consumers(const Workload& workload);
void verify_consumers(const std::string& directory, const std::string& acknowledgements);

}  // namespace stele::crash
