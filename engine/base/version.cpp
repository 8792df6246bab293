// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/version.h>

#define STELE_TEXT_OF(x) #x
#define STELE_TEXT(x) STELE_TEXT_OF(x)

namespace stele {

const char* version() noexcept {
  return STELE_TEXT(STELE_VERSION_MAJOR) "." STELE_TEXT(STELE_VERSION_MINOR) "." STELE_TEXT(STELE_VERSION_PATCH);
}

}  // namespace stele
