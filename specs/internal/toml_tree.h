// A TOML document as plain values, each with its place, so that the rules about specs are ordinary
// code and the TOML library is seen by toml_reader.cc alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "specs/internal/place.h"

namespace lb::specs {

// A date, a time of day or both. Only a time with a zone names a moment.
struct TomlTime {
    std::string text;  // RFC 3339, if it has a zone
    bool has_zone = false;
};

struct TomlValue;
struct TomlMember;
using TomlArray = std::vector<TomlValue>;
using TomlTable = std::vector<TomlMember>;  // sorted by key, keys unique

struct TomlValue {
    std::variant<std::string, int64_t, double, bool, TomlTime, TomlArray, TomlTable> data;
    Place place;

    template <class T>
    const T* get_if() const {
        return std::get_if<T>(&data);
    }
};

struct TomlMember {
    std::string key;
    Place key_place;
    TomlValue value;
};

// nullptr if there is no such key.
const TomlMember* find_member(const TomlTable& table, std::string_view key);

// Times become their text.
Json json_of(const TomlValue& value);

// "a string", "a table" and so on, for messages.
std::string_view kind_name(const TomlValue& value);

}  // namespace lb::specs
