// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/bulk_request.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele::tool {

namespace {

/// An operation's object, {"filter":…,"update":…}: asked for what it may hold, then checked for what else it holds.
class Fields {
 public:
  Fields(std::string where, std::string_view object) : where_(std::move(where)) {
    if (object.front() != '{') refuse("", text("must be an object, not ", kind_of(object)));
    members_ = members(object);
  }

  std::string object(std::string_view field, bool optional = false) {
    const std::string_view value = find(field, optional);
    if (!value.empty() && value.front() != '{') refuse(field, text("must be an object, not ", kind_of(value)));
    return std::string(value);
  }
  std::string update() {
    const std::string_view value = find("update", false);
    if (value.front() != '[' && value.front() != '{')
      refuse("update", text("must be an object of operators or an array of stages, not ", kind_of(value)));
    return std::string(value);
  }
  std::string array(std::string_view field) {
    const std::string_view value = find(field, true);
    if (!value.empty() && value.front() != '[') refuse(field, text("must be an array, not ", kind_of(value)));
    return std::string(value);
  }
  bool boolean(std::string_view field) {
    const std::string_view value = find(field, true);
    if (!value.empty() && value != "true" && value != "false")
      refuse(field, text("must be true or false, not ", kind_of(value)));
    return value == "true";
  }

  void refuse_others() const {
    for (const RawMember& member : members_) {
      if (std::ranges::find(asked_, member.name) != asked_.end()) continue;
      std::string known;
      for (const std::string& name : asked_) known += (known.empty() ? "" : ", ") + name;
      refuse(member.name.substr(0, 60), text("is unknown here; the fields are ", known));
    }
  }

 private:
  std::string_view find(std::string_view field, bool optional) {
    asked_.emplace_back(field);
    const auto found = std::ranges::find(members_, field, &RawMember::name);
    if (found != members_.end()) return found->value;
    if (!optional) refuse(field, "is missing");
    return {};
  }

  [[noreturn]] void refuse(std::string_view field, std::string_view rule) const {
    fail(ErrorCode::invalid, text(where_, field.empty() ? "" : ".", field, " ", rule),
         {{"reason", "InvalidField"}, {"field", std::string(field)}});
  }

  std::string where_;
  std::vector<RawMember> members_;
  std::vector<std::string> asked_;
};

BulkOperation insert_one(Fields& fields) { return BulkOperation::insert_one(fields.object("document")); }
BulkOperation update_one(Fields& fields) {
  return BulkOperation::update_one(
      fields.object("filter"), fields.update(),
      {fields.boolean("upsert"), fields.array("arrayFilters"), fields.object("sort", true)});
}
BulkOperation update_many(Fields& fields) {
  return BulkOperation::update_many(fields.object("filter"), fields.update(),
                                    {fields.boolean("upsert"), fields.array("arrayFilters"), {}});
}
BulkOperation replace_one(Fields& fields) {
  return BulkOperation::replace_one(fields.object("filter"), fields.object("replacement"),
                                    {fields.boolean("upsert"), fields.object("sort", true)});
}
BulkOperation delete_one(Fields& fields) { return BulkOperation::delete_one(fields.object("filter")); }
BulkOperation delete_many(Fields& fields) { return BulkOperation::delete_many(fields.object("filter")); }

struct Kind {
  std::string_view name;
  BulkOperation (*parse)(Fields& fields);
};

constexpr Kind kinds[] = {{"insertOne", insert_one},   {"updateOne", update_one}, {"updateMany", update_many},
                          {"replaceOne", replace_one}, {"deleteOne", delete_one}, {"deleteMany", delete_many}};

}  // namespace

std::vector<BulkOperation> bulk_operations(const Request& request) {
  std::vector<BulkOperation> operations;
  for (const std::string_view json : request.array("ops")) {
    const std::string where = text("ops[", operations.size(), "]");
    const std::vector<RawMember> named = json.front() == '{' ? members(json) : std::vector<RawMember>();
    const auto kind = named.size() == 1 ? std::ranges::find(kinds, named.front().name, &Kind::name) : std::end(kinds);
    if (kind == std::end(kinds))
      request.refuse("ops",
                     text("must hold objects with one member each, insertOne, updateOne, updateMany, replaceOne, "
                          "deleteOne or deleteMany; ",
                          where, " is another"));
    Fields fields(text("bulk_write: ", where, ".", kind->name), named.front().value);
    operations.push_back(kind->parse(fields));
    fields.refuse_others();
  }
  return operations;
}

}  // namespace stele::tool
