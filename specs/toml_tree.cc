#include "specs/internal/toml_tree.h"

#include <algorithm>

namespace lb::specs {

namespace {

struct JsonMaker {
    Json operator()(const std::string& text) const { return text; }
    Json operator()(int64_t integer) const { return integer; }
    Json operator()(double real) const { return real; }
    Json operator()(bool boolean) const { return boolean; }
    Json operator()(const TomlTime& time) const { return time.text; }
    Json operator()(const TomlArray& items) const {
        Json json = Json::array();
        for (const TomlValue& item : items) json.push(json_of(item));
        return json;
    }
    Json operator()(const TomlTable& table) const {
        Json json = Json::object();
        for (const TomlMember& member : table) json.set(member.key, json_of(member.value));
        return json;
    }
};

}  // namespace

Json json_of(const TomlValue& value) { return std::visit(JsonMaker{}, value.data); }

const TomlMember* find_member(const TomlTable& table, std::string_view key) {
    auto at = std::lower_bound(
        table.begin(), table.end(), key,
        [](const TomlMember& member, std::string_view wanted) { return member.key < wanted; });
    return at != table.end() && at->key == key ? &*at : nullptr;
}

std::string_view kind_name(const TomlValue& value) {
    struct Namer {
        std::string_view operator()(const std::string&) const { return "a string"; }
        std::string_view operator()(int64_t) const { return "an integer"; }
        std::string_view operator()(double) const { return "a number with a fraction"; }
        std::string_view operator()(bool) const { return "a boolean"; }
        std::string_view operator()(const TomlTime&) const { return "a date or time"; }
        std::string_view operator()(const TomlArray&) const { return "a list"; }
        std::string_view operator()(const TomlTable&) const { return "a table"; }
    };
    return std::visit(Namer{}, value.data);
}

}  // namespace lb::specs
