// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

void begin(Session& session, const Request& request, Answer& answer) { answer.add("tx", session.begin(request)); }

void commit(Session& session, const Request& request, Answer& answer) { answer.add("gseq", session.commit(request)); }

void rollback(Session& session, const Request& request, Answer&) { session.rollback(request); }

void savepoint(Session& session, const Request& request, Answer&) {
  session.transaction(request).savepoint(request.name_field("name"));
}

void rollback_to(Session& session, const Request& request, Answer&) {
  session.transaction(request).rollback_to(request.name_field("name"));
}

void release(Session& session, const Request& request, Answer&) {
  session.transaction(request).release(request.name_field("name"));
}

}  // namespace

std::span<const Operation> transaction_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"begin", none, true, {"isolation", "read_only"}, {}, R"({"op":"begin","isolation":"snapshot"})", begin},
      {"commit", must, false, {}, {}, R"({"op":"commit","tx":1})", commit},
      {"rollback", must, false, {}, {}, R"({"op":"rollback","tx":1})", rollback},
      {"savepoint", must, false, {"name"}, {}, R"({"op":"savepoint","tx":1,"name":"before"})", savepoint},
      {"rollback_to", must, false, {"name"}, {}, R"({"op":"rollback_to","tx":1,"name":"before"})", rollback_to},
      {"release", must, false, {"name"}, {}, R"({"op":"release","tx":1,"name":"before"})", release},
  };
  return operations;
}

}  // namespace stele::tool
