// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/json.h"

#include "engine/base/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <cctype>
#include <deque>
#include <limits>
#include <vector>

namespace stele::json {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101u;
constexpr std::uint64_t highs = 0x8080808080808080u;

std::uint64_t load8(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

constexpr std::uint64_t zero_bytes(std::uint64_t v) { return (v - ones) & ~v & highs; }

// The high bit is set in the first byte that ends a run of plain characters (quote, backslash,
// control, non-ASCII); bytes after that one may be marked wrongly.
std::uint64_t stops(std::uint64_t v) {
  return zero_bytes(v ^ (ones * '"')) | zero_bytes(v ^ (ones * '\\')) | ((v - ones * 0x20) & ~v & highs) | (v & highs);
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::uint32_t hex4(const char* p) {
  std::uint32_t v = 0;
  for (int i = 0; i < 4; ++i) v = v << 4 | static_cast<std::uint32_t>(hex_digit(p[i]));
  return v;
}

std::string unescape(std::string_view escaped) {
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '\\') {
      out += escaped[i];
      continue;
    }
    switch (escaped[++i]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        std::uint32_t c = hex4(escaped.data() + i + 1);
        i += 4;
        if (c >= 0xD800 && c < 0xDC00) {
          c = 0x10000 + ((c - 0xD800) << 10) + (hex4(escaped.data() + i + 3) - 0xDC00);
          i += 6;
        }
        append_utf8(out, c);
        break;
      }
      default: out += escaped[i];
    }
  }
  return out;
}

struct Name {
  std::uint64_t hash;
  std::string_view text;  // without escapes
  std::size_t offset;     // of the opening quote
};

std::uint64_t hash_of(std::string_view text) {
  const std::size_t n = text.size();
  std::uint64_t head = 0, tail = 0;
  if (n >= 8) {
    head = load8(text.data());
    tail = load8(text.data() + n - 8);
  } else {
    for (std::size_t i = 0; i < n; ++i) head = head << 8 | static_cast<unsigned char>(text[i]);
  }
  return (head ^ (tail * 0x9E3779B97F4A7C15u) ^ n) * 0xD6E8FEB86659FD93u;
}

struct Container {
  bool is_object;
  std::size_t first_name;  // names of this object begin here
};

// Reused by the thread, so that a document costs no allocation but its result.
struct Workspace {
  std::vector<Container> open;
  std::vector<Name> names;
  std::deque<std::string> unescaped;  // a deque: names point into it
};

