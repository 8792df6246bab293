// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The inside of expressions: the tree, what flows through it, and the tables of operators. Each family of operators is
// a file expression_<family>.cpp with one table: name, arguments, function. An operator's function asks its
// Call for the arguments it wants; those it does not ask for are not evaluated.
#pragma once

#include "engine/base/error.h"
#include "engine/model/expression.h"
#include "engine/model/path.h"

#include <cstdint>
#include <span>
#include <type_traits>

namespace stele::model {

struct Context;

/// What an evaluation gives: nothing (missing), a value that lives in the document, a constant or a variable, or a
/// value of its own. So reading a path copies nothing.
class Result {
 public:
  Result() = default;
  template <class T>
  requires(std::is_convertible_v<T&&, Value> && !std::is_pointer_v<std::decay_t<T>> &&
           !std::is_same_v<std::decay_t<T>, Result>) Result(T&& value)
      : own_(true), value_(std::forward<T>(value)) {}
  static Result at(const Value* lives_elsewhere) {
    Result result;
    result.elsewhere_ = lives_elsewhere;
    return result;
  }

  const Value* get() const { return own_ ? &value_ : elsewhere_; }  // null: missing
  bool missing() const { return get() == nullptr; }
  bool owns() const { return own_; }
  bool nullish() const { return missing() || get()->is_null(); }
  const Value& operator*() const { return *get(); }
  const Value* operator->() const { return get(); }
  /// What it owns goes into `own`. Null: missing.
  const Value* keep(Value& own) &&;

  /// Moves it out, or copies it at the cost of the context's budget; null when missing.
  Value take(Context& context) &&;

 private:
  bool own_ = false;
  const Value* elsewhere_ = nullptr;
  Value value_;
};

/// A variable and its value; the innermost is `Context::frame`.
struct Frame {
  std::size_t slot;
  const Value* value;  // null: missing
  const Frame* outer;
};

/// One evaluation. What it may copy is bounded: `$reduce` and nested `$let` could otherwise double a value a thousand
/// times.
struct Context {
  const Variables& variables;
  const Frame* frame = nullptr;
  std::size_t bytes_left = std::size_t{256} << 20;

  /// `too_large` when the budget is used up.
  void charge(std::size_t bytes);
  void charge(const Value& copied);
  /// Once for each step of a loop over elements: polls the interrupt.
  void tick() {
    if ((++steps & 255) == 0) poll();
  }
  void poll() const;
  std::size_t steps = 0, steps_most = SIZE_MAX;
};

struct Expression::Node {
  explicit Node(std::vector<std::shared_ptr<const Node>> c = {}) : children(std::move(c)) {}
  virtual ~Node() = default;
  virtual Result evaluate(Context& context) const = 0;
  virtual bool collect_paths(std::vector<std::string>& paths) const;
  virtual bool is_constant() const { return false; }

  std::vector<std::shared_ptr<const Node>> children;  // null: an optional argument that is not given
};

using NodePtr = std::shared_ptr<const Expression::Node>;

struct ConstantNode final : Expression::Node {
  explicit ConstantNode(std::optional<Value> v) : value(std::move(v)) {}
  Result evaluate(Context&) const override { return Result::at(value ? &*value : nullptr); }
  bool is_constant() const override { return true; }

  std::optional<Value> value;  // empty: missing
};

struct Operator;

/// An operator at work: its arguments, and how it complains.
class Call {
 public:
  Call(const Operator& op, const std::vector<NodePtr>& arguments, const std::string& what, Context& c)
      : context(c), op_(op), arguments_(arguments), what_(what) {}

  std::size_t count() const { return arguments_.size(); }
  bool given(std::size_t i) const { return i < arguments_.size() && arguments_[i] != nullptr; }
  /// Missing when it is not given.
  Result arg(std::size_t i) const { return given(i) ? arguments_[i]->evaluate(context) : Result(); }
  std::string_view name() const;
  /// Where the operator stands, for messages.
  std::string where() const;

  /// `rule` follows the operator's name: "cannot divide by 0".
  [[noreturn]] void refuse(std::string_view rule, ErrorCode code = ErrorCode::invalid) const;
  /// "needs a string, not a value of type number".
  [[noreturn]] void refuse_type(std::string_view needed, const Result& found) const;

