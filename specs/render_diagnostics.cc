#include <algorithm>

#include "base/text.h"
#include "specs/diagnostic.h"
#include "specs/internal/source_view.h"
#include "specs/internal/utf8.h"

namespace lb::specs {

namespace {

// ANSI sequences, empty without colours.
struct Palette {
    std::string_view error, warning, gutter, related, strong, off;
};

constexpr Palette kPlain = {};
constexpr Palette kColoured = {.error = "\x1b[1;31m",
                               .warning = "\x1b[1;33m",
                               .gutter = "\x1b[34m",
                               .related = "\x1b[36m",
                               .strong = "\x1b[1m",
                               .off = "\x1b[0m"};

// One line that is safe to print: messages repeat names from the spec.
std::string one_line(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size();) {
        CodePoint point = decode_code_point(text, at);
        bool is_shown = point.is_valid && is_safe_to_display(point.value);
        out += is_shown ? text.substr(at, point.size_bytes) : std::string_view("\xef\xbf\xbd");
        at += point.size_bytes;
    }
    return out;
}

class Renderer {
public:
    Renderer(const std::map<std::string, std::string>& sources, const Palette& palette)
        : sources_(sources), palette_(palette) {}

    std::string render(const Diagnostic& diagnostic) {
        bool is_error = diagnostic.severity == Severity::kError;
        std::string_view colour = is_error ? palette_.error : palette_.warning;
        out_ = cat(colour, is_error ? "error[" : "warning[", diagnostic_code_name(diagnostic.code),
                   "]", palette_.off, ": ", palette_.strong, one_line(diagnostic.message),
                   palette_.off, "\n");
        bool has_related = diagnostic.related_span.line != 0;
        uint32_t widest = std::max(diagnostic.span.line, diagnostic.related_span.line);
        number_width_ = std::to_string(widest).size();
        quote(diagnostic.span, "-->", colour, '^', '~', {});
        if (has_related) {
            quote(diagnostic.related_span, ":::", palette_.related, '-', '-',
                  diagnostic.related_message);
        }
        if (!diagnostic.help.empty()) {
            out_ +=
                cat(palette_.strong, "help", palette_.off, ": ", one_line(diagnostic.help), "\n");
        }
        return std::move(out_);
    }

private:
    void quote(const Span& span, std::string_view arrow, std::string_view colour, char first,
               char rest, std::string_view note) {
        if (span.file.empty() && span.line == 0) return;
        out_ += cat(std::string(number_width_ + 1, ' '), palette_.gutter, arrow, palette_.off, " ",
                    one_line(span.file));
        if (span.line != 0) out_ += cat(":", span.line, ":", span.column);
        out_ += "\n";
        const SourceView* view = span.line == 0 ? nullptr : view_of(span.file);
        if (view == nullptr) return;

        bool is_one_line = span.end_line <= span.line;
        ShownLine line =
            view->show(span.line, span.column, is_one_line ? span.end_column : SIZE_MAX);
        std::string number = std::to_string(span.line);
        std::string indent(number_width_ + 2, ' ');
        std::string padding(number_width_ - number.size(), ' ');
        out_ += cat(indent, palette_.gutter, "|", palette_.off, "\n");
        out_ += cat(" ", padding, palette_.gutter, number, " |", palette_.off,
                    line.text.empty() ? "" : " ", line.text, "\n");
        out_ +=
            cat(indent, palette_.gutter, "|", palette_.off, " ", std::string(line.mark_column, ' '),
                colour, first, std::string(line.mark_width - 1, rest), note.empty() ? "" : " ",
                one_line(note), palette_.off, "\n");
    }

    const SourceView* view_of(const std::string& file) {
        auto known = views_.find(file);
        if (known != views_.end()) return &known->second;
        auto source = sources_.find(file);
        if (source == sources_.end()) return nullptr;
        return &views_.emplace(file, SourceView(source->second)).first->second;
    }

    const std::map<std::string, std::string>& sources_;
    const Palette& palette_;
    std::map<std::string, SourceView> views_ = {};
    std::string out_ = {};
    size_t number_width_ = 1;
};

}  // namespace

std::string render_diagnostics(const std::vector<Diagnostic>& diagnostics,
                               const std::map<std::string, std::string>& sources, Colour colour) {
    Renderer renderer(sources, colour == Colour::kAlways ? kColoured : kPlain);
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics) {
        if (!out.empty()) out += "\n";
        out += renderer.render(diagnostic);
    }
    return out;
}

}  // namespace lb::specs
