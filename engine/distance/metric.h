// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/vectors.h>

namespace stele::distance {

using stele::Metric;  // cosine: vectors are kept at unit length
using stele::Quantization;

}  // namespace stele::distance
