// The key tables of docs/spec-reference.md.
#include "base/text.h"
#include "specs/internal/key_rules.h"
#include "specs/internal/toml_reader.h"

namespace lb::specs {

namespace {

std::string code_span(std::string_view text) {
    return text.find('`') == std::string_view::npos ? cat("`", text, "`") : std::string(text);
}

// A value in TOML is code, words are words.
std::string usual_cell(const KeyRule& rule) {
    return json_of_toml_value(rule.usual) ? code_span(rule.usual) : std::string(rule.usual);
}

}  // namespace

std::string_view to_text(KeyType type) {
    switch (type) {
        case KeyType::kString: return "string";
        case KeyType::kBoolean: return "boolean";
        case KeyType::kInteger: return "integer";
        case KeyType::kNumber: return "number";
        case KeyType::kDuration: return "duration";
        case KeyType::kTime: return "time";
        case KeyType::kMoment: return "moment";
        case KeyType::kStrings: return "list of strings";
        case KeyType::kNamesOrTables: return "list of strings or tables";
        case KeyType::kTable: return "table";
        case KeyType::kNamedTables: return "tables by name";
        case KeyType::kTableList: return "list of tables";
        case KeyType::kAnyScalar: return "string, number or boolean";
        case KeyType::kScalars: return "table of strings, numbers and booleans";
    }
    return "";
}

std::string markdown_of(const TableRules& rules) {
    std::string out = "| key | value | default | example | meaning |\n|---|---|---|---|---|\n";
    for (const KeyRule& rule : rules.keys) {
        if (rule.support == KeySupport::kNotYet) continue;
        std::string example = rule.example.empty() ? std::string() : code_span(rule.example);
        out += cat("| `", rule.name, "` | ", to_text(rule.type), " | ", usual_cell(rule), " | ",
                   example, " | ", rule.documentation, " |\n");
    }
    return out;
}

std::string markdown_of_not_yet_supported() {
    std::string out = "| where | keys |\n|---|---|\n";
    for (const TableRules* table : all_tables()) {
        std::vector<std::string> names;
        for (const KeyRule& rule : table->keys) {
            if (rule.support == KeySupport::kNotYet) names.push_back(cat("`", rule.name, "`"));
        }
        if (!names.empty()) out += cat("| ", table->where, " | ", join(names, ", "), " |\n");
    }
    return out;
}

}  // namespace lb::specs