class Pass {
 public:
  Pass(std::string_view text, const Limits& limits, std::string_view what, Facts& facts, Workspace& work)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), limits_(limits), what_(what), facts_(facts),
        work_(work) {}

  std::string run() {
    check_whole();
    work_.open.clear();
    work_.names.clear();
    work_.unescaped.clear();
    out_.resize(static_cast<std::size_t>(end_ - begin_));
    written_ = out_.data();
    run_ = p_;
    blanks();
    facts_.is_object = peek() == '{';
    do {
      value();
    } while (!after_value());
    if (p_ != end_) refuse("InvalidJson", p_, "nothing may follow the value; remove what stands after it");
    flush(p_);
    out_.resize(static_cast<std::size_t>(written_ - out_.data()));
    return std::move(out_);
  }

 private:
  // Names of an object with more members than this are checked by sorting when it closes.
  static constexpr std::size_t compared_one_by_one = 16;

  [[noreturn]] void refuse(std::string_view reason, const char* at, std::string_view rule) const {
    const auto offset = std::to_string(at - begin_);
    fail(ErrorCode::invalid, text(what_, ": not valid JSON at byte ", offset, ": ", rule),
         {{"reason", std::string(reason)}, {"offset", offset}});
  }

  [[noreturn]] void refuse_too_deep() const {
    const auto offset = std::to_string(p_ - begin_);
    const auto limit = std::to_string(limits_.depth_max);
    fail(ErrorCode::too_large,
         text(what_, ": more than ", limit, " arrays and objects inside each other at byte ", offset,
              "; flatten it, or raise document_depth_max"),
         {{"reason", "TooDeep"}, {"offset", offset}, {"limit", limit}});
  }

  [[noreturn]] void refuse_duplicate(const Name& name) const {
    std::string quoted;
    append_quoted(quoted, name.text.substr(0, 100));
    fail(ErrorCode::invalid,
         text(what_, ": the name ", quoted, " stands twice in one object (again at byte ", name.offset,
              "); keep one of them"),
         {{"reason", "DuplicateKey"}, {"offset", std::to_string(name.offset)}, {"key", std::string(name.text)}});
  }

  void check_whole() const {
    const auto size = static_cast<std::size_t>(end_ - begin_);
    if (size > limits_.bytes_max) {
      fail(ErrorCode::too_large,
           text(what_, ": ", size, " bytes, the limit is ", limits_.bytes_max, "; split it, or raise the limit"),
           {{"reason", "TooLarge"},
            {"offset", std::to_string(limits_.bytes_max)},
            {"size", std::to_string(size)},
            {"limit", std::to_string(limits_.bytes_max)}});
    }
    if (size >= 3 && std::memcmp(begin_, "\xEF\xBB\xBF", 3) == 0)
      refuse("InvalidJson", begin_, "it begins with a byte order mark; remove the first three bytes");
  }

  // NUL, which no token begins with, stands for the end of the text.
  char peek() const { return p_ != end_ ? *p_ : '\0'; }

  void blanks() {
    if (p_ == end_ || static_cast<unsigned char>(*p_) > ' ') return;
    flush(p_);
    while (p_ != end_ && is_blank(*p_)) ++p_;
    run_ = p_;
  }

  void flush(const char* to) {
    const auto n = static_cast<std::size_t>(to - run_);
    std::memcpy(written_, run_, n);
    written_ += n;
  }

  std::size_t output_offset() const { return static_cast<std::size_t>(written_ - out_.data() + (p_ - run_)); }

  // Reads a scalar, or opens containers down to the first scalar or empty container.
  void value() {
    for (;;) {
      switch (peek()) {
        case '{':
          open(true);
          if (peek() == '}') return close();
          name();
          break;
        case '[':
          open(false);
          if (peek() == ']') return close();
          break;
        case '"': string(); return;
        case 't': return word("true");
        case 'f': return word("false");
        case 'n': return word("null");
        default: return number();
      }
    }
  }

  // Goes on to the next value inside the open containers; true when the outermost has ended.
  bool after_value() {
    for (;;) {
      if (watching_ && work_.open.size() == 1) {
        facts_.watched->end = output_offset();
        watching_ = false;
      }
      blanks();
      if (work_.open.empty()) return true;
      const bool in_object = work_.open.back().is_object;
      const char c = peek();
      if (c == ',') {
        ++p_;
        blanks();
        if (in_object) name();
        return false;
      }
      if (c != (in_object ? '}' : ']')) {
        refuse("InvalidJson", p_,
               p_ == end_  ? "the text ends inside an array or object; is it cut off?"
               : in_object ? "expected ',' or '}' after a member"
                           : "expected ',' or ']' after an element");
      }
      close();
    }
  }

  void open(bool is_object) {
    if (work_.open.size() >= limits_.depth_max) refuse_too_deep();
    work_.open.push_back({is_object, work_.names.size()});
    ++p_;
    blanks();
  }

  void close() {
    const Container container = work_.open.back();
    if (work_.names.size() - container.first_name > compared_one_by_one) check_by_sorting(container.first_name);
    work_.names.resize(container.first_name, Name{});
    work_.open.pop_back();
    ++p_;
  }

  // Ordered by bytes where hashes are equal: no choice of names makes this quadratic.
  void check_by_sorting(std::size_t first) {
    const auto begin = work_.names.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, work_.names.end(), [](const Name& a, const Name& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      if (a.text != b.text) return a.text < b.text;
      return a.offset < b.offset;
    });
    const Name* repeated = nullptr;
    for (auto it = begin + 1; it < work_.names.end(); ++it) {
      const bool same = it->hash == it[-1].hash && it->text == it[-1].text;
      if (same && (!repeated || it->offset < repeated->offset)) repeated = &*it;
    }
    if (repeated) refuse_duplicate(*repeated);
  }

  void name() {
    if (peek() != '"') refuse("InvalidJson", p_, "expected a member's name in double quotes");
    const std::size_t output = output_offset();
    const char* quote = p_;
    const bool escaped = string();
    std::string_view name(quote + 1, static_cast<std::size_t>(p_ - quote - 2));
    if (escaped) name = work_.unescaped.emplace_back(unescape(name));
    add_name({hash_of(name), name, static_cast<std::size_t>(quote - begin_)});
    blanks();
    if (peek() != ':') refuse("InvalidJson", p_, "expected ':' after a member's name");
    ++p_;
    blanks();
    if (work_.open.size() == 1 && name == facts_.watched_name && !facts_.watched_name.empty()) {
      facts_.watched = Member{output, output_offset(), 0};
      watching_ = true;
    }
  }

  void add_name(const Name& name) {
    const std::string_view t = name.text;
    if (!t.empty() && (t[0] == '$' || std::memchr(t.data(), '.', t.size()) || std::memchr(t.data(), '\0', t.size())))
      facts_.special_names = true;
    const std::size_t first = work_.open.back().first_name;
    if (work_.names.size() - first < compared_one_by_one) {
      for (std::size_t i = first; i < work_.names.size(); ++i)
        if (work_.names[i].hash == name.hash && work_.names[i].text == t) refuse_duplicate(name);
    }
    work_.names.push_back(name);
  }

  void word(std::string_view expected) {
    const std::string_view rest(p_, static_cast<std::size_t>(end_ - p_));
    if (!rest.starts_with(expected)) refuse_token();
    if (rest.size() > expected.size() && std::isalnum(static_cast<unsigned char>(rest[expected.size()]))) refuse_token();
    p_ += expected.size();
  }

  [[noreturn]] void refuse_token() const {
    const char c = peek();
    if (p_ == end_) {
      refuse("InvalidJson", p_,
             begin_ == end_ ? "the text is empty; a value was expected" : "the text ends where a value was expected");
    }
    if (c == '/') refuse("InvalidJson", p_, "comments are not JSON; remove them");
    if (c == '\'') refuse("InvalidJson", p_, "strings stand in double quotes");
    if (c == 'N' || c == 'I') refuse("InvalidJson", p_, "NaN and Infinity are no JSON numbers; use null or a string");
    refuse("InvalidJson", p_, "expected a value: object, array, string, number, true, false or null");
  }

  // Leaves p_ behind the closing quote; true when the string holds an escape.
  bool string() {
    const char* const quote = p_++;
    bool escaped = false;
    for (;;) {
      while (end_ - p_ >= 8) {
        const std::uint64_t stop = stops(load8(p_));
        if (stop) {
          p_ += __builtin_ctzll(stop) >> 3;
          break;
        }
        p_ += 8;
      }
      if (p_ == end_) refuse("InvalidJson", quote, "the string that begins here has no closing quote");
      const auto c = static_cast<unsigned char>(*p_);
      if (c == '"') {
        ++p_;
        return escaped;
      }
      if (c == '\\') {
        escape();
        escaped = true;
      } else if (c >= 0x80) {
        multibyte();
      } else if (c < 0x20) {
        refuse("InvalidJson", p_, "a control character in a string; write it as an escape such as \\n or \\u0001");
      } else {
        ++p_;
      }
    }
  }

  void escape() {
    if (end_ - p_ < 2) refuse("InvalidJson", p_, "the text ends inside an escape");
    switch (p_[1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': p_ += 2; return;
      case 'u': break;
      default: refuse("InvalidJson", p_, "unknown escape; JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX");
    }
    const char* const at = p_;
    const std::uint32_t unit = escaped_unit();
    if (unit >= 0xDC00 && unit < 0xE000) refuse("InvalidUtf8", at, "a low surrogate without the high one before it");
    if (unit < 0xD800 || unit >= 0xE000) return;
    const bool low_follows = end_ - p_ >= 2 && p_[0] == '\\' && p_[1] == 'u';
    const std::uint32_t low = low_follows ? escaped_unit() : 0;
    if (low < 0xDC00 || low >= 0xE000) refuse("InvalidUtf8", at, "a high surrogate without the low one after it");
  }

  std::uint32_t escaped_unit() {
    std::uint32_t unit = 0;
    for (int i = 2; i < 6; ++i) {
      const int digit = i < end_ - p_ ? hex_digit(p_[i]) : -1;
      if (digit < 0) refuse("InvalidJson", p_, "\\u takes four hexadecimal digits");
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    p_ += 6;
    return unit;
  }

  // Table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
  void multibyte() {
    const auto* b = reinterpret_cast<const unsigned char*>(p_);
    const std::ptrdiff_t left = end_ - p_;
    auto follows = [&](int i, unsigned char low = 0x80, unsigned char high = 0xBF) {
      return i < left && b[i] >= low && b[i] <= high;
    };
    int size = 0;
    if (b[0] >= 0xC2 && b[0] <= 0xDF) {
      if (follows(1)) size = 2;
    } else if (b[0] >= 0xE0 && b[0] <= 0xEF) {
      const unsigned char low = b[0] == 0xE0 ? 0xA0 : 0x80, high = b[0] == 0xED ? 0x9F : 0xBF;
      if (follows(1, low, high) && follows(2)) size = 3;
    } else if (b[0] >= 0xF0 && b[0] <= 0xF4) {
      const unsigned char low = b[0] == 0xF0 ? 0x90 : 0x80, high = b[0] == 0xF4 ? 0x8F : 0xBF;
      if (follows(1, low, high) && follows(2) && follows(3)) size = 4;
    }
    if (size == 0) refuse("InvalidUtf8", p_, "the bytes are not UTF-8; convert the text to UTF-8 first");
    p_ += size;
  }

  void number() {
    const char* const start = p_;
    if (peek() == '-') ++p_;
    const char* const digits = p_;
    if (!is_digit(peek())) {
      if (p_ == start) refuse_number_start();
      refuse("InvalidJson", start, "'-' must be followed by a digit");
    }
    if (*p_ == '0') {
      ++p_;
      if (is_digit(peek())) refuse("InvalidJson", start, "a number has no leading zeros");
      if ((peek() | 0x20) == 'x') refuse("InvalidJson", start, "hexadecimal numbers are not JSON");
    } else {
      while (is_digit(peek())) ++p_;
    }
    const std::ptrdiff_t whole = p_ - digits;
    const char c = peek();
    if (c != '.' && (c | 0x20) != 'e') {
      if (whole >= 19) check_integer(start, digits);
      return;
    }
    fraction(start, whole);
  }

  [[noreturn]] void refuse_number_start() const {
    if (peek() == '+') refuse("InvalidJson", p_, "a number has no leading '+'");
    if (peek() == '.') refuse("InvalidJson", p_, "a number needs a digit before the point");
    refuse_token();
  }

  void check_integer(const char* start, const char* digits) const {
    std::int64_t ignored;
    if (p_ - digits == 19 && std::from_chars(start, p_, ignored).ec == std::errc()) return;
    refuse("NumberOutOfRange", start, "an integer beyond 64 bits; write it as a string, or as a double (1.0e20)");
  }

  void fraction(const char* start, std::ptrdiff_t whole) {
    if (peek() == '.') {
      ++p_;
      if (!is_digit(peek())) refuse("InvalidJson", start, "a number needs a digit after the point");
      while (is_digit(peek())) ++p_;
    }
    bool small_exponent = true;
    if ((peek() | 0x20) == 'e') {
      ++p_;
      if (peek() == '+' || peek() == '-') ++p_;
      const char* const exponent = p_;
      while (is_digit(peek())) ++p_;
      if (p_ == exponent) refuse("InvalidJson", start, "a number needs a digit after 'e'");
      small_exponent = p_ - exponent <= 2;
    }
    if (small_exponent && whole < 200) return;  // below 1e300
    if (!std::isfinite(to_double({start, static_cast<std::size_t>(p_ - start)})))
      refuse("NumberOutOfRange", start, "beyond the range of a double (1.8e308); write it as a string");
  }

  const char* const begin_;
  const char* p_;
  const char* const end_;
  const Limits& limits_;
  const std::string_view what_;
  Facts& facts_;
  Workspace& work_;
  std::string out_;
  char* written_ = nullptr;
  const char* run_ = nullptr;  // input from here to p_ is not copied yet
  bool watching_ = false;
};

}  // namespace

std::string minify(std::string_view text, const Limits& limits, std::string_view what, Facts* facts) {
  thread_local Workspace work;
  Facts unused;
  return Pass(text, limits, what, facts ? *facts : unused, work).run();
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // where what needs no escape begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out += text.substr(plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out += text.substr(plain);
  out += '"';
}

std::string unquoted(std::string_view quoted) { return unescape(quoted.substr(1, quoted.size() - 2)); }

double to_double(std::string_view number) {
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
  if (result.ec != std::errc::result_out_of_range) return value;
  // from_chars does not say whether it was too large or too small: the first digit's place does.
  const bool negative = number.front() == '-';
  if (negative) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  const auto place = first < point ? static_cast<std::int64_t>(point - first) : -static_cast<std::int64_t>(first - point);
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool down = digits.front() == '-';
    if (down || digits.front() == '+') digits.remove_prefix(1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc()) exponent = 1LL << 60;
    if (down) exponent = -exponent;
  }
  const double magnitude = exponent + place > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  return negative ? -magnitude : magnitude;
}

}  // namespace stele::json
