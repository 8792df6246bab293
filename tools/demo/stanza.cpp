// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/stanza.h"

#include <stele/error.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace stele::demo {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Length of the well-formed UTF-8 character at the start of `text`; 0 when it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
  return length;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::uint32_t make_valid_utf8(std::string& text) {
  std::size_t valid = 0;
  while (valid < text.size()) {
    const std::size_t length = character_length(std::string_view(text).substr(valid));
    if (length == 0) break;
    valid += length;
  }
  if (valid == text.size()) return 0;
  std::uint32_t replaced = 0;
  std::string out = text.substr(0, valid);
  for (std::string_view rest = std::string_view(text).substr(valid); !rest.empty();) {
    const std::size_t length = character_length(rest);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++replaced;
    } else {
      out += rest.substr(0, length);
    }
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text = std::move(out);
  return replaced;
}

std::optional<std::string_view> Stanza::get(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return field.value;
  return std::nullopt;
}

bool StanzaReader::read_line() {
  line_.clear();
  line_bytes_ = 0;
  while (true) {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = std::fread(buffer_.data(), 1, buffer_.size(), file_);
      if (end_ == 0 && std::ferror(file_))
        throw Error(ErrorCode::io, std::string("input: cannot be read: ") + std::strerror(errno));
      if (end_ == 0) return line_bytes_ > 0;
    }
    const char* start = buffer_.data() + begin_;
    const void* found = std::memchr(start, '\n', end_ - begin_);
    const std::size_t length =
        found ? static_cast<std::size_t>(static_cast<const char*>(found) - start) : end_ - begin_;
    // One byte more than allowed may be kept: by it take_line() sees that the line was cut.
    const std::size_t room = stanza_bytes_max_ + 1 - std::min(line_.size(), stanza_bytes_max_ + 1);
    line_.append(start, std::min(length, room));
    line_bytes_ += length;
    begin_ += length;
    if (found) {
      ++begin_;
      ++line_bytes_;
      return true;
    }
  }
}

std::optional<Stanza> StanzaReader::next() {
  Stanza stanza;
  continues_ = false;
  while (read_line()) {
    const bool separator = trimmed(line_).empty();
    if (separator && stanza.bytes > 0) return stanza;
    if (separator) continue;
    stanza.bytes += line_bytes_;
    take_line(stanza);
  }
  if (stanza.bytes == 0) return std::nullopt;
  return stanza;
}

void StanzaReader::take_line(Stanza& stanza) {
  if (stanza.bytes > stanza_bytes_max_) {
    stanza.too_large = true;
    return;
  }
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.front() == '#') return;  // a comment
  if (line_.front() == ' ' || line_.front() == '\t') {
    if (!continues_) {
      ++stanza.problems;
      return;
    }
    std::string text = line_.substr(1);
    if (trimmed(text) == ".") text.clear();
    stanza.problems += make_valid_utf8(text);
    stanza.fields.back().value += '\n' + text;
    return;
  }
  const std::size_t colon = line_.find(':');
  const std::string name = lower(std::string_view(line_).substr(0, colon));
  continues_ = colon != std::string::npos && colon > 0 && std::all_of(name.begin(), name.end(), is_name_byte) &&
               name[0] != '-' && !stanza.get(name);
  if (!continues_) {  // no field, or one that is there already: its continuation lines go, too
    ++stanza.problems;
    return;
  }
  std::string value(trimmed(std::string_view(line_).substr(colon + 1)));
  stanza.problems += make_valid_utf8(value);
  stanza.fields.push_back({name, std::move(value)});
}

}  // namespace stele::demo
