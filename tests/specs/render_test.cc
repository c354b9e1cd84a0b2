// What a diagnostic looks like: marks under the right columns, long lines, colours, places that do
// not exist.
#include <gtest/gtest.h>

#include "base/text.h"
#include "specs/diagnostic.h"
#include "specs/internal/source_view.h"

namespace lb::specs {
namespace {

// The shown line, and below it the mark.
std::string show(std::string_view source, size_t line, size_t column, size_t end_column) {
    ShownLine shown = SourceView(source).show(line, column, end_column);
    return cat(shown.text, "\n", std::string(shown.mark_column, ' '),
               std::string(shown.mark_width, '^'));
}

TEST(SourceView, MarksColumns) {
    EXPECT_EQ(show("one = two\n", 1, 7, 10), "one = two\n      ^^^");
    EXPECT_EQ(show("a\nb\r\nc", 2, 1, 2), "b\n^");
    EXPECT_EQ(show("a\nb\r\nc", 3, 1, 2), "c\n^");
    EXPECT_EQ(show("\xef\xbb\xbf"
                   "abc",
                   1, 2, 3),
              "abc\n ^");
}

TEST(SourceView, CountsTerminalColumns) {
    EXPECT_EQ(show("\ta\t= 1", 1, 4, 5), "    a    = 1\n         ^");
    EXPECT_EQ(show("\"日本\" = 1", 1, 1, 5), "\"日本\" = 1\n^^^^^^");
    EXPECT_EQ(show("\"日本\" = 1", 1, 8, 9), "\"日本\" = 1\n         ^");
    EXPECT_EQ(show("e\xcc\x81 = 1", 1, 4, 5), "e\xcc\x81 = 1\n  ^");
    EXPECT_EQ(show("a\x1b[31m = \xff", 1, 8, 9), "a\xef\xbf\xbd[31m = \xef\xbf\xbd\n       ^");
}

TEST(SourceView, KeepsPlacesInsideOfTheText) {
    EXPECT_EQ(show("", 1, 1, 2), "\n^");
    EXPECT_EQ(show("abc", 9, 9, 12), "abc\n   ^");
    EXPECT_EQ(show("abc", 0, 0, 0), "abc\n^");
    EXPECT_EQ(show("abc", 1, 3, 2), "abc\n  ^");
    EXPECT_EQ(show("abc\nd", 1, 2, SIZE_MAX), "abc\n ^^");
    EXPECT_EQ(show("abc", 1, SIZE_MAX, SIZE_MAX), "abc\n   ^");
}

TEST(SourceView, CutsLongLinesAroundTheMark) {
    std::string line;
    for (int i = 0; i < 100; ++i) line += cat(i % 10, "________,");
    EXPECT_EQ(show(line, 1, 1, 3), cat(line.substr(0, 120), "...\n^^"));
    EXPECT_EQ(show(line, 1, 501, 511),
              cat("...", line.substr(460, 120), "...\n", std::string(43, ' '), "^^^^^^^^^^"));
    EXPECT_EQ(show(line, 1, 991, 1001),
              cat("...", line.substr(950), "\n", std::string(43, ' '), "^^^^^^^^^^"));
    // A mark that is itself too long ends with the shown part.
    EXPECT_EQ(show(line, 1, 11, 901),
              cat(line.substr(0, 120), "...\n", std::string(10, ' '), std::string(113, '^')));
}

TEST(SourceView, HidesSecretsWhereverTheMarkIs) {
    std::string_view line = "password = \"hunter2\"";
    EXPECT_EQ(show(line, 1, 1, 9), "password = ********\n^^^^^^^^");
    EXPECT_EQ(show(line, 1, 12, 21), "password = ********\n           ^^^^^^^^");
    EXPECT_EQ(show(line, 1, 15, 16), "password = ********\n           ^^^^^^^^");
    std::string padded = cat(std::string(200, ' '), line, " # ", std::string(200, 'x'));
    EXPECT_EQ(show(padded, 1, 215, 216).find("hunter2"), std::string::npos);
}

TEST(RenderDiagnostics, AlignsTheNumbersOfTwoPlaces) {
    std::string source;
    for (int i = 1; i <= 12; ++i) source += cat("key", i, " = 1\n");
    Diagnostic diagnostic{.code = 127,
                          .message = "twice",
                          .span = {"f", 12, 1, 12, 6},
                          .help = "remove one",
                          .related_message = "first",
                          .related_span = {"f", 9, 1, 9, 5}};
    EXPECT_EQ(render_diagnostics({diagnostic}, {{"f", source}}, Colour::kNever),
              "error[LB0127]: twice\n"
              "   --> f:12:1\n"
              "    |\n"
              " 12 | key12 = 1\n"
              "    | ^~~~~\n"
              "   ::: f:9:1\n"
              "    |\n"
              "  9 | key9 = 1\n"
              "    | ---- first\n"
              "help: remove one\n");
}

TEST(RenderDiagnostics, NamesPlacesThatItCannotQuote) {
    Diagnostic nowhere{.code = 107, .message = "large", .span = {.file = "f"}};
    EXPECT_EQ(render_diagnostics({nowhere}, {{"f", "x"}}, Colour::kNever),
              "error[LB0107]: large\n  --> f\n");
    Diagnostic unknown{.severity = Severity::kWarning,
                       .code = 107,
                       .message = "line\nbreak\x1b",
                       .span = {"g", 3, 4, 3, 5}};
    EXPECT_EQ(render_diagnostics({unknown}, {{"f", "x"}}, Colour::kNever),
              "warning[LB0107]: line\xef\xbf\xbd"
              "break\xef\xbf\xbd\n  --> g:3:4\n");
    EXPECT_EQ(render_diagnostics({}, {}, Colour::kNever), "");
    EXPECT_EQ(render_diagnostics({Diagnostic{}}, {}, Colour::kNever), "error[LB0000]: \n");
}

TEST(RenderDiagnostics, SeparatesAndColours) {
    Diagnostic diagnostic{.code = 102, .message = "m", .span = {"f", 1, 1, 1, 2}, .help = "h"};
    std::string text = render_diagnostics({diagnostic, diagnostic}, {{"f", "x"}}, Colour::kNever);
    EXPECT_NE(text.find("help: h\n\nerror"), std::string::npos);
    std::string coloured = render_diagnostics({diagnostic}, {{"f", "x"}}, Colour::kAlways);
    EXPECT_NE(coloured.find("\x1b[1;31merror[LB0102]\x1b[0m"), std::string::npos);
    // Without its colours it is the same text.
    std::string stripped;
    for (size_t at = 0; at < coloured.size(); ++at) {
        if (coloured[at] == '\x1b')
            at = coloured.find('m', at);
        else
            stripped += coloured[at];
    }
    EXPECT_EQ(stripped, render_diagnostics({diagnostic}, {{"f", "x"}}, Colour::kNever));
}

}  // namespace
}  // namespace lb::specs
