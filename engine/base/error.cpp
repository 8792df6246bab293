// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"

#include <cerrno>
#include <cstring>

namespace stele {

std::string_view name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::busy: return "busy";
    case ErrorCode::too_old: return "too_old";
    case ErrorCode::interrupted: return "interrupted";
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::constraint: return "constraint";
    case ErrorCode::exists: return "exists";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::out_of_range: return "out_of_range";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::readonly: return "readonly";
    case ErrorCode::aborted: return "aborted";
    case ErrorCode::full: return "full";
    case ErrorCode::io: return "io";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::version: return "version";
    case ErrorCode::locked: return "locked";
    case ErrorCode::poisoned: return "poisoned";
    case ErrorCode::closed: return "closed";
    case ErrorCode::unknown_outcome: return "unknown_outcome";
  }
  return "unknown";
}

void Piece::append_to(std::string& out) const {
  switch (kind_) {
    case Kind::text: out += text_; return;
    case Kind::character: out += character_; return;
    case Kind::integer: out += std::to_string(integer_); return;
    case Kind::natural: out += std::to_string(natural_); return;
    case Kind::real: out += std::to_string(real_); return;
  }
}

std::string join(std::initializer_list<Piece> pieces) {
  std::string out;
  for (const Piece& piece : pieces) piece.append_to(out);
  return out;
}

void fail(ErrorCode code, const std::string& message, std::initializer_list<DetailPart> detail) {
  Error::Detail parts;
  for (const DetailPart& part : detail) parts.emplace(part.name, part.value);
  throw Error(code, message, std::move(parts));
}

void fail_errno(std::string_view operation, std::string_view file, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  fail(full ? ErrorCode::full : ErrorCode::io,
       text(operation, " ", file, ": ", std::strerror(error_number)),
       {{"file", std::string(file)},
        {"operation", std::string(operation)},
        {"errno", std::to_string(error_number)}});
}

}  // namespace stele
