// Result<T>: a value or an Error. Status: success or an Error.
//
//   Result<Page> read_page(PageId id);
//   Status flush() {
//       Page page = LB_TRY(read_page(id));   // returns the error to our caller
//       LB_TRY(write(page));
//       return ok();
//   }
//
// A dropped Result is a compiler warning. Reading the value of a failed Result is an assertion.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/error.h"

namespace lb {

template <class T>
class [[nodiscard]] Result {
public:
    using Value = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool is_ok() const { return state_.index() == 0; }
    explicit operator bool() const { return is_ok(); }

    T& value() & {
        LB_ASSERT(is_ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        LB_ASSERT(is_ok());
        return *std::get_if<0>(&state_);
    }
    T value() && {
        LB_ASSERT(is_ok());
        return std::move(*std::get_if<0>(&state_));
    }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }

    Error& error() & {
        LB_ASSERT(!is_ok());
        return *std::get_if<1>(&state_);
    }
    const Error& error() const& {
        LB_ASSERT(!is_ok());
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        LB_ASSERT(!is_ok());
        return std::move(*std::get_if<1>(&state_));
    }

private:
    std::variant<T, Error> state_;
};

struct Unit {};

template <>
class [[nodiscard]] Result<void> {
public:
    using Value = Unit;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool is_ok() const { return !error_.has_value(); }
    explicit operator bool() const { return is_ok(); }
    Unit value() const {
        LB_ASSERT(is_ok());
        return Unit{};
    }
    Error& error() & {
        LB_ASSERT(error_.has_value());
        return *error_;
    }
    const Error& error() const& {
        LB_ASSERT(error_.has_value());
        return *error_;
    }
    Error&& error() && {
        LB_ASSERT(error_.has_value());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

using Status = Result<void>;

inline Status ok() { return Status(); }

// Evaluates to the value, or returns the Error from the enclosing function. (The counter gives each
// use its own variable, so that uses can nest.)
#define LB_TRY(expression) LB_TRY_NAMED(expression, LB_CONCATENATE(lb_try_result_, __COUNTER__))
#define LB_CONCATENATE(a, b) LB_CONCATENATE_EXPANDED(a, b)
#define LB_CONCATENATE_EXPANDED(a, b) a##b
#define LB_TRY_NAMED(expression, name)                     \
    __extension__({                                        \
        auto name = (expression);                          \
        if (!name.is_ok()) return std::move(name).error(); \
        std::move(name).value();                           \
    })

// For tests and main(): the value, or the process stops with the error's text.
template <class T>
typename Result<T>::Value must(Result<T> result, const char* file, int line) {
    if (!result.is_ok()) assertion_failed(to_text(result.error()).c_str(), file, line);
    return std::move(result).value();
}
#define LB_MUST(expression) ::lb::must((expression), __FILE__, __LINE__)

}  // namespace lb
