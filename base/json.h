// Json: a JSON value of our own, so that the JSON library is seen by one file only.
//
//   Json plan = Json::object();
//   plan.set("changes", Json::array());
//   std::string text = plan.dump();
//   Json parsed = LB_TRY(Json::parse(text));
//   std::string name = LB_TRY(parsed.text_at("name"));
//
// Objects keep the order in which keys were set; dump() is byte-equal for equal values. Integers
// are 64-bit signed. The *_at accessors return kBadRequest naming the key when it is absent or of
// another type, so that decoders need no checks of their own. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace lb {

class Json {
public:
    using Array = std::vector<Json>;
    using Member = std::pair<std::string, Json>;
    using Object = std::vector<Member>;

    Json() = default;  // null
    Json(bool value) : value_(value) {}
    Json(int64_t value) : value_(value) {}
    Json(uint64_t value) : value_(static_cast<int64_t>(value)) {}
    Json(int value) : value_(static_cast<int64_t>(value)) {}
    Json(double value) : value_(value) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(const char* value) : value_(std::string(value)) {}

    static Json array() {
        Json json;
        json.value_ = Array{};
        return json;
    }
    static Json object() {
        Json json;
        json.value_ = Object{};
        return json;
    }

    // Errors: kBadRequest with line and column for malformed text, for text that is not UTF-8, for
    // nesting deeper than 64, for duplicate keys and for trailing text.
    static Result<Json> parse(std::string_view text);

    // indent < 0: one line. Text that is not UTF-8 is written with U+FFFD.
    std::string dump(int indent = -1) const;

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    const bool* if_bool() const { return std::get_if<bool>(&value_); }
    const int64_t* if_integer() const { return std::get_if<int64_t>(&value_); }
    const double* if_double() const { return std::get_if<double>(&value_); }
    const std::string* if_text() const { return std::get_if<std::string>(&value_); }
    const Array* if_array() const { return std::get_if<Array>(&value_); }
    const Object* if_object() const { return std::get_if<Object>(&value_); }

    // Requires: an object. Replaces an earlier value of the same key.
    void set(std::string_view key, Json value);
    // As set(), for a key that is known to be new: constant time.
    void append_member(std::string key, Json value);
    // Requires: an array.
    void push(Json value);

    // nullptr if this is no object or has no such key.
    const Json* find(std::string_view key) const;

    Result<bool> bool_at(std::string_view key) const;
    Result<int64_t> integer_at(std::string_view key) const;
    Result<uint64_t> unsigned_at(std::string_view key) const;  // refuses negatives
    Result<std::string> text_at(std::string_view key) const;
    // Never null when ok; they live as long as this value.
    Result<const Array*> array_at(std::string_view key) const;
    Result<const Json*> object_at(std::string_view key) const;

    bool operator==(const Json&) const = default;

private:
    std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace lb
