// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The dependency graph of a history and the cycles that must not be in it. Edges from earlier to later:
//   ww  appended before it to the same key      wr  appended what it read
//   rw  read what it then appended to           rt  was acknowledged before it began
// A node beside the transactions stands for each acknowledgement, in order of time: rt edges would be too many
// otherwise.
#include "tests/isolation/history.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace stele::isolation {

const char* name(Tier tier) {
  switch (tier) {
    case Tier::row: return "row";
    case Tier::table: return "table";
    case Tier::document: return "document";
    case Tier::found: return "found";
    case Tier::stream: return "stream";
    case Tier::cache: return "cache";
  }
  return "?";
}

namespace {

enum class Edge : std::uint8_t { ww, ww_stream, wr, rw, rw_stream, rt };

const char* name(Edge edge) {
  switch (edge) {
    case Edge::ww:
    case Edge::ww_stream: return "ww";
    case Edge::wr: return "wr";
    case Edge::rw:
    case Edge::rw_stream: return "rw";
    case Edge::rt: return "rt";
  }
  return "?";
}

constexpr unsigned bit(Edge edge) { return 1u << static_cast<unsigned>(edge); }

struct Arc {
  int to;
  Edge edge;
};

std::string describe(const Key& key) { return std::string(name(key.tier)) + " " + std::to_string(key.number); }

class Checker {
 public:
  Checker(const History& history, Level level) : history_(history), level_(level), arcs_(history.size()) {}

  std::vector<Anomaly> run() {
    collect_writes();
    collect_orders();
    check_reads();
    if (!anomalies_.empty()) return anomalies_;  // the graph would mean nothing
    add_writes();
    add_reads();
    find("G0", bit(Edge::ww) | bit(Edge::ww_stream));
    if (anomalies_.empty()) find("G1c", bit(Edge::ww) | bit(Edge::ww_stream) | bit(Edge::wr));
    add_real_time();
    if (anomalies_.empty()) find("realtime", bit(Edge::ww) | bit(Edge::ww_stream) | bit(Edge::wr) | bit(Edge::rt));
    if (anomalies_.empty()) find_single();
    if (anomalies_.empty() && level_ == Level::serializable)
      find("G2", bit(Edge::ww) | bit(Edge::ww_stream) | bit(Edge::wr) | bit(Edge::rw) | bit(Edge::rt));
    return anomalies_;
  }

 private:
  struct Write {
    int transaction = 0;
    Key key;
    bool last = true;  // of its transaction's appends to that key
  };

  void report(const std::string& kind, const std::string& text) {
    if (anomalies_.size() < 20) anomalies_.push_back({kind, text});
  }
  static std::string transaction(int index) { return "T" + std::to_string(index); }

  void collect_writes() {
    for (int t = 0; t < static_cast<int>(history_.size()); ++t) {
      std::map<Key, Element> newest;
      for (const Operation& operation : history_[static_cast<std::size_t>(t)].operations) {
        if (operation.kind != Operation::Kind::append) continue;
        writes_[operation.element] = {t, operation.key, true};
        if (const auto before = newest.find(operation.key); before != newest.end())
          writes_[before->second].last = false;
        newest[operation.key] = operation.element;
      }
    }
  }

  /// The part of a read that was there before the transaction: without its own appends at the end.
  std::optional<std::vector<Element>> base(int t, const Operation& read, const std::vector<Element>& own) {
    std::vector<Element> list = read.list;
    if (list.size() < own.size() ||
        !std::equal(own.begin(), own.end(), list.end() - static_cast<std::ptrdiff_t>(own.size()))) {
      report("internal", transaction(t) + " does not see its own appends to " + describe(read.key));
      return std::nullopt;
    }
    list.resize(list.size() - own.size());
    return list;
  }

  void collect_orders() {
    for (int t = 0; t < static_cast<int>(history_.size()); ++t) {
      if (history_[static_cast<std::size_t>(t)].outcome == Outcome::aborted) continue;
      std::map<Key, std::vector<Element>> own;
      std::map<Key, std::vector<Element>> seen;
      for (const Operation& operation : history_[static_cast<std::size_t>(t)].operations) {
        if (operation.kind == Operation::Kind::append) {
          own[operation.key].push_back(operation.element);
          continue;
        }
        const auto list = base(t, operation, own[operation.key]);
        if (!list) continue;
        if (const auto [before, first] = seen.emplace(operation.key, *list); !first && before->second != *list)
          report("internal", transaction(t) + " read " + describe(operation.key) + " twice, with different results");
        reads_.push_back({t, operation.key, *list});
        auto& order = orders_[operation.key];
        if (list->size() > order.size()) order = *list;
      }
    }
  }

