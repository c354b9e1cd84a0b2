#include "base/json.h"

#include "base/text.h"

namespace lb {

namespace {

Error bad_request(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

template <class Value>
Result<const Value*> member(const Json& json, std::string_view key, std::string_view type,
                            const Value* (*get)(const Json&)) {
    const Json* found = json.find(key);
    if (found == nullptr) return bad_request(cat("JSON: key ", lb::quoted(key), " is missing"));
    const Value* value = get(*found);
    if (value == nullptr) return bad_request(cat("JSON: key ", lb::quoted(key), " is not ", type));
    return value;
}

}  // namespace

void Json::set(std::string_view key, Json value) {
    auto* object = std::get_if<Object>(&value_);
    LB_ASSERT(object != nullptr);
    for (Member& member : *object) {
        if (member.first == key) {
            member.second = std::move(value);
            return;
        }
    }
    object->emplace_back(std::string(key), std::move(value));
}

void Json::append_member(std::string key, Json value) {
    auto* object = std::get_if<Object>(&value_);
    LB_ASSERT(object != nullptr);
    object->emplace_back(std::move(key), std::move(value));
}

void Json::push(Json value) {
    auto* array = std::get_if<Array>(&value_);
    LB_ASSERT(array != nullptr);
    array->push_back(std::move(value));
}

const Json* Json::find(std::string_view key) const {
    const Object* object = if_object();
    if (object == nullptr) return nullptr;
    for (const Member& member : *object) {
        if (member.first == key) return &member.second;
    }
    return nullptr;
}

Result<bool> Json::bool_at(std::string_view key) const {
    return *LB_TRY(
        member<bool>(*this, key, "true or false", [](const Json& json) { return json.if_bool(); }));
}

Result<int64_t> Json::integer_at(std::string_view key) const {
    return *LB_TRY(member<int64_t>(*this, key, "an integer",
                                   [](const Json& json) { return json.if_integer(); }));
}

Result<uint64_t> Json::unsigned_at(std::string_view key) const {
    int64_t value = LB_TRY(integer_at(key));
    if (value < 0) return bad_request(cat("JSON: key ", lb::quoted(key), " is negative"));
    return static_cast<uint64_t>(value);
}

Result<std::string> Json::text_at(std::string_view key) const {
    return *LB_TRY(
        member<std::string>(*this, key, "a text", [](const Json& json) { return json.if_text(); }));
}

Result<const Json::Array*> Json::array_at(std::string_view key) const {
    return LB_TRY(
        member<Array>(*this, key, "an array", [](const Json& json) { return json.if_array(); }));
}

Result<const Json*> Json::object_at(std::string_view key) const {
    const Json* found = find(key);
    if (found == nullptr) return bad_request(cat("JSON: key ", lb::quoted(key), " is missing"));
    if (found->if_object() == nullptr) {
        return bad_request(cat("JSON: key ", lb::quoted(key), " is not an object"));
    }
    return found;
}

}  // namespace lb
