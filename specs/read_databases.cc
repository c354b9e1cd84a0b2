#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

constexpr size_t kIdentifierMaxBytes = 63;

// As pg_encoding_to_char() calls them; those that a server can have.
constexpr std::array<std::string_view, 35> kEncodings = {
    "SQL_ASCII", "EUC_JP",  "EUC_CN",  "EUC_KR",     "EUC_TW",     "EUC_JIS_2004", "UTF8",
    "LATIN1",    "LATIN2",  "LATIN3",  "LATIN4",     "LATIN5",     "LATIN6",       "LATIN7",
    "LATIN8",    "LATIN9",  "LATIN10", "WIN1256",    "WIN1258",    "WIN866",       "WIN874",
    "KOI8R",     "WIN1251", "WIN1252", "ISO_8859_5", "ISO_8859_6", "ISO_8859_7",   "ISO_8859_8",
    "WIN1250",   "WIN1253", "WIN1254", "WIN1255",    "WIN1257",    "KOI8U",        "MULE_INTERNAL"};

// "utf-8" and "UTF8" are the same to PostgreSQL.
std::string letters_and_digits(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    }
    return out;
}

std::string read_encoding(const TableReader& table, Reporter& reporter) {
    auto text = table.text("encoding");
    if (!text) return {};
    std::string wanted = letters_and_digits(text->text);
    for (std::string_view encoding : kEncodings) {
        if (letters_and_digits(encoding) == wanted) return std::string(encoding);
    }
    std::string_view near = reporter.suggest(text->text, {kEncodings.begin(), kEncodings.end()});
    reporter.error(codes::kUnknownEncoding, text->place,
                   cat(quoted(text->text), " is no encoding that a database can have"),
                   near.empty() ? "use \"UTF8\"" : cat("did you mean ", quoted(near), "?"));
    return {};
}

// Something that is only referred to, and that lb need not have made.
std::string read_identifier(const TableReader& table, std::string_view key, Reporter& reporter) {
    auto text = table.text(key);
    if (!text) return {};
    bool is_possible = !text->text.empty() && text->text.size() <= kIdentifierMaxBytes &&
                       text->text.find('\0') == std::string::npos;
    if (is_possible) return text->text;
    reporter.error(codes::kOutOfRange, text->place,
                   cat(quoted(key), " is ", text->text.size(), " bytes long or has a NUL byte"),
                   "use 1 to 63 bytes without NUL");
    return {};
}

struct ListRules {
    std::string_view key;       // "schemas"
    std::string_view resource;  // "schema"
    size_t count_max = 0;
    Status (*check_name)(std::string_view name) = nullptr;
    const TableRules* table = nullptr;
};

// Calls `visit` for each item: a name alone, for which `more` is null, or a table with one.
void read_names_or_tables(
    const TableReader& database, const ListRules& rules, Reporter& reporter,
    const std::function<void(const PlacedText& name, const TableReader* more)>& visit) {
    const TomlMember* member = database.find(rules.key);
    if (member == nullptr) return;
    std::string help = cat("write it as ", rules.key, " = [\"a\", { name = \"b\" }]");
    const auto* items = member->value.get_if<TomlArray>();
    if (items == nullptr) {
        report_wrong_type(rules.key, member->value, "a list of strings or tables", help, reporter);
        return;
    }
    if (items->size() > rules.count_max) {
        reporter.error(
            codes::kTooMany, member->key_place,
            cat("there are ", items->size(), " ", rules.key, ", ", rules.count_max, " are allowed"),
            "use another database");
        return;
    }
    std::set<std::string> seen;
    auto take = [&](const PlacedText& name, const TableReader* more) {
        if (!check_name(rules.check_name(name.text), name.place, reporter)) return;
        if (seen.insert(name.text).second) return visit(name, more);
        reporter.error(codes::kListedTwice, name.place,
                       cat(quoted(name.text), " is listed twice in ", quoted(rules.key)),
                       "remove one of the two");
    };
    for (const TomlValue& item : *items) {
        if (const auto* text = item.get_if<std::string>()) {
            take({.text = *text, .place = item.place}, nullptr);
        } else if (const auto* table = item.get_if<TomlTable>()) {
            TableReader more(*table, *rules.table, reporter);
            if (auto name = more.text("name")) {
                take(*name, &more);
            } else if (more.find("name") == nullptr) {
                reporter.error(codes::kMissingKey, item.place,
                               cat("the ", rules.resource, " has no name"), help);
            }
        } else {
            report_wrong_type(rules.key, item, "a list of strings or tables", help, reporter);
        }
    }
}

void read_schemas(const TableReader& reader, DatabaseDraft& database, Reporter& reporter) {
    static constexpr ListRules kRules = {.key = "schemas",
                                         .resource = "schema",
                                         .count_max = kSchemasMax,
                                         .check_name = check_schema_name,
                                         .table = &kSchemaRules};
    read_names_or_tables(reader, kRules, reporter, [&](auto& name, const TableReader* more) {
        std::optional<PlacedText> owner;
        if (more != nullptr) owner = more->text("owner");
        database.spec.schemas.push_back({.name = name.text, .span = reporter.span(name.place)});
        database.schema_owners.push_back(owner.value_or(PlacedText{}));
    });
}

void read_extensions(const TableReader& reader, DatabaseDraft& database, Reporter& reporter) {
    static constexpr ListRules kRules = {.key = "extensions",
                                         .resource = "extension",
                                         .count_max = kExtensionsMax,
                                         .check_name = check_extension_name,
                                         .table = &kExtensionRules};
    read_names_or_tables(reader, kRules, reporter, [&](auto& name, const TableReader* more) {
        ExtensionSpec extension{.name = name.text, .span = reporter.span(name.place)};
        if (more != nullptr) {
            extension.schema = read_identifier(*more, "schema", reporter);
            extension.version = read_identifier(*more, "version", reporter);
        }
        database.spec.extensions.push_back(std::move(extension));
    });
    std::ranges::sort(database.spec.extensions, {}, &ExtensionSpec::name);
}

}  // namespace

void read_databases(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    static constexpr SectionRules kRules = {.key = "databases",
                                            .resource = "database",
                                            .count_max = kDatabasesMax,
                                            .check_name = check_database_name,
                                            .case_rule = CaseRule::kUniqueWithoutCase};
    read_section(spec, kRules, reporter, [&](const TomlMember& member, const TomlTable& table) {
        DatabaseDraft database{
            .spec = {.name = member.key, .span = reporter.span(member.key_place)},
            .name_place = member.key_place};
        TableReader reader(table, kDatabaseRules, reporter);
        if (auto owner = reader.text("owner")) {
            database.spec.owner = owner->text;
            database.owner_place = owner->place;
        }
        if (auto limit = reader.integer("connection_limit", -1, kConnectionLimitMax)) {
            database.spec.connection_limit = static_cast<int32_t>(*limit);
        }
        database.spec.encoding = read_encoding(reader, reporter);
        database.spec.locale = read_identifier(reader, "locale", reporter);
        database.spec.template_name = read_identifier(reader, "template", reporter);
        database.spec.settings = read_settings(reader, SettingsFor::kSessions, reporter);
        read_schemas(reader, database, reporter);
        read_extensions(reader, database, reporter);
        draft.databases.push_back(std::move(database));
    });
}

}  // namespace lb::specs