  void check_reads() {
    std::set<Element> there;
    for (const auto& [key, order] : orders_) there.insert(order.begin(), order.end());
    for (const auto& [t, key, list] : reads_) {
      const auto& order = orders_[key];
      if (!std::equal(list.begin(), list.end(), order.begin()))
        report("incompatible",
               transaction(t) + " read a list of " + describe(key) + " that the longest does not continue");
      for (const Element element : list) {
        const auto write = writes_.find(element);
        if (write == writes_.end()) {
          report("G1a", transaction(t) + " read " + std::to_string(element) + " from " + describe(key) +
                            ", which nobody appended");
        } else if (history_[static_cast<std::size_t>(write->second.transaction)].outcome == Outcome::aborted) {
          report("G1a", transaction(t) + " read from " + describe(key) + " what " +
                            transaction(write->second.transaction) + " appended, which did not commit");
        }
      }
      if (!list.empty()) {
        const auto write = writes_.find(list.back());
        if (write != writes_.end() && !write->second.last && write->second.transaction != t)
          report("G1b", transaction(t) + " read from " + describe(key) + " what " +
                            transaction(write->second.transaction) + " had appended when it was not done");
      }
    }
    for (const auto& [element, write] : writes_)
      if (history_[static_cast<std::size_t>(write.transaction)].outcome == Outcome::committed &&
          !there.contains(element))
        report("lost", transaction(write.transaction) + " was acknowledged, but its append to " + describe(write.key) +
                           " is not there");
  }

  int writer(Element element) const { return writes_.at(element).transaction; }
  void add(int from, int to, Edge edge) {
    if (from != to) arcs_[static_cast<std::size_t>(from)].push_back({to, edge});
  }

  void add_writes() {
    for (const auto& [key, order] : orders_)
      for (std::size_t i = 1; i < order.size(); ++i)
        add(writer(order[i - 1]), writer(order[i]), key.tier == Tier::stream ? Edge::ww_stream : Edge::ww);
  }

  void add_reads() {
    for (const auto& [t, key, list] : reads_) {
      const auto& order = orders_[key];
      if (!list.empty()) add(writer(list.back()), t, Edge::wr);
      if (list.size() < order.size())
        add(t, writer(order[list.size()]), key.tier == Tier::stream ? Edge::rw_stream : Edge::rw);
    }
  }

  void add_real_time() {
    std::vector<std::pair<std::uint64_t, int>> ends;
    for (int t = 0; t < static_cast<int>(history_.size()); ++t)
      if (history_[static_cast<std::size_t>(t)].outcome == Outcome::committed)
        ends.emplace_back(history_[static_cast<std::size_t>(t)].end, t);
    std::sort(ends.begin(), ends.end());
    const int first = static_cast<int>(arcs_.size());
    arcs_.resize(arcs_.size() + ends.size());
    for (int i = 0; i < static_cast<int>(ends.size()); ++i) {
      add(ends[static_cast<std::size_t>(i)].second, first + i, Edge::rt);
      if (i > 0) add(first + i - 1, first + i, Edge::rt);
    }
    for (int t = 0; t < static_cast<int>(history_.size()); ++t) {
      const auto later =
          std::lower_bound(ends.begin(), ends.end(), std::pair(history_[static_cast<std::size_t>(t)].begin, -1));
      if (later != ends.begin()) add(first + static_cast<int>(later - ends.begin()) - 1, t, Edge::rt);
    }
  }

