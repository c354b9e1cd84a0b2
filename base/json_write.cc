// Json::dump(): RapidJSON's writers.
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace lb {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Each byte that begins no well-formed character becomes U+FFFD.
std::string well_formed(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        size_t size = 1;
        while (size <= 4 && size <= text.size() && !is_utf8(text.substr(0, size))) size++;
        bool is_character = size <= 4 && size <= text.size();
        out += is_character ? text.substr(0, size) : kReplacement;
        text.remove_prefix(is_character ? size : 1);
    }
    return out;
}

auto size_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

template <class Writer>
void write_text(Writer& writer, const std::string& text) {
    if (is_utf8(text)) {
        writer.String(text.data(), size_of(text));
    } else {
        std::string whole = well_formed(text);
        writer.String(whole.data(), size_of(whole));
    }
}

template <class Writer>
void write(Writer& writer, const Json& json) {
    if (const std::string* text = json.if_text()) {
        write_text(writer, *text);
    } else if (const int64_t* integer = json.if_integer()) {
        writer.Int64(*integer);
    } else if (const Json::Object* object = json.if_object()) {
        writer.StartObject();
        for (const auto& [key, value] : *object) {
            write_text(writer, key);
            write(writer, value);
        }
        writer.EndObject();
    } else if (const Json::Array* array = json.if_array()) {
        writer.StartArray();
        for (const Json& element : *array) write(writer, element);
        writer.EndArray();
    } else if (const bool* flag = json.if_bool()) {
        writer.Bool(*flag);
    } else if (const double* number = json.if_double();
               number != nullptr && std::isfinite(*number)) {
        writer.Double(*number);
    } else {
        writer.Null();
    }
}

}  // namespace

std::string Json::dump(int indent) const {
    rapidjson::StringBuffer buffer;
    if (indent < 0) {
        rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
        write(writer, *this);
    } else {
        rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
        writer.SetIndent(' ', static_cast<unsigned>(indent));
        write(writer, *this);
    }
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace lb
