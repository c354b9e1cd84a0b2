#include "base/model/names.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace lb {

namespace {

constexpr size_t kNameMaxBytes = 63;

Error invalid(std::string_view kind, std::string_view name, std::string_view why,
              std::string help) {
    return Error{.code = ErrorCode::kInvalidName,
                 .message = cat(kind, " name ", quoted(name.substr(0, 80)), " ", why),
                 .help = std::move(help)};
}

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// The nearest allowed spelling: lower case, other characters as '-'.
std::string allowed_spelling(std::string_view name, bool is_slash_allowed) {
    std::string out;
    for (char c : name.substr(0, kNameMaxBytes)) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        bool is_allowed = is_name_char(c) || (is_slash_allowed && c == '/');
        out += is_allowed ? c : '-';
    }
    size_t start = out.find_first_not_of("-_./");
    return start == std::string::npos ? "" : out.substr(start);
}

Status check_lb_name(std::string_view kind, std::string_view name, bool is_slash_allowed) {
    std::string characters =
        is_slash_allowed ? "a-z, 0-9, '-', '_', '.' and '/'" : "a-z, 0-9, '-', '_' and '.'";
    std::string help = cat("use 1 to 63 of ", characters, ", starting with a letter or digit");
    std::string spelling = allowed_spelling(name, is_slash_allowed);
    if (!spelling.empty() && spelling != name) help += cat("; for example ", quoted(spelling));

    if (name.empty()) return invalid(kind, name, "is empty", help);
    if (name.size() > kNameMaxBytes) {
        return invalid(kind, name, cat("is ", name.size(), " bytes long, 63 are allowed"), help);
    }
    for (char c : name) {
        if (is_name_char(c) || (is_slash_allowed && c == '/')) continue;
        return invalid(kind, name, cat("contains ", quoted(std::string_view(&c, 1))), help);
    }
    char first = name.front();
    if (first == '-' || first == '_' || first == '.' || first == '/') {
        return invalid(kind, name, cat("starts with '", first, "'"), help);
    }
    for (std::string_view part : {"..", "//", "/."}) {
        if (name.find(part) != std::string_view::npos) {
            return invalid(kind, name, cat("contains ", quoted(part)), help);
        }
    }
    for (std::string_view end : {"/", ".", ".lock"}) {
        if (name.ends_with(end)) return invalid(kind, name, cat("ends with ", quoted(end)), help);
    }
    return ok();
}

Status check_identifier(std::string_view kind, std::string_view name) {
    static const std::string kHelp = "use 1 to 63 bytes of UTF-8";
    if (name.empty()) return invalid(kind, name, "is empty", kHelp);
    if (name.size() > kNameMaxBytes) {
        return invalid(kind, name, cat("is ", name.size(), " bytes long, PostgreSQL allows 63"),
                       kHelp);
    }
    if (name.find('\0') != std::string_view::npos) {
        return invalid(kind, name, "contains a NUL byte", kHelp);
    }
    if (!is_utf8(name)) return invalid(kind, name, "is not valid UTF-8", kHelp);
    if (name.starts_with("lb_")) {
        return invalid(kind, name, "starts with \"lb_\", which lb keeps for itself",
                       "choose another prefix");
    }
    return ok();
}

}  // namespace

Status check_project_name(std::string_view name) { return check_lb_name("project", name, false); }

Status check_branch_name(std::string_view name) { return check_lb_name("branch", name, true); }

Status check_role_name(std::string_view name) {
    LB_TRY(check_identifier("role", name));
    if (name.starts_with("pg_")) {
        return invalid("role", name, "starts with \"pg_\", which PostgreSQL keeps for itself",
                       "choose another prefix");
    }
    for (std::string_view reserved : {"postgres", "public", "none"}) {
        if (name == reserved) return invalid("role", name, "is reserved", "choose another name");
    }
    return ok();
}

Status check_schema_name(std::string_view name) {
    LB_TRY(check_identifier("schema", name));
    if (name.starts_with("pg_")) {
        return invalid("schema", name, "starts with \"pg_\", which PostgreSQL keeps for itself",
                       "choose another prefix");
    }
    for (std::string_view present : {"public", "information_schema"}) {
        if (name == present) {
            return invalid("schema", name, "is in every database", "leave it out");
        }
    }
    return ok();
}

// PostgreSQL makes file names of it.
Status check_extension_name(std::string_view name) {
    LB_TRY(check_identifier("extension", name));
    bool is_file_name = name.find("--") == std::string_view::npos && !name.starts_with('-') &&
                        !name.ends_with('-') && name.find_first_of("/\\") == std::string_view::npos;
    if (!is_file_name) {
        return invalid("extension", name, "is no name of an extension",
                       "see which there are: SELECT name FROM pg_available_extensions");
    }
    if (name == "plpgsql") {
        return invalid("extension", name, "is in every database", "leave it out");
    }
    return ok();
}

Status check_database_name(std::string_view name) {
    LB_TRY(check_identifier("database", name));
    for (std::string_view reserved : {"postgres", "template0", "template1"}) {
        if (name == reserved) {
            return invalid("database", name, "is reserved", "choose another name");
        }
    }
    return ok();
}

}  // namespace lb
