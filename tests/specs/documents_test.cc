// The documents keep up with the code: every code is explained in docs/diagnostics.md and shown by
// a case, every key and limit is in docs/spec-reference.md.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/text.h"
#include "specs/diagnostic.h"
#include "specs/spec_reader.h"
#include "tests/specs/case_files.h"

namespace lb::specs {
namespace {

std::set<std::string> matches_of(const std::string& text, const char* pattern) {
    std::set<std::string> found;
    std::regex expression(pattern);
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        found.insert((*at)[1]);
    }
    return found;
}

std::set<std::string> codes_in_source() {
    std::set<std::string> names;
    std::string header = read_file(source_directory() / "specs/diagnostic_codes.h");
    for (const std::string& number : matches_of(header, R"( = (\d+);)")) {
        names.insert(diagnostic_code_name(static_cast<uint16_t>(std::stoi(number))));
    }
    return names;
}

TEST(DiagnosticCodes, AreUnique) {
    std::string header = read_file(source_directory() / "specs/diagnostic_codes.h");
    EXPECT_EQ(matches_of(header, R"( (k\w+) = )").size(), codes_in_source().size());
}

TEST(DiagnosticCodes, AreDocumented) {
    std::string document = read_file(source_directory() / "docs/diagnostics.md");
    EXPECT_EQ(matches_of(document, R"((?:^|\n)### (LB01\d\d) )"), codes_in_source());
}

TEST(DiagnosticCodes, AreShownByACase) {
    std::set<std::string> shown;
    for (const auto& directory : case_directories()) {
        shown.merge(matches_of(read_file(directory / "expected.txt"),
                               R"((?:^|\n)(?:error|warning)\[(LB01\d\d)\])"));
    }
    // These need files too large to keep; reader_test.cc makes them.
    shown.insert({"LB0107", "LB0109", "LB0199"});
    EXPECT_EQ(shown, codes_in_source());
}

// The examples of the documents are read as a user would.
TEST(SpecReference, HasValidExamples) {
    std::string document = read_file(source_directory() / "docs/spec-reference.md");
    size_t count = 0;
    for (size_t at = document.find("```toml\n"); at != std::string::npos;
         at = document.find("```toml\n", at + 1)) {
        size_t begin = at + 8;
        std::string example = document.substr(begin, document.find("```", begin) - begin);
        if (example.find("[project]") == std::string::npos) {
            example = "[project]\nname = \"shop\"\n" + example;
        }
        DiagnosticSink sink;
        read_spec(example, "example.toml", sink);
        EXPECT_EQ(render_diagnostics(sink.sorted(), {{"example.toml", example}}, Colour::kNever),
                  "");
        ++count;
    }
    EXPECT_GE(count, 4U);
}

}  // namespace
}  // namespace lb::specs
