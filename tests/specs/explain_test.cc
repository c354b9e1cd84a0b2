// docs/diagnostics.md comes from the table of explanations, and each example shows what it is for.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/text.h"
#include "specs/explain.h"
#include "specs/internal/explanations.h"
#include "specs/spec_reader.h"
#include "tests/specs/case_files.h"

namespace lb::specs {
namespace {

TEST(Explanations, AreInTheDocument) {
    std::filesystem::path path = source_directory() / "docs/diagnostics.md";
    const std::string before = read_file(path);
    const std::string begin_mark = "<!-- explanations -->\n";
    const std::string end_mark = "<!-- end -->";
    size_t begin = before.find(begin_mark);
    size_t end = before.find(end_mark);
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    begin += begin_mark.size();
    std::string document = before;
    document.replace(begin, end - begin, cat("\n", explanations_markdown()));
    if (std::getenv("LB_SNAP_UPDATE") != nullptr) return write_file(path, document);
    EXPECT_EQ(document, before) << "if this is right: LB_SNAP_UPDATE=1 specs_cases_test";
}

TEST(Explanations, HaveExamplesThatShowThem) {
    for (const ExplanationGroup* group : explanation_groups()) {
        for (const Explanation& explanation : group->explanations) {
            EXPECT_EQ(find_explanation(explanation.code), &explanation);
            if (explanation.example.empty()) continue;
            std::string text(explanation.example);
            if (text.find("[project]") == std::string::npos) {
                text = cat("[project]\nname = \"shop\"\n", text);
            }
            DiagnosticSink sink;
            read_spec(text, "lb.toml", sink);
            bool is_shown = false;
            for (const Diagnostic& diagnostic : sink.sorted()) {
                is_shown |= diagnostic.code == explanation.code;
            }
            EXPECT_TRUE(is_shown) << diagnostic_code_name(explanation.code) << "\n" << text;
        }
    }
}

TEST(Explanations, FitATerminal) {
    for (const ExplanationGroup* group : explanation_groups()) {
        for (const Explanation& explanation : group->explanations) {
            std::string text = to_text(explanation);
            EXPECT_TRUE(text.ends_with('\n'));
            EXPECT_EQ(text.find("]("), std::string::npos) << text;
            for (const std::string& line : split(text, '\n')) {
                EXPECT_LE(line.size(), 100U) << line;
            }
        }
    }
    EXPECT_EQ(find_explanation(42), nullptr);
}

}  // namespace
}  // namespace lb::specs
