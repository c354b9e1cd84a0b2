// tests/specs/format/NAME.in.toml must become NAME.out.toml; LB_SNAP_UPDATE=1 rewrites the latter.
// Every case and every example of the reader is formatted too.
#include <gtest/gtest.h>

#include <cstdlib>

#include "specs/format_spec.h"
#include "specs/spec_reader.h"
#include "tests/specs/case_files.h"

namespace lb::specs {
namespace {

std::optional<std::string> format(const std::string& text) {
    DiagnosticSink sink;
    std::optional<std::string> formatted = format_spec(text, "lb.toml", sink);
    EXPECT_EQ(formatted.has_value(), !sink.has_errors());
    return formatted;
}

TEST(FormatSpec, GivesWhatTheCasesExpect) {
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(source_directory() / "tests/specs/format")) {
        std::string path = entry.path().string();
        size_t suffix = path.find(".in.toml");
        if (suffix == std::string::npos) continue;
        ++count;
        std::string expected_path = path.substr(0, suffix) + ".out.toml";
        std::string actual = format(read_file(path)).value();
        if (std::getenv("LB_SNAP_UPDATE") != nullptr) {
            write_file(expected_path, actual);
        } else {
            EXPECT_EQ(actual, read_file(expected_path)) << path;
        }
        EXPECT_EQ(format(actual), actual) << path;
    }
    EXPECT_GE(count, 1U);
}

TEST(FormatSpec, SettlesEveryCaseOfTheReader) {
    for (const auto& directory : case_directories()) {
        std::optional<std::string> formatted = format(read_file(directory / "spec.toml"));
        if (!formatted) continue;
        EXPECT_EQ(format(*formatted), formatted) << directory;
    }
}

TEST(FormatSpec, LeavesTheExamplesAlone) {
    for (const char* name : {"shop.toml", "team.toml"}) {
        std::string text = read_file(source_directory() / "specs/examples" / name);
        EXPECT_EQ(format(text), text) << name;
    }
}

TEST(FormatSpec, OfWhatIsNoTomlThereIsNone) {
    EXPECT_EQ(format("[project\nname = 1"), std::nullopt);
    EXPECT_EQ(format("a = \"\xff\""), std::nullopt);
    EXPECT_EQ(format(""), "");
    EXPECT_EQ(format("# only this  "), "# only this\n");
    EXPECT_EQ(format("\xef\xbb\xbf\r\na = 1\r\n"), "a = 1\n");
    EXPECT_EQ(format("a = \"\"\"x\r\ny\"\"\"\r\n"), "a = \"\"\"x\r\ny\"\"\"\n");
    EXPECT_EQ(format("a = nan"), "a = nan\n");
}

}  // namespace
}  // namespace lb::specs
