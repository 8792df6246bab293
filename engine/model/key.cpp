// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/key.h"

#include "engine/base/key_codec.h"

namespace stele::model {
namespace {

KeyCode code(Type type) {
  constexpr KeyCode codes[] = {KeyCode::null,   KeyCode::number, KeyCode::string,  KeyCode::object, KeyCode::array,
                               KeyCode::binary, KeyCode::oid,    KeyCode::boolean, KeyCode::date, KeyCode::regex};
  return codes[static_cast<std::size_t>(type)];
}

}  // namespace

void append_sort_element(std::string& out, const Value& value) {
  switch (value.type()) {
    case Type::null: return key::append_code(out, KeyCode::null);
    case Type::number:
      return value.is_integer() ? key::append_int64(out, value.integer()) : key::append_double(out, value.real().number);
    case Type::string: return key::append_string(out, value.string());
    case Type::binary: return key::append_binary(out, value.binary().subtype, value.binary().bytes);
    case Type::oid: return key::append_oid(out, {value.oid().bytes.data(), 12});
    case Type::boolean: return key::append_bool(out, value.boolean());
    case Type::date: return key::append_date(out, value.date().milliseconds);
    case Type::regex: return key::append_regex(out, value.pattern().source, value.pattern().options);
    case Type::array:
      key::append_code(out, KeyCode::array);
      for (const Value& element : value.array()) append_sort_element(out, element);
      break;
    case Type::object:
      key::append_code(out, KeyCode::object);
      for (const Member& member : value.object()) {
        key::append_code(out, code(member.value.type()));
        key::append_name(out, member.name);
        append_sort_element(out, member.value);
      }
      break;
  }
  key::append_code(out, KeyCode::end);
}

void append_key(std::string& out, const Value& value) {
  append_sort_element(out, value);
  key::check_size(out, "the value");
}

}  // namespace stele::model
