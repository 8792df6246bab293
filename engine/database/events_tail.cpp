// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/event_scope.h"
#include "engine/transaction/watches.h"

#include <algorithm>

namespace stele {

using transaction::WakeAt;
using transaction::Watch;

namespace detail {

class TailState {
 public:
  TailState(std::shared_ptr<Scope> from_scope, std::string name, Shows events_shown)
      : scope(std::move(from_scope)),
        stream(std::move(name)),
        shows(events_shown),
        use(scope->core->store->gatekeeper()),
        watch(scope->core->store->watches(), {}, shows == Shows::durable ? WakeAt::durable : WakeAt::visible) {
    watch.raise();
  }

  /// What there is now.
  std::vector<Event> read(std::size_t limit) {
    transaction::Store& store = *scope->core->store;
    watch.clear();  // before looking: what comes from here on raises it again
    const std::uint64_t durable = store.sync_group().durable();
    follow();
    const auto latest = store.latest(true, scope->interrupt());
    events::Wanted wanted;
    wanted.from = position;
    wanted.limit = limit;
    if (shows == Shows::durable) wanted.gseq_max = durable;
    const auto cursor = stream_verbs(*scope, stream).find(*latest, nullptr, std::move(wanted), true);
    std::vector<Event> found;
    while (const Event* event = cursor->next()) found.push_back(*event);
    if (!found.empty()) {
      position = *found.back().offset + 1;
      watch.raise();  // there may be more
    } else if (shows == Shows::durable) {
      // What is there and not yet durable was committed before the watch could be told.
      watch.expect(store.order().published.load());
      if (store.sync_group().durable() > durable) watch.raise();
    }
    return found;
  }

  std::shared_ptr<Scope> scope;
  const std::string stream;
  const Shows shows;
  std::uint64_t position = 0;
  transaction::Use use;
  Watch watch;

 private:
  /// The stream may be made, or dropped and made anew, while we wait: the catalog's changes wake us, too.
  void follow() {
    const auto latest = scope->core->store->latest(true);
    const auto definition = scope->core->catalog.find(*latest, catalog::Kind::stream, stream);
    const std::uint64_t now = definition ? definition->id : 0;
    if (now == id_) return;
    id_ = now;
    watch.follow(events::state_key(now));
  }

  std::uint64_t id_ = 0;
};

}  // namespace detail

Tail::Tail(std::unique_ptr<detail::TailState> state) : state_(std::move(state)) {}
Tail::Tail(Tail&&) noexcept = default;
Tail& Tail::operator=(Tail&&) noexcept = default;
Tail::~Tail() = default;

std::vector<Event> Tail::wait(std::chrono::milliseconds timeout, std::size_t limit) {
  detail::TailState& state = *detail::held(state_, "tail");
  if (timeout.count() < 0)
    fail(ErrorCode::invalid, text("tail: a timeout of ", timeout.count(), " ms; give 0 or more"),
         {{"reason", "InvalidTimeout"}});
  if (limit == 0) return {};
  const Interrupt interrupt = state.scope->interrupt();
  const Interrupt::Here here(interrupt);
  // More than a clock can count is for ever.
  const auto until = std::min(Interrupt::within(timeout).deadline(), interrupt.deadline());
  for (;;) {
    interrupt.check();
    state.scope->core->store->check_open();
    auto events = state.read(limit);
    if (!events.empty()) return events;
    state.scope->core->store->health().check();
    if (!state.watch.wait(until, interrupt.cancel())) {
      interrupt.check();
      return {};
    }
  }
}

std::uint64_t Tail::position() const { return detail::held(state_, "tail")->position; }

int Tail::file() { return detail::held(state_, "tail")->watch.file(); }

Tail Stream::tail(std::optional<std::uint64_t> offset, Shows shows) const {
  if (scope()->transaction)
    fail(ErrorCode::invalid,
         text("stream \"", name_,
              "\": a tail sees what is committed from now on; take it from the Database, not "
              "from a transaction"),
         {{"reason", "InTransaction"}});
  scope()->core->store->check_open();
  auto state = std::make_unique<detail::TailState>(scope(), name_, shows);
  state->position = offset ? *offset : end_offset();
  return Tail(std::move(state));
}

}  // namespace stele
