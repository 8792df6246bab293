// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Vectors over kills: each transaction gives an item a new version in all tiers at once, as a row, a document, an event
// and a vector, which after any kill say the same; so do searches, by whatever graph was saved or is made anew.
#pragma once

#include "tests/crash/workload.h"

#include <string>

namespace stele::crash {

/// As run() and verify() of workload.h.
void run_vectors(const Workload& workload);
void verify_vectors(const std::string& directory, const std::string& acknowledgements);

}  // namespace stele::crash
