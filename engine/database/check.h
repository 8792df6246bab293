// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/database/scope.h"

#include <stele/check.h>

#include <vector>

namespace stele::detail {

/// stele::check for a database that is open here. Its documents and events are read at one moment; `interrupt` is
/// polled.
std::vector<Finding> check_open_database(DatabaseCore& core, const CheckOptions& options, const Interrupt& interrupt);

}  // namespace stele::detail
