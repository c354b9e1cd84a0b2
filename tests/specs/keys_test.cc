// The table of keys and what is made from it: the tables of docs/spec-reference.md, which
// LB_SNAP_UPDATE=1 rewrites, and the JSON Schema.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/text.h"
#include "specs/internal/key_rules.h"
#include "specs/internal/toml_reader.h"
#include "specs/json_schema.h"
#include "specs/spec_reader.h"
#include "tests/specs/case_files.h"
#include "tests/specs/json_schema_check.h"

namespace lb::specs {
namespace {

std::optional<Json> json_of_toml(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    DiagnosticSink sink;
    Reporter reporter({"spec.toml"}, sink);
    std::optional<TomlTable> table = read_toml(text, reporter);
    if (!table) return std::nullopt;
    return json_of(TomlValue{.data = *std::move(table), .place = {}});
}

// "| ... |" between "<!-- keys of ID -->" and the next "<!-- end -->".
void put_between(std::string& document, const std::string& marker, const std::string& text) {
    size_t begin = document.find(marker);
    ASSERT_NE(begin, std::string::npos) << "docs/spec-reference.md has no " << marker;
    begin += marker.size();
    size_t end = document.find("<!-- end -->", begin);
    ASSERT_NE(end, std::string::npos) << marker;
    document.replace(begin, end - begin, "\n" + text);
}

TEST(KeyTable, IsInTheReference) {
    std::filesystem::path path = source_directory() / "docs/spec-reference.md";
    const std::string before = read_file(path);
    std::string document = before;
    for (const TableRules* table : all_tables()) {
        put_between(document, cat("<!-- keys of ", table->id, " -->"), markdown_of(*table));
    }
    put_between(document, "<!-- keys not yet supported -->", markdown_of_not_yet_supported());
    if (std::getenv("LB_SNAP_UPDATE") != nullptr) return write_file(path, document);
    EXPECT_EQ(document, before) << "if this is right: LB_SNAP_UPDATE=1 specs_cases_test";
}

TEST(KeyTable, IsComplete) {
    for (const TableRules* table : all_tables()) {
        std::set<std::string_view> names;
        for (const KeyRule& rule : table->keys) {
            SCOPED_TRACE(cat(table->id, ".", rule.name));
            EXPECT_TRUE(names.insert(rule.name).second);
            if (rule.support == KeySupport::kNotYet) continue;
            EXPECT_TRUE(rule.documentation.ends_with('.'));
            EXPECT_FALSE(rule.usual.empty());
            bool has_tables =
                rule.type == KeyType::kNamedTables || rule.type == KeyType::kTableList;
            EXPECT_EQ(rule.example.empty(), has_tables);
            EXPECT_EQ(rule.table != nullptr, has_tables || rule.type == KeyType::kTable ||
                                                 rule.type == KeyType::kNamesOrTables);
        }
        for (const KeySynonym& synonym : table->synonyms) {
            EXPECT_EQ(names.count(synonym.ours), 1U) << synonym.ours;
            EXPECT_EQ(names.count(synonym.theirs), 0U) << synonym.theirs;
        }
    }
}

TEST(JsonSchema, HasExactlyTheKeys) {
    const Json schema = json_schema();
    for (const TableRules* table : all_tables()) {
        std::set<std::string> wanted;
        for (const KeyRule& rule : table->keys) {
            if (rule.support == KeySupport::kSupported) wanted.insert(std::string(rule.name));
        }
        const Json* object = table == &kSpecRules ? &schema : schema.find("$defs")->find(table->id);
        ASSERT_NE(object, nullptr) << table->id;
        std::set<std::string> actual;
        for (const Json::Member& member : *object->find("properties")->if_object()) {
            actual.insert(member.first);
            EXPECT_NE(member.second.find("description"), nullptr) << member.first;
        }
        EXPECT_EQ(actual, wanted) << table->id;
    }
    EXPECT_EQ(schema.find("$defs")->if_object()->size() + 1, all_tables().size());
}

TEST(JsonSchema, AcceptsItsExamplesAndDefaults) {
    const Json schema = json_schema();
    for (const TableRules* table : all_tables()) {
        const Json* object = table == &kSpecRules ? &schema : schema.find("$defs")->find(table->id);
        for (const KeyRule& rule : table->keys) {
            if (rule.support == KeySupport::kNotYet) continue;
            Json rules = *object->find("properties")->find(rule.name);
            rules.set("$defs", *schema.find("$defs"));
            for (std::string_view text : {rule.example, rule.usual}) {
                std::optional<Json> value = json_of_toml_value(text);
                if (!value) {
                    EXPECT_TRUE(text == rule.usual || text.empty()) << text;
                    continue;
                }
                EXPECT_EQ(join(schema_findings(rules, *value), "\n"), "") << rule.name;
            }
        }
    }
}

TEST(JsonSchema, AcceptsEverySpecThatIsValid) {
    const Json schema = json_schema();
    std::vector<std::filesystem::path> files;
    for (const auto& directory : case_directories()) files.push_back(directory / "spec.toml");
    for (const char* name : {"shop.toml", "team.toml"}) {
        files.push_back(source_directory() / "specs/examples" / name);
    }
    size_t count = 0;
    for (const std::filesystem::path& file : files) {
        std::string text = read_file(file);
        DiagnosticSink sink;
        if (!read_spec(text, "spec.toml", sink)) continue;
        ++count;
        EXPECT_EQ(join(schema_findings(schema, json_of_toml(text).value()), "\n"), "") << file;
    }
    EXPECT_GE(count, 6U);
}

TEST(JsonSchema, RefusesWhatIsWrong) {
    const Json schema = json_schema();
    for (const char* text : {"[project]\nname = 1", "[project]", "[projet]\nname = \"a\"",
                             "[project]\nname = \"a\"\n[branches.b]\nprotcted = true",
                             "[project]\nname = \"a\"\n[branches.b]\ncompute = { port = 1 }",
                             "[project]\nname = \"a\"\n[roles.b]\nmember_of = [1]"}) {
        EXPECT_FALSE(schema_findings(schema, json_of_toml(text).value()).empty()) << text;
    }
}

}  // namespace
}  // namespace lb::specs
