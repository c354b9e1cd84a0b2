// Json::parse(): RapidJSON's parser, driven without recursion; its events make the tree.
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"

namespace lb {

namespace {

constexpr size_t kDepthMax = 64;
// Up to here comparing each key with each is faster than sorting them.
constexpr size_t kFewMembers = 16;

Error bad_request(std::string message) {
    return Error{.code = ErrorCode::kBadRequest, .message = std::move(message)};
}

// nullptr if all keys differ.
const std::string* duplicate_key(const Json::Object& members) {
    if (members.size() <= kFewMembers) {
        for (size_t i = 1; i < members.size(); i++) {
            for (size_t j = 0; j < i; j++) {
                if (members[i].first == members[j].first) return &members[i].first;
            }
        }
        return nullptr;
    }
    std::vector<const std::string*> keys;
    keys.reserve(members.size());
    for (const Json::Member& member : members) keys.push_back(&member.first);
    std::ranges::sort(keys, {}, [](const std::string* key) { return std::string_view(*key); });
    auto twice = std::ranges::adjacent_find(
        keys, {}, [](auto* key) -> const auto& { return *key; });
    return twice == keys.end() ? nullptr : *twice;
}

// nullopt if it is too large for a double.
std::optional<Json> number(std::string_view text) {
    if (text.find_first_of(".eE") == std::string_view::npos) {
        int64_t integer = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), integer);
        if (failure == std::errc{}) return Json(integer);
    }
    // Unlike from_chars() it tells what is too small from what is too large.
    double value = std::strtod(std::string(text).c_str(), nullptr);
    if (std::isinf(value)) return std::nullopt;
    return Json(value);
}

// The parser's events. Each returns whether to go on.
class Builder {
public:
    bool Null() { return add(Json()); }
    bool Bool(bool value) { return add(Json(value)); }
    bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
        std::optional<Json> value = number({text, size});
        if (!value) return refuse("a number is too large");
        return add(std::move(*value));
    }
    bool String(const char* text, rapidjson::SizeType size, bool) {
        std::string_view value(text, size);
        // An escape can name half a character.
        if (!is_utf8(value)) return refuse("an escape names half a character");
        return add(Json(value));
    }
    bool Key(const char* text, rapidjson::SizeType size, bool) {
        std::string_view key(text, size);
        if (!is_utf8(key)) return refuse("an escape names half a character");
        keys_.emplace_back(key);
        return true;
    }
    bool StartObject() { return open(Json::object()); }
    bool StartArray() { return open(Json::array()); }
    bool EndObject(rapidjson::SizeType) {
        const std::string* twice = duplicate_key(*open_.back().if_object());
        if (twice != nullptr) return refuse(cat("duplicate key ", quoted(*twice)));
        return close();
    }
    bool EndArray(rapidjson::SizeType) { return close(); }

    // Never called: numbers come as text.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(int64_t) { return false; }
    bool Uint64(uint64_t) { return false; }
    bool Double(double) { return false; }

    const std::string& refusal() const { return refusal_; }
    Json take() { return std::move(root_); }

private:
    bool refuse(std::string why) {
        refusal_ = std::move(why);
        return false;
    }
    bool open(Json container) {
        if (open_.size() == kDepthMax) return refuse(cat("nested deeper than ", kDepthMax));
        open_.push_back(std::move(container));
        return true;
    }
    bool close() {
        Json done = std::move(open_.back());
        open_.pop_back();
        return add(std::move(done));
    }
    bool add(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (open_.back().if_array() != nullptr) {
            open_.back().push(std::move(value));
        } else {
            open_.back().append_member(std::move(keys_.back()), std::move(value));
            keys_.pop_back();
        }
        return true;
    }

    std::vector<Json> open_;  // containers, the outermost first
    std::vector<std::string> keys_;
    Json root_;
    std::string refusal_;
};

Error refused_at(std::string_view text, size_t offset, std::string_view why) {
    std::string_view before = text.substr(0, offset);
    auto line = std::ranges::count(before, '\n') + 1;
    size_t column = offset - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    return bad_request(cat("JSON: line ", line, ", column ", column, ": ", why));
}

}  // namespace

Result<Json> Json::parse(std::string_view text) {
    if (!is_utf8(text)) return bad_request("JSON: text is not valid UTF-8");
    constexpr unsigned kFlags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    Builder builder;
    rapidjson::Reader reader;
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
    if (!builder.refusal().empty()) return refused_at(text, parsed.Offset(), builder.refusal());
    if (parsed.IsError()) {
        return refused_at(text, parsed.Offset(), rapidjson::GetParseError_En(parsed.Code()));
    }
    // The parser takes a zero byte for the end.
    if (stream.Tell() != text.size()) return refused_at(text, stream.Tell(), "a zero byte");
    return builder.take();
}

}  // namespace lb
