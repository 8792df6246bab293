// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/error.h>

#include "tools/stele/json_writer.h"
#include "tools/stele/wording.h"

#include <string>
#include <string_view>

namespace stele::tool {

/// One line that `stele exec` answers: {"ok":true,…} or {"ok":false,"error":{"code":…,"message":…},…}.
class Answer : public JsonObject {
 public:
  /// Makes it an error; what was added stays.
  void fail(const Error& error) { fail(name(error.code()), wording(error), error.detail()); }
  void fail(std::string_view code, std::string_view message, const Error::Detail& detail = {});

  /// The line with its end. `id` is JSON text or empty.
  std::string line(std::string_view id) const;

 private:
  std::string error_;
};

}  // namespace stele::tool
