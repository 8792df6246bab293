// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/uuid.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"

#include <sys/random.h>
#include <cerrno>
#include <chrono>

namespace stele {
namespace {

void fill_random(unsigned char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::getrandom(to, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("getrandom", "the kernel's random source", errno);
    to += n;
    size -= static_cast<std::size_t>(n);
  }
}

std::string format(UuidBytes bytes, unsigned char version) {
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  return uuid_text(bytes);
}

// Version 7: 48 bits of milliseconds, then a 12-bit counter that starts at random below its half
// in every new millisecond. When the counter is used up, the time runs ahead.
struct Sequence {
  std::uint64_t milliseconds = 0;
  std::uint32_t counter = 0;
};

constexpr std::string_view digits = "0123456789abcdef";

bool dash_at(std::size_t character) { return character == 8 || character == 13 || character == 18 || character == 23; }

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dash_at(i) ? text[i] != '-' : digits.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

UuidBytes uuid_bytes(std::string_view text) {
  UuidBytes bytes{};
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dash_at(i)) continue;
    unsigned char& byte = bytes.at(digit++ / 2);
    byte = static_cast<unsigned char>(byte << 4 | digits.find(text[i]));
  }
  return bytes;
}

std::string uuid_text(const UuidBytes& bytes) {
  std::string out;
  out.reserve(36);
  for (const unsigned char byte : bytes) {
    if (dash_at(out.size())) out += '-';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string uuid_v4() {
  UuidBytes bytes;
  fill_random(bytes.data(), bytes.size());
  return format(bytes, 4);
}

std::string uuid_v7() {
  thread_local Sequence last;
  UuidBytes bytes;
  fill_random(bytes.data(), bytes.size());
  const auto now = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  if (now > last.milliseconds) {
    last = {now, (bytes[6] << 8 | bytes[7]) & 0x7FFu};
  } else if (++last.counter > 0xFFF) {
    last = {last.milliseconds + 1, 0};
  }
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(last.milliseconds >> (40 - 8 * i));
  bytes[6] = static_cast<unsigned char>(last.counter >> 8);
  bytes[7] = static_cast<unsigned char>(last.counter);
  return format(bytes, 7);
}

}  // namespace stele
