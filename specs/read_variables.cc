#include <charconv>
#include <map>
#include <set>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/ascii.h"
#include "specs/internal/table_reader.h"
#include "specs/internal/variables.h"

namespace lb::specs {

namespace {

using TomlData = decltype(TomlValue::data);

enum class VariableType { kString, kInteger, kNumber, kBoolean };

std::optional<VariableType> variable_type_from_text(std::string_view text) {
    if (text == "string") return VariableType::kString;
    if (text == "integer") return VariableType::kInteger;
    if (text == "number") return VariableType::kNumber;
    if (text == "boolean") return VariableType::kBoolean;
    return std::nullopt;
}

std::string_view with_article(VariableType type) {
    switch (type) {
        case VariableType::kString: return "a string";
        case VariableType::kInteger: return "an integer";
        case VariableType::kNumber: return "a number";
        case VariableType::kBoolean: return "a boolean";
    }
    return "";
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
    Number number{};
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool is_whole = failure == std::errc{} && end == text.data() + text.size();
    return is_whole ? std::optional(number) : std::nullopt;
}

// What the user gave, as a value of that type.
std::optional<TomlData> parse_value(VariableType type, const std::string& text) {
    switch (type) {
        case VariableType::kString: return TomlData(text);
        case VariableType::kInteger:
            if (auto integer = parse_number<int64_t>(text)) return TomlData(*integer);
            return std::nullopt;
        case VariableType::kNumber:
            if (auto number = parse_number<double>(text)) return TomlData(*number);
            return std::nullopt;
        case VariableType::kBoolean:
            if (text == "true" || text == "false") return TomlData(text == "true");
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<VariableType> type_of(const TomlValue& value) {
    if (value.get_if<std::string>() != nullptr) return VariableType::kString;
    if (value.get_if<int64_t>() != nullptr) return VariableType::kInteger;
    if (value.get_if<double>() != nullptr) return VariableType::kNumber;
    if (value.get_if<bool>() != nullptr) return VariableType::kBoolean;
    return std::nullopt;
}

// As it stands in the middle of a text.
std::string text_of(const TomlData& data) {
    if (const auto* text = std::get_if<std::string>(&data)) return *text;
    if (const auto* integer = std::get_if<int64_t>(&data)) return std::to_string(*integer);
    if (const auto* boolean = std::get_if<bool>(&data)) return *boolean ? "true" : "false";
    return json_of({.data = data, .place = {}}).dump();
}

struct Variable {
    VariableType type = VariableType::kString;
    bool is_sensitive = false;
    std::optional<TomlData> value = {};  // absent: a problem with it was reported, or sensitive
};

class VariableReader {
public:
    VariableReader(const SpecSource& source, Reporter& reporter)
        : source_(source), reporter_(reporter) {}

    void declare(const TomlTable& declarations) {
        for (const TomlMember& member : declarations) {
            if (!is_variable_name(member.key)) {
                reporter_.error(codes::kInvalidVariable, member.key_place,
                                cat(quoted(member.key), " is no name of a variable"),
                                "use letters, digits and underscores, and no digit first");
            }
            const auto* table = member.value.get_if<TomlTable>();
            if (table == nullptr) {
                report_wrong_type(member.key, member.value, "a table",
                                  cat("write it as [variables.", member.key, "]"), reporter_);
                variables_[member.key];
                continue;
            }
            read_declaration(member, *table);
        }
    }

    // After declare().
    void check_given() {
        for (const auto& [name, value] : source_.variables) {
            if (variables_.contains(name)) continue;
            report_at_no_place(codes::kUnknownVariable,
                               cat("the spec declares no variable ", quoted(name)), help_for(name));
        }
    }

    // Replaces references below `value`. False if it could not be: without it, others have nothing
    // to say about a value that is not known.
    bool substitute(TomlValue& value) {
        if (auto* table = std::get_if<TomlTable>(&value.data)) {
            std::erase_if(*table, [&](TomlMember& member) {
                return !check_key(member) || !substitute(member.value);
            });
        } else if (auto* items = std::get_if<TomlArray>(&value.data)) {
            std::erase_if(*items, [&](TomlValue& item) { return !substitute(item); });
        } else if (auto* text = std::get_if<std::string>(&value.data)) {
            return text->find("${") == std::string::npos || substitute_text(value, *text);
        }
        return true;
    }

    std::set<std::string, std::less<>> sensitive_names() const {
        std::set<std::string, std::less<>> names;
        for (const auto& [name, variable] : variables_) {
            if (variable.is_sensitive) names.insert(name);
        }
        return names;
    }

private:
    // For --var, which stands in no file.
    void report_at_no_place(uint16_t code, std::string message, std::string help) {
        reporter_.error(code, {}, std::move(message), std::move(help));
    }

    std::string help_for(std::string_view name) {
        std::vector<std::string_view> names;
        for (const auto& [declared, variable] : variables_) names.push_back(declared);
        std::string_view near = reporter_.suggest(name, names);
        if (!near.empty()) return cat("did you mean ", quoted(near), "?");
        return cat("declare it: [variables.", name, "]");
    }

    void read_declaration(const TomlMember& member, const TomlTable& table) {
        TableReader reader(table, kVariableRules, reporter_);
        Variable variable;
        variable.is_sensitive = reader.boolean("sensitive").value_or(false);
        reader.text("description");
        const TomlMember* usual = reader.find("default");
        std::optional<VariableType> type = read_type(reader, usual);
        if (type) variable.type = *type;
        if (variable.is_sensitive) {
            check_sensitive(member, reader, variable);
        } else if (type) {
            variable.value = read_value(member, usual, variable.type);
        }
        variables_.insert_or_assign(member.key, std::move(variable));
    }

    // nullopt: reported.
    std::optional<VariableType> read_type(const TableReader& reader, const TomlMember* usual) {
        std::optional<VariableType> type = VariableType::kString;
        if (usual != nullptr) type = type_of(usual->value);
        if (!type) {
            report_wrong_type("default", usual->value, "a string, a number or a boolean",
                              "lists and tables stand where they are used", reporter_);
            return std::nullopt;
        }
        auto named = reader.text("type");
        if (!named) return reader.find("type") == nullptr ? type : std::nullopt;
        auto wanted = variable_type_from_text(named->text);
        if (!wanted) {
            reporter_.error(codes::kInvalidVariable, named->place,
                            cat(quoted(named->text), " is no type of a variable"),
                            "use \"string\", \"integer\", \"number\" or \"boolean\"");
            return std::nullopt;
        }
        bool is_fitting = usual == nullptr || type == wanted ||
                          (wanted == VariableType::kNumber && type == VariableType::kInteger);
        if (is_fitting) return wanted;
        report_wrong_type("default", usual->value, with_article(*wanted),
                          "write a default of the variable's type", reporter_);
        return std::nullopt;
    }

    void check_sensitive(const TomlMember& member, const TableReader& reader,
                         const Variable& variable) {
        if (const TomlMember* usual = reader.find("default")) {
            reporter_.error(codes::kInvalidVariable, usual->key_place,
                            "a sensitive variable has no default",
                            "remove it; a secret does not stand in a spec");
        }
        if (variable.type != VariableType::kString) {
            reporter_.error(codes::kInvalidVariable, member.key_place,
                            "a sensitive variable is a string", "remove \"type\"");
        }
        if (source_.variables.contains(member.key)) {
            report_at_no_place(
                codes::kSensitiveVariable,
                cat("the variable ", quoted(member.key),
                    " is sensitive, and the arguments of a command can be seen by others"),
                cat("export ", environment_name_of(member.key), "=..."));
        }
    }

    std::optional<TomlData> read_value(const TomlMember& member, const TomlMember* usual,
                                       VariableType type) {
        std::optional<std::string> text;
        if (auto given = source_.variables.find(member.key); given != source_.variables.end()) {
            text = given->second;
        } else if (source_.environment) {
            text = source_.environment(environment_name_of(member.key));
        }
        if (text) {
            auto value = parse_value(type, *text);
            if (value && (type != VariableType::kString || is_utf8(*text))) return value;
            reporter_.error(
                codes::kVariableType, member.key_place,
                cat("the value ", quoted(*text), " of the variable ", quoted(member.key),
                    " is not ", with_article(type)),
                type == VariableType::kBoolean ? "give true or false" : "give another value");
            return std::nullopt;
        }
        if (usual != nullptr) return usual->value.data;
        reporter_.error(codes::kVariableNotSet, member.key_place,
                        cat("the variable ", quoted(member.key), " has no value"),
                        cat("give one with --var ", member.key, "=VALUE or ",
                            environment_name_of(member.key), ", or add a default"));
        return std::nullopt;
    }

    bool check_key(const TomlMember& member) {
        if (member.key.find("${var.") == std::string::npos) return true;
        reporter_.error(codes::kInvalidReference, member.key_place,
                        "a variable cannot stand in a name", "write the name itself");
        return false;
    }

    bool substitute_text(TomlValue& value, const std::string& text) {
        std::string out;
        for (size_t at = 0; at < text.size();) {
            size_t dollar = std::min(text.find("${", at), text.size());
            bool is_escaped = dollar > at && dollar < text.size() && text[dollar - 1] == '$';
            out += text.substr(at, dollar - at - (is_escaped ? 1 : 0));
            if (dollar == text.size()) break;
            if (is_escaped) {
                out += "${";
                at = dollar + 2;
                continue;
            }
            size_t end = text.find('}', dollar);
            std::string_view reference;
            if (end != std::string::npos) {
                reference = std::string_view(text).substr(dollar, end - dollar);
            }
            std::optional<TomlData> found = look_up(reference, value.place);
            if (!found) return false;
            if (dollar == 0 && end + 1 == text.size()) {
                value.data = *std::move(found);
                return true;
            }
            out += text_of(*found);
            at = end + 1;
        }
        value.data = std::move(out);
        return true;
    }

    // `reference`: "${var.NAME", without its end; empty if it has none. nullopt: it was reported,
    // now or before.
    std::optional<TomlData> look_up(std::string_view reference, const Place& place) {
        constexpr std::string_view kPrefix = "${var.";
        std::string_view name = reference;
        if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
        if (!is_variable_name(name)) {
            reporter_.error(codes::kInvalidReference, place, "\"${\" begins no reference here",
                            "write ${var.NAME}, or $${ for these characters themselves");
            return std::nullopt;
        }
        auto found = variables_.find(name);
        if (found == variables_.end()) {
            reporter_.error(codes::kUnknownVariable, place,
                            cat("the variable ", quoted(name), " is not declared"), help_for(name));
            return std::nullopt;
        }
        if (found->second.is_sensitive) {
            reporter_.error(codes::kSensitiveVariable, place,
                            cat("the variable ", quoted(name), " is sensitive and would be shown"),
                            cat("use it for a password: password = { var = ", quoted(name), " }"));
        }
        return found->second.value;
    }

    const SpecSource& source_;
    Reporter& reporter_;
    std::map<std::string, Variable, std::less<>> variables_ = {};
};

}  // namespace

std::string environment_name_of(std::string_view variable) { return cat("LB_VAR_", variable); }

void read_variables(TomlTable& root, const SpecSource& source, SpecDraft& draft,
                    Reporter& reporter) {
    VariableReader reader(source, reporter);
    constexpr std::string_view kSection = "variables";
    if (const TomlMember* section = find_member(root, kSection)) {
        const auto* table = section->value.get_if<TomlTable>();
        if (table != nullptr) {
            reader.declare(*table);
        } else {
            report_wrong_type(kSection, section->value, "a table", "write it as [variables.NAME]",
                              reporter);
        }
    }
    reader.check_given();
    for (TomlMember& member : root) {
        if (member.key != kSection) reader.substitute(member.value);
    }
    draft.sensitive_variables = reader.sensitive_names();
}

}  // namespace lb::specs
