// What the documents promise to be complete is.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "base/text.h"
#include "planner/render.h"

namespace lb::planner {
namespace {

std::string read_source(const std::string& path) {
    std::ifstream in(std::string(LB_SOURCE) + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Docs, every_error_code_is_listed_with_its_exit_code) {
    std::string header = read_source("base/error.h");
    std::string document = read_source("docs/exit-codes.md");
    std::regex declaration(R"(\n    k\w+ = (\d+),)");
    int count = 0;
    std::string codes = header.substr(0, header.find("enum class ExitCode"));
    for (std::sregex_iterator it(codes.begin(), codes.end(), declaration), end; it != end; ++it) {
        auto code = static_cast<ErrorCode>(std::stoi((*it)[1]));
        std::string row_start = cat("\n| ", code_name(code), " | ");
        size_t row = document.find(row_start);
        ASSERT_NE(row, std::string::npos) << "docs/exit-codes.md lacks " << code_name(code);
        std::string line = document.substr(row + 1, document.find('\n', row + 1) - row - 1);
        std::string cell = cat(" | ", static_cast<int>(exit_code(code)), " |");
        EXPECT_TRUE(line.ends_with(cell)) << line;
        ++count;
    }
    EXPECT_GT(count, 40);
    std::regex row(R"(\n\| LB\d{4} )");
    EXPECT_EQ(std::distance(std::sregex_iterator(document.begin(), document.end(), row), {}),
              count);
}

void collect_keys(const Json& json, std::vector<std::string>& keys) {
    if (const auto* object = json.if_object()) {
        for (const Json::Member& member : *object) {
            keys.push_back(member.first);
            collect_keys(member.second, keys);
        }
    } else if (const auto* array = json.if_array()) {
        for (const Json& element : *array) collect_keys(element, keys);
    }
}

TEST(Docs, every_field_and_word_of_a_plan_is_documented) {
    std::string document = read_source("docs/plan-json.md");
    std::vector<std::string> words;
    Plan plan;
    PlannedChange change;
    change.span.line = 1;
    change.refusal = Refusal::kProtected;
    change.diffs.push_back({});
    plan.changes.push_back(change);
    plan.unmanaged.push_back({});
    plan.base_versions.push_back({});
    collect_keys(to_json(plan), words);
    for (int i = 0; i <= static_cast<int>(Reason::kRolledBack); ++i) {
        words.emplace_back(to_text(static_cast<Reason>(i)));
    }
    for (int i = 0; i <= static_cast<int>(Risk::kDeletesData); ++i) {
        words.emplace_back(to_text(static_cast<Risk>(i)));
    }
    for (int i = 1; i <= static_cast<int>(Refusal::kInvalidName); ++i) {
        words.emplace_back(to_text(static_cast<Refusal>(i)));
    }
    for (const std::string& word : words) {
        EXPECT_NE(document.find(cat("`", word, "`")), std::string::npos)
            << "docs/plan-json.md lacks " << word;
    }
}

}  // namespace
}  // namespace lb::planner
