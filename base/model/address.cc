#include "base/model/address.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace lb {

namespace {

bool is_plain(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '/';
    });
}

// Quotes and backslashes are escaped with a backslash; everything else stands as it is.
std::string name_text(std::string_view name) {
    if (is_plain(name)) return std::string(name);
    std::string out = "\"";
    for (char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

Error bad_address(std::string_view text) {
    return Error{.code = ErrorCode::kUsage,
                 .message = cat("not an address: ", quoted(text)),
                 .help =
                     "write project, branch.NAME, compute.BRANCH, role.BRANCH.NAME, "
                     "database.BRANCH.NAME, schema.BRANCH.DATABASE.NAME or "
                     "extension.BRANCH.DATABASE.NAME"};
}

// Takes one name off the front of `rest`; nullopt if there is none.
std::optional<std::string> take_name(std::string_view& rest) {
    std::string name;
    if (!rest.starts_with('"')) {
        size_t end = rest.find('.');
        name = std::string(rest.substr(0, end));
        rest.remove_prefix(name.size());
        return is_plain(name) ? std::optional(name) : std::nullopt;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\') rest.remove_prefix(1);
        if (rest.empty()) return std::nullopt;
        name += rest.front();
        rest.remove_prefix(1);
    }
    if (rest.empty() || name.empty()) return std::nullopt;
    rest.remove_prefix(1);
    return name;
}

// ".NAME" off the front of `rest`.
bool take_part(std::string_view& rest, std::string& part) {
    if (!rest.starts_with('.')) return false;
    rest.remove_prefix(1);
    auto name = take_name(rest);
    if (name) part = *std::move(name);
    return name.has_value();
}

}  // namespace

std::string_view to_text(ResourceKind kind) {
    switch (kind) {
        case ResourceKind::kProject: return "project";
        case ResourceKind::kBranch: return "branch";
        case ResourceKind::kCompute: return "compute";
        case ResourceKind::kRole: return "role";
        case ResourceKind::kDatabase: return "database";
        case ResourceKind::kSchema: return "schema";
        case ResourceKind::kExtension: return "extension";
    }
    return "";
}

std::string to_text(const Address& address) {
    std::string text(to_text(address.kind));
    if (address.kind == ResourceKind::kProject) return text;
    text += "." + name_text(address.branch);
    if (!address.database.empty()) text += "." + name_text(address.database);
    if (!address.name.empty()) text += "." + name_text(address.name);
    return text;
}

Result<Address> parse_address(std::string_view text) {
    if (text == "project") return Address::project();
    std::string_view rest = text;
    size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return bad_address(text);
    std::string_view kind_text = rest.substr(0, dot);
    rest.remove_prefix(dot);
    for (ResourceKind kind :
         {ResourceKind::kBranch, ResourceKind::kCompute, ResourceKind::kRole,
          ResourceKind::kDatabase, ResourceKind::kSchema, ResourceKind::kExtension}) {
        if (to_text(kind) != kind_text) continue;
        Address address{.kind = kind};
        bool is_named = kind != ResourceKind::kBranch && kind != ResourceKind::kCompute;
        bool is_inside = kind == ResourceKind::kSchema || kind == ResourceKind::kExtension;
        bool is_good = take_part(rest, address.branch) &&
                       (!is_inside || take_part(rest, address.database)) &&
                       (!is_named || take_part(rest, address.name)) && rest.empty();
        if (!is_good) return bad_address(text);
        return address;
    }
    return bad_address(text);
}

}  // namespace lb