  // The content of an argument that must be of this type; `needed` says so in the message.
  const std::string& string(const Result& value, std::string_view needed = "a string") const;
  const Array& array(const Result& value, std::string_view needed = "an array") const;
  const Object& object(const Result& value, std::string_view needed = "an object") const;
  /// A number without fraction, also 2.0.
  std::int64_t integer(const Result& value, std::string_view needed = "an integer") const;
  std::int64_t integer32(const Result& value, std::string_view needed = "an integer of 32 bits") const;
  bool boolean(const Result& value, std::string_view needed = "true or false") const;
  /// Argument `i` as a position, or `otherwise` when it is not given.
  std::int64_t bound(std::size_t i, std::int64_t otherwise) const;
  /// NaN and infinities are no values here: `out_of_range`.
  Result finite(double number) const;

  Context& context;

 private:
  const Operator& op_;
  const std::vector<NodePtr>& arguments_;
  const std::string& what_;
};

/// A row of a family's table. Arguments come as an array (one alone may come bare), or named in an object, or either
/// way; `names` are in the order of the positions, with '?' behind optional ones.
struct Operator {
  using Run = Result (*)(const Call& call);
  static constexpr std::size_t any = 1'000'000;

  constexpr Operator(std::string_view n, std::size_t l, std::size_t m, Run r) : name(n), least(l), most(m), run(r) {}
  constexpr Operator(std::string_view n, std::string_view arguments, Run r) : name(n), names(arguments), run(r) {}
  constexpr Operator(std::string_view n, std::size_t l, std::size_t m, std::string_view arguments, Run r)
      : name(n), least(l), most(m), names(arguments), run(r) {}

  std::string_view name;
  std::size_t least = 0, most = 0;  // most 0 with names: only named
  std::string_view names;
  Run run;
};

class ExpressionParser;

/// An operator whose arguments are more than expressions: it declares variables, or takes some as they stand.
struct Form {
  std::string_view name;
  NodePtr (*parse)(ExpressionParser& parser, const Value& arguments);
};

class ExpressionParser {
 public:
  ExpressionParser(std::string_view what, std::span<const std::string> supplied);

  NodePtr parse(const Value& value);
  /// A node without variables whose children are constants becomes its value.
  static NodePtr folded(NodePtr node);

  [[noreturn]] void refuse(std::string_view rule) const;
  /// The members of `arguments` in the order of `names` (as in Operator); null where an optional one is not given.
  std::vector<const Value*> named(std::string_view op, const Value& arguments, std::string_view names) const;
  void check_variable_name(std::string_view op, std::string_view name) const;
  const std::shared_ptr<const std::string>& what() const { return what_; }

  /// Variables that expressions parsed during its life may read.
  class Scope {
   public:
    Scope(ExpressionParser& parser, std::vector<std::string> names);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    std::size_t first_slot;

   private:
    ExpressionParser& parser_;
  };

 private:
  NodePtr parse_reference(const std::string& text) const;
  NodePtr parse_variable(const Path& path) const;
  NodePtr parse_array(const Array& array);
  NodePtr parse_object(const Object& object);
  NodePtr parse_call(const Member& call);
  std::vector<NodePtr> parse_arguments(const Operator& op, const Value& arguments);
  std::vector<std::string> checked_steps(const Path& path, std::size_t from) const;
  std::optional<std::size_t> slot_of(std::string_view variable) const;

  std::shared_ptr<const std::string> what_;
  std::vector<std::string> variables_;  // in scope: the index is the slot
  std::vector<std::string> supplied_;
};

std::span<const Operator> accumulator_operators();
std::span<const Operator> arithmetic_operators();
std::span<const Operator> array_operators();
std::span<const Operator> conversion_operators();
std::span<const Operator> date_operators();
std::span<const Operator> logic_operators();
std::span<const Operator> object_operators();
std::span<const Operator> regex_operators();
std::span<const Operator> set_operators();
std::span<const Operator> string_operators();
std::span<const Form> array_forms();
std::span<const Form> scope_forms();

// Shared between families.

/// Missing comes before null, all else as model::compare.
int compare_results(const Value* a, const Value* b);
bool truth(const Result& result);
/// An integer, or a double without fraction that int64 holds.
std::optional<std::int64_t> integral(const Value& value);

}  // namespace stele::model
