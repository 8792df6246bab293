// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/stele.h>

namespace stele::demo {

/// Asks, in one snapshot, what only rows and documents together answer, and prints the answers.
void ask_questions(Database& db);

}  // namespace stele::demo
