// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/session.h"

#include "engine/base/error.h"
#include "tools/stele/operation.h"

#include <algorithm>
#include <new>
#include <optional>

namespace stele::tool {

Session::Session(const std::string& directory, const Options& options)
    : core_(std::make_shared<detail::DatabaseCore>(transaction::Store::open(directory, options))), database_(core_) {}

void Session::close() {
  open_.clear();
  database_.close();
}

std::string Session::answer(std::string_view line, std::stop_token cancel) {
  cancel_ = std::move(cancel);
  Answer answer;
  std::string id;
  std::optional<Request> request;
  try {
    request.emplace(line);
    id = request->id();
    run(*request, answer);
  } catch (const Error& error) {
    if (!request) id = id_of_broken(line);
    answer = {};
    answer.fail(error);
  } catch (const std::bad_alloc&) {
    answer = {};
    answer.fail(name(ErrorCode::too_large), "the request needs more memory than this process may have; split it");
  }
  return answer.line(id);
}

void Session::run(Request& request, Answer& answer) {
  const std::string name = request.name();
  const Operation* operation = find_operation(name);
  if (!operation) {
    if (is_later_operation(name))
      fail(ErrorCode::unsupported, text(name, ": this version of Stele does not offer it yet"),
           {{"reason", "LaterOperation"}});
    answer.fail("unknown_op",
                text("there is no operation \"", name.substr(0, 60), "\"; `stele exec --help` lists them"));
    return;
  }
  request.check_fields(*operation);
  OpenTransaction* open = transaction_of(request);
  if (open && request.has("durability"))
    request.refuse("durability", "belongs to the whole transaction: give it to begin");
  const Interrupt limits = interrupt(request);
  const Interrupt::Here here(limits);
  if (!open) return operation->run(*this, request, answer);

  const std::shared_ptr<transaction::Transaction> own = open->own;  // commit and rollback forget the handle
  struct Restore {
    transaction::Transaction& own;
    Interrupt::Clock::time_point deadline;
    ~Restore() { own.set_interrupt(Interrupt(deadline)); }
  } restore{*own, open->deadline};
  own->set_interrupt(Interrupt(std::min(open->deadline, limits.deadline()), limits.cancel()));
  operation->run(*this, request, answer);
}

WriteOptions Session::write_options(const Request& request) const {
  WriteOptions options;
  options.durability = request.durability();
  options.deadline = request.deadline();
  options.cancel = cancel_;
  return options;
}

Session::OpenTransaction* Session::transaction_of(const Request& request) {
  const auto number = request.number("tx");
  if (!number) return nullptr;
  const auto found = open_.find(*number);
  if (found != open_.end()) return &found->second;
  if (*number == 0 || *number >= next_)
    fail(ErrorCode::not_found, text("transaction ", *number, ": there was none of that number; begin one"),
         {{"reason", "NoTransaction"}});
  fail(ErrorCode::invalid, text("transaction ", *number, ": has ended (committed or rolled back); begin a new one"),
       {{"reason", "transaction_ended"}});
}

std::uint64_t Session::begin(const Request& request) {
  const bool read_only = request.boolean("read_only", false);
  WriteOptions options = write_options(request);
  if (request.has("isolation")) {
    const std::string isolation = request.text("isolation");
    if (isolation != "serializable" && isolation != "snapshot")
      request.refuse("isolation", "must be \"serializable\" or \"snapshot\"");
    options.isolation = isolation == "snapshot" ? Isolation::snapshot : Isolation::serializable;
  }
  // Each may hold a SQL snapshot (Options::readers_max), and those without "tx" take some, too: nobody else here ends one.
  constexpr std::size_t open_max = 60;
  if (open_.size() >= open_max)
    fail(ErrorCode::busy, text("begin: ", open_max, " transactions are open already, which is the most; commit or roll back one"),
         {{"reason", "too_many_transactions"}, {"limit", std::to_string(open_max)}});
  auto own = read_only ? core_->store->snapshot(ReadOptions{options.deadline, false, cancel_}) : core_->store->begin(options);
  Transaction handle(std::make_shared<detail::Scope>(detail::Scope{core_, own}));
  handle.gseq();  // its moment is now, not that of the first read
  const auto deadline = own->interrupt().deadline();
  own->set_interrupt(Interrupt(deadline));
  open_.emplace(next_, OpenTransaction{std::move(own), std::move(handle), read_only, deadline});
  return next_++;
}

std::uint64_t Session::commit(const Request& request) {
  const auto found = open_.find(*request.number("tx"));
  const auto ended = open_.extract(found);  // whatever happens now, it has ended
  OpenTransaction& open = ended.mapped();
  if (!open.read_only) return open.handle.commit();
  return open.handle.gseq();
}

void Session::rollback(const Request& request) { open_.erase(*request.number("tx")); }

}  // namespace stele::tool
