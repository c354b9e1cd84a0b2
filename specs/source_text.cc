#include "specs/internal/source_text.h"

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/place.h"
#include "specs/internal/toml_reader.h"
#include "specs/internal/toml_scanner.h"
#include "specs/internal/utf8.h"
#include "specs/spec_reader.h"

namespace lb::specs {

namespace {

// What must hold before a parser sees the text.
bool check_text(std::string_view text, Reporter& reporter) {
    if (text.size() > kSpecMaxBytes) {
        reporter.error(codes::kTooLarge, {},
                       cat("the spec has ", format_bytes(text.size()), ", ",
                           format_bytes(kSpecMaxBytes), " are allowed"),
                       "split the project");
        return false;
    }
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        reporter.error(codes::kNotText, {}, "the spec is UTF-16, not UTF-8",
                       "save it as UTF-8, as in iconv -f UTF-16 -t UTF-8");
        return false;
    }
    if (size_t offset = find_invalid_utf8(text); offset != std::string_view::npos) {
        reporter.error(codes::kNotText, place_of_offset(text, offset), "the spec is not UTF-8",
                       "save it as UTF-8");
        return false;
    }
    if (size_t offset = text.find('\0'); offset != std::string_view::npos) {
        reporter.error(codes::kNotText, place_of_offset(text, offset),
                       "the spec contains a NUL byte", "remove it; a spec is plain text");
        return false;
    }
    TomlExcess excess = find_excess(text);
    if (excess.key_parts_at != std::string_view::npos) {
        reporter.error(codes::kTooDeep, place_of_offset(text, excess.key_parts_at),
                       cat("the key has more than ", kKeyPartsMax, " parts"),
                       "no key of a spec has so many; remove it");
    }
    if (excess.tables_at != std::string_view::npos) {
        reporter.error(codes::kTooMany, place_of_offset(text, excess.tables_at),
                       cat("there are more than ", kTablesMax, " tables and dotted keys"),
                       "split the project");
    }
    return excess.key_parts_at == std::string_view::npos &&
           excess.tables_at == std::string_view::npos;
}

}  // namespace

std::string_view without_mark(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    return text;
}

std::optional<TomlTable> read_source(std::string_view text, Reporter& reporter) {
    text = without_mark(text);
    if (!check_text(text, reporter)) return std::nullopt;
    return read_toml(text, reporter);
}

}  // namespace lb::specs