  /// Strongly connected components along the edges of `kinds` (Tarjan, without recursion); each node's number.
  std::vector<int> components(unsigned kinds) const {
    const int n = static_cast<int>(arcs_.size());
    std::vector<int> component(static_cast<std::size_t>(n), -1);
    std::vector<int> number(static_cast<std::size_t>(n), -1);
    std::vector<int> low(static_cast<std::size_t>(n), 0);
    std::vector<std::size_t> next(static_cast<std::size_t>(n), 0);
    std::vector<int> open;
    std::vector<int> path;
    int counter = 0;
    int count = 0;
    const auto at = [](auto& list, int i) -> auto& { return list[static_cast<std::size_t>(i)]; };
    for (int root = 0; root < n; ++root) {
      if (at(number, root) >= 0) continue;
      path.push_back(root);
      while (!path.empty()) {
        const int node = path.back();
        if (at(number, node) < 0) {
          at(number, node) = at(low, node) = counter++;
          open.push_back(node);
        }
        bool descended = false;
        auto& arcs = arcs_[static_cast<std::size_t>(node)];
        while (at(next, node) < arcs.size()) {
          const Arc arc = arcs[at(next, node)];
          if (!(kinds & bit(arc.edge)) || at(component, arc.to) >= 0) {
            ++at(next, node);
          } else if (at(number, arc.to) < 0) {
            path.push_back(arc.to);
            descended = true;
            break;
          } else {
            at(low, node) = std::min(at(low, node), at(low, arc.to));
            ++at(next, node);
          }
        }
        if (descended) continue;
        if (at(low, node) == at(number, node)) {
          for (int member = -1; member != node;) {
            member = open.back();
            open.pop_back();
            at(component, member) = count;
          }
          ++count;
        }
        path.pop_back();
        if (!path.empty()) at(low, path.back()) = std::min(at(low, path.back()), at(low, node));
      }
    }
    return component;
  }

  /// A shortest way from `from` to `to`, as text; empty: none.
  std::string way(int from, int to, unsigned kinds, const std::vector<int>& component) const {
    std::unordered_map<int, std::pair<int, Edge>> came;
    std::vector<int> queue{from};
    for (std::size_t i = 0; i < queue.size(); ++i) {
      for (const Arc& arc : arcs_[static_cast<std::size_t>(queue[i])]) {
        if (!(kinds & bit(arc.edge)) || came.contains(arc.to) ||
            component[static_cast<std::size_t>(arc.to)] != component[static_cast<std::size_t>(from)])
          continue;
        came[arc.to] = {queue[i], arc.edge};
        if (arc.to == to) return text_of(from, to, came);
        queue.push_back(arc.to);
      }
    }
    return {};
  }

  std::string text_of(int from, int to, const std::unordered_map<int, std::pair<int, Edge>>& came) const {
    std::vector<std::string> steps;
    for (int node = to;;) {
      const auto [before, edge] = came.at(node);
      const bool clock = node >= static_cast<int>(history_.size());
      steps.push_back(std::string(" -") + name(edge) + "-> " + (clock ? "(time)" : transaction(node)));
      node = before;
      if (node == from) break;
    }
    std::string out = transaction(from);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) out += *step;
    return out;
  }

  void find(const std::string& kind, unsigned kinds) {
    const auto component = components(kinds);
    std::set<int> reported;
    for (int node = 0; node < static_cast<int>(history_.size()); ++node) {
      for (const Arc& arc : arcs_[static_cast<std::size_t>(node)]) {
        if (!(kinds & bit(arc.edge)) ||
            component[static_cast<std::size_t>(arc.to)] != component[static_cast<std::size_t>(node)])
          continue;
        if (!reported.insert(component[static_cast<std::size_t>(node)]).second) continue;
        report(kind, way(node, node, kinds, component));
      }
    }
  }

  /// Cycles with exactly one anti-dependency: something was read at two moments, or an update was lost.
  void find_single() {
    // Appends to a stream commute: their order says nothing about who had to see whom.
    const unsigned back = bit(Edge::ww) | bit(Edge::wr) | bit(Edge::rt);
    const auto component = components(back | bit(Edge::rw) | bit(Edge::rw_stream));
    for (int node = 0; node < static_cast<int>(history_.size()); ++node) {
      for (const Arc& arc : arcs_[static_cast<std::size_t>(node)]) {
        if (arc.edge != Edge::rw && arc.edge != Edge::rw_stream) continue;
        if (component[static_cast<std::size_t>(arc.to)] != component[static_cast<std::size_t>(node)]) continue;
        const std::string home = way(arc.to, node, back, component);
        if (!home.empty()) report("G-single", transaction(node) + " -rw-> " + home);
      }
    }
  }

  struct Read {
    int transaction;
    Key key;
    std::vector<Element> list;
  };

  const History& history_;
  Level level_;
  std::map<Element, Write> writes_;
  std::map<Key, std::vector<Element>> orders_;
  std::vector<Read> reads_;
  std::vector<std::vector<Arc>> arcs_;
  std::vector<Anomaly> anomalies_;
};

}  // namespace

std::vector<Anomaly> check(const History& history, Level level) { return Checker(history, level).run(); }

}  // namespace stele::isolation
