// Laws of the formatter, over TOML that is generated with odd spacing, quotes and comments: twice
// is once, the meaning stays, every comment stays.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "specs/format_spec.h"
#include "specs/internal/source_text.h"

namespace lb::specs {
namespace {

// Draws of one generated document.
class Writer {
public:
    std::string document() {
        std::string text;
        int tables = *rc::gen::inRange(0, 5);
        lines(text);
        for (int table = 0; table < tables; ++table) {
            text += cat(blanks(), "[", blanks(), "t", table, blanks(), ".", blanks(), key(), "]",
                        end_of_line());
            lines(text);
        }
        return text;
    }

    int comment_count() const { return comment_count_; }

private:
    std::string blanks() { return std::string(*rc::gen::inRange<size_t>(0, 4), ' '); }

    std::string comment() { return cat("#c", comment_count_++, " text"); }

    std::string end_of_line() {
        bool has_comment = *rc::gen::arbitrary<bool>();
        return cat(blanks(), has_comment ? comment() : "",
                   *rc::gen::arbitrary<bool>() ? "\n" : "\r\n");
    }

    std::string key() {
        return *rc::gen::element<std::string>("a", "\"b\"", "'c d'", "\"e\\n\"", "f-1", "'g\"'");
    }

    void lines(std::string& text) {
        int count = *rc::gen::inRange(0, 6);
        for (int line = 0; line < count; ++line) {
            int choice = *rc::gen::inRange(0, 4);
            if (choice == 0) text += cat(blanks(), "\n");
            if (choice == 1) text += cat(blanks(), comment(), blanks(), "\n");
            if (choice > 1) {
                text += cat(blanks(), "k", key_count_++, blanks(), "=", blanks(), value(3),
                            end_of_line());
            }
        }
    }

    std::string value(int depth) {
        int choice = *rc::gen::inRange(0, depth == 0 ? 5 : 8);
        switch (choice) {
            case 0: return "1_000.5";
            case 1: return "'single'";
            case 2: return "\"dou\\\"ble # no comment\"";
            case 3: return "\"\"\"\n  two\n lines\"\"\"";
            case 4: return "1979-05-27 07:32:00Z";
            case 5: return inline_table(depth - 1);
            default: return list(depth - 1);
        }
    }

    std::string inline_table(int depth) {
        std::string text = "{" + blanks();
        int count = *rc::gen::inRange(0, 3);
        for (int member = 0; member < count; ++member) {
            text += cat(member == 0 ? "" : ",", blanks(), "m", member, blanks(), "=", blanks(),
                        value(depth), blanks());
        }
        return text + "}";
    }

    std::string gap() {
        int choice = *rc::gen::inRange(0, 4);
        if (choice == 0) return "\n";
        if (choice == 1) return cat(comment(), "\n");
        return blanks();
    }

    std::string list(int depth) {
        std::string text = "[" + gap();
        int count = *rc::gen::inRange(0, 4);
        for (int item = 0; item < count; ++item) {
            text += cat(gap(), value(depth), gap(), item + 1 < count ? "," : "", gap());
        }
        return text + gap() + "]";
    }

    int comment_count_ = 0;
    int key_count_ = 0;
};

std::string meaning(const std::string& text) {
    DiagnosticSink sink;
    Reporter reporter({"lb.toml"}, sink);
    std::optional<TomlTable> table = read_source(text, reporter);
    RC_ASSERT(table.has_value());
    return json_of({.data = *std::move(table), .place = {}}).dump();
}

RC_GTEST_PROP(FormatSpecLaws, TwiceIsOnceAndNothingIsLost, ()) {
    Writer writer;
    std::string text = writer.document();
    RC_TAG(text.size() > 100);
    DiagnosticSink sink;
    std::optional<std::string> once = format_spec(text, "lb.toml", sink);
    RC_ASSERT(once.has_value());
    std::optional<std::string> twice = format_spec(*once, "lb.toml", sink);
    RC_ASSERT(twice == once);
    RC_ASSERT(meaning(*once) == meaning(text));
    for (int comment = 0; comment < writer.comment_count(); ++comment) {
        RC_ASSERT(once->find(cat("#c", comment, " text")) != std::string::npos);
    }
    RC_ASSERT(once->find("\n\n\n") == std::string::npos);
}

}  // namespace
}  // namespace lb::specs
