#include "base/json.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/text.h"

namespace lb {

namespace {

constexpr size_t kDepthMax = 64;

Error bad_request(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

// Builds a Json from the parser's events, so that duplicates and depth are seen and no second tree
// is made.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
public:
    bool null() override { return add(Json()); }
    bool boolean(bool value) override { return add(Json(value)); }
    bool number_integer(number_integer_t value) override { return add(Json(int64_t{value})); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<uint64_t>(INT64_MAX)) return add(Json(static_cast<double>(value)));
        return add(Json(static_cast<int64_t>(value)));
    }
    bool number_float(number_float_t value, const string_t&) override { return add(Json(value)); }
    bool string(string_t& value) override { return add(Json(std::move(value))); }
    bool binary(binary_t&) override { return false; }
    bool start_object(size_t) override { return open(Json::object()); }
    bool start_array(size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& value) override {
        if (!stack_.back().keys.insert(value).second) {
            failure_ = cat("JSON: duplicate key ", lb::quoted(value));
            return false;
        }
        keys_.push_back(std::move(value));
        return true;
    }
    bool parse_error(size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        if (failure_.empty()) failure_ = cat("JSON: syntax error near byte ", position);
        return false;
    }

    const std::string& failure() const { return failure_; }
    Json take() { return std::move(root_); }

private:
    struct Level {
        Json json;
        std::unordered_set<std::string> keys = {};  // of an object, so far
    };

    bool open(Json container) {
        if (stack_.size() == kDepthMax) {
            failure_ = cat("JSON: nested deeper than ", kDepthMax);
            return false;
        }
        stack_.push_back({.json = std::move(container)});
        return true;
    }
    bool close() {
        Json done = std::move(stack_.back().json);
        stack_.pop_back();
        return add(std::move(done));
    }
    bool add(Json value) {
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (stack_.back().json.if_array() != nullptr) {
            stack_.back().json.push(std::move(value));
        } else {
            // key() has refused duplicates, so this appends.
            stack_.back().json.append_member(std::move(keys_.back()), std::move(value));
            keys_.pop_back();
        }
        return true;
    }

    std::vector<Level> stack_;
    std::vector<std::string> keys_;
    Json root_;
    std::string failure_;
};

nlohmann::ordered_json to_library(const Json& json) {
    if (const bool* value = json.if_bool()) return *value;
    if (const int64_t* value = json.if_integer()) return *value;
    if (const double* value = json.if_double()) return *value;
    if (const std::string* value = json.if_text()) return *value;
    if (const Json::Array* array = json.if_array()) {
        nlohmann::ordered_json out = nlohmann::ordered_json::array();
        for (const Json& element : *array) out.push_back(to_library(element));
        return out;
    }
    if (const Json::Object* object = json.if_object()) {
        // Built as a whole: ordered_json looks every new key up.
        nlohmann::ordered_json::object_t members;
        members.reserve(object->size());
        for (const auto& [key, value] : *object) {
            members.std::vector<std::pair<const std::string, nlohmann::ordered_json>>::emplace_back(
                key, to_library(value));
        }
        return members;
    }
    return nullptr;
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

Result<Json> Json::parse(std::string_view text) {
    if (!is_utf8(text)) return bad_request("JSON: text is not valid UTF-8");
    try {
        Builder builder;
        bool is_complete = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
        if (!is_complete) {
            return bad_request(builder.failure().empty() ? "JSON: syntax error"
                                                         : builder.failure());
        }
        return builder.take();
    } catch (const std::exception& failure) {
        return bad_request(cat("JSON: ", failure.what()));
    }
}

std::string Json::dump(int indent) const {
    return to_library(*this).dump(indent, ' ', false,
                                  nlohmann::ordered_json::error_handler_t::replace);
}

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
