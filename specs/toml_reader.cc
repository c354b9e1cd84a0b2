// The one file that sees toml++. Debian ships it both compiled with exceptions and as headers; the
// headers are used, because that is the way to a parser that throws nothing, to a nesting limit of
// our own, and to a parser that sanitizers and fuzzers can see into. Nothing links the compiled
// library, so there is one definition of everything.
#include "specs/internal/toml_reader.h"

#include <algorithm>
#include <cstdio>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/secrets.h"

namespace lb::specs {

static_assert(TOML_MAX_NESTED_VALUES == kTomlNestingMax);

namespace {

Place place_of(const toml::source_region& region) {
    return {.line = region.begin.line,
            .column = region.begin.column,
            .end_line = region.end.line,
            .end_column = region.end.column};
}

TomlTime convert(const toml::date_time& moment) {
    if (!moment.offset) return {};
    int minutes = moment.offset->minutes;
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09u%c%02d:%02d",
                  int{moment.date.year}, int{moment.date.month}, int{moment.date.day},
                  int{moment.time.hour}, int{moment.time.minute}, int{moment.time.second},
                  unsigned{moment.time.nanosecond}, minutes < 0 ? '-' : '+',
                  (minutes < 0 ? -minutes : minutes) / 60, (minutes < 0 ? -minutes : minutes) % 60);
    return {.text = text, .has_zone = true};
}

// Recursion is bounded by kTomlNestingMax and kKeyPartsMax.
TomlValue convert(const toml::node& node);

TomlTable convert(const toml::table& table) {
    TomlTable members;
    members.reserve(table.size());
    for (const auto& [key, node] : table) {
        members.push_back({.key = std::string(key.str()),
                           .key_place = place_of(key.source()),
                           .value = convert(node)});
    }
    return members;  // toml::table is sorted by key
}

TomlValue convert(const toml::node& node) {
    TomlValue value{.data = {}, .place = place_of(node.source())};
    if (const auto* text = node.as_string()) {
        value.data = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.data = integer->get();
    } else if (const auto* real = node.as_floating_point()) {
        value.data = real->get();
    } else if (const auto* boolean = node.as_boolean()) {
        value.data = boolean->get();
    } else if (const auto* moment = node.as_date_time()) {
        value.data = convert(moment->get());
    } else if (const auto* array = node.as_array()) {
        TomlArray items;
        items.reserve(array->size());
        for (const toml::node& item : *array) items.push_back(convert(item));
        value.data = std::move(items);
    } else if (const auto* table = node.as_table()) {
        value.data = convert(*table);
    } else {
        value.data = TomlTime{};  // a local date or time
    }
    return value;
}

size_t offset_of_line(std::string_view text, uint32_t line) {
    size_t offset = 0;
    for (uint32_t passed = 1; passed < line; ++passed) {
        size_t newline = text.find('\n', offset);
        if (newline == std::string_view::npos) break;
        offset = newline + 1;
    }
    return offset;
}

// Of UTF-8, without a carriage return at the end.
size_t count_code_points(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

bool has_secret(std::string_view text, size_t begin, size_t end) {
    for (const TextRange& secret : find_secrets(text)) {
        if (secret.begin < end && begin < secret.end) return true;
    }
    return false;
}

struct SyntaxProblem {
    std::string message;
    std::string help;
};

enum class Where { kInLine, kLineEnd };

// The commonest problems in words that say what to do; the parser's own words for the others.
SyntaxProblem explain(std::string_view description, std::string_view line, Where where) {
    static constexpr std::string_view kPrefix = "Error while parsing ";
    if (description.starts_with(kPrefix)) description.remove_prefix(kPrefix.size());
    auto mentions = [&](std::string_view part) {
        return description.find(part) != std::string_view::npos;
    };
    bool is_in_string = description.starts_with("string") || description.starts_with("literal");
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (is_in_string && where == Where::kLineEnd) {
        return {"not valid TOML: the string is not closed",
                "end it with its quote; text of several lines stands between triple quotes"};
    }
    if (mentions("could not determine value type")) {
        return {"not valid TOML: this is no value", "put text in double quotes"};
    }
    std::string message = cat("not valid TOML: ", description);
    if (mentions("cannot redefine existing")) {
        return {message, "each table and each key may stand once; merge the two, or remove one"};
    }
    if (line.starts_with('[') && mentions("expected ']'")) {
        return {message,
                "put a name with other characters than A-Z a-z 0-9 _ - in quotes, as in "
                "[branches.\"feature/cart\"]"};
    }
    return {message, "the rules of TOML are at https://toml.io/en/v1.0.0"};
}

void report_syntax(const toml::parse_error& failure, std::string_view text, Reporter& reporter) {
    Place place = place_of(failure.source());
    if (place.line == 0) place = {.line = 1, .column = 1, .end_line = 1, .end_column = 1};
    size_t begin = offset_of_line(text, place.line);
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);

    // The parser's words may repeat a piece of the value.
    if (has_secret(text, begin, end)) {
        reporter.error(codes::kSyntax, place,
                       "not valid TOML; the line may hold a secret and is not shown",
                       "check quotes and brackets; a password is written as password = { env = "
                       "\"APP_PASSWORD\" }");
        return;
    }
    std::string_view description = failure.description();
    if (description.find("exceeded maximum nested value depth") != std::string_view::npos) {
        reporter.error(codes::kTooDeep, place,
                       cat("more than ", kTomlNestingMax, " lists or tables inside of each other"),
                       "no key of a spec needs that; remove the value");
        return;
    }
    bool is_at_end = place.column > count_code_points(line);
    auto [message, help] = explain(description, line, is_at_end ? Where::kLineEnd : Where::kInLine);
    reporter.error(codes::kSyntax, place, std::move(message), std::move(help));
}

}  // namespace

std::optional<TomlTable> read_toml(std::string_view text, Reporter& reporter) {
    toml::parse_result result = toml::parse(text, std::string_view());
    if (!result) {
        report_syntax(result.error(), text, reporter);
        return std::nullopt;
    }
    return convert(result.table());
}

}  // namespace lb::specs
