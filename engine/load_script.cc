#include "engine/load_script.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr std::string_view kDumpStart = "-- PostgreSQL database dump\n";
constexpr std::string_view kDumpEnd = "-- PostgreSQL database dump complete";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr size_t kDumpStartWithin = 4096;
constexpr size_t kTailBytes = 4096;
constexpr size_t kPieceTextMaxBytes = 80;
constexpr size_t kLineStartMaxBytes = 16;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Walks over a script. npos where something has no end within the text.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    // The first byte at or after `at` that is neither white space nor in a comment.
    size_t skip_blanks(size_t at) const {
        while (at < text_.size()) {
            if (is_space(text_[at])) {
                ++at;
            } else if (starts(at, "--")) {
                at = end_of_line(at);
            } else if (starts(at, "/*")) {
                at = end_of_comment(at);
            } else {
                return at;
            }
        }
        return std::string_view::npos;
    }

    // After the ';' of the statement that begins at `at`.
    size_t end_of_statement(size_t at) const {
        while (at < text_.size()) {
            char c = text_[at];
            if (c == ';') return at + 1;
            if (c == '\'' || c == '"') {
                at = end_of_quoted(at);
            } else if (c == '$') {
                at = end_of_dollar_quoted(at);
            } else if (starts(at, "--")) {
                at = end_of_line(at);
            } else if (starts(at, "/*")) {
                at = end_of_comment(at);
            } else {
                ++at;
            }
        }
        return std::string_view::npos;
    }

    // The line feed, or npos if the line may go on after the text.
    size_t end_of_line(size_t at) const { return text_.find('\n', at); }

    // The words of a statement in upper case, names and everything else left out.
    std::vector<std::string> words(size_t begin, size_t end, size_t count) const {
        std::vector<std::string> out;
        while (out.size() < count) {
            begin = skip_blanks(begin);
            if (begin >= end || !is_word(text_[begin])) break;
            std::string word;
            while (begin < end && is_word(text_[begin])) word += upper(text_[begin++]);
            out.push_back(std::move(word));
        }
        return out;
    }

private:
    bool starts(size_t at, std::string_view what) const {
        return text_.substr(at, what.size()) == what;
    }

    size_t end_of_quoted(size_t at) const {
        size_t end = text_.find(text_[at], at + 1);
        return end == std::string_view::npos ? end : end + 1;
    }

    // "$$...$$" or "$tag$...$tag$"; any other '$' stands for itself.
    size_t end_of_dollar_quoted(size_t at) const {
        size_t tag_end = at + 1;
        while (tag_end < text_.size() && is_word(text_[tag_end])) ++tag_end;
        if (tag_end >= text_.size() || text_[tag_end] != '$') return at + 1;
        std::string_view tag = text_.substr(at, tag_end + 1 - at);
        size_t end = text_.find(tag, tag_end + 1);
        return end == std::string_view::npos ? end : end + tag.size();
    }

    size_t end_of_comment(size_t at) const {
        size_t depth = 0;
        while (at < text_.size()) {
            if (starts(at, "/*")) {
                ++depth;
                at += 2;
            } else if (starts(at, "*/")) {
                at += 2;
                if (--depth == 0) return at;
            } else {
                ++at;
            }
        }
        return std::string_view::npos;
    }

    std::string_view text_;
};

enum class PieceKind { kConnect, kDatabase, kSetting, kOther };

// "\connect shop" and "\c shop", but not "\copy".
bool is_connect(std::string_view line) {
    for (std::string_view command : {"\\connect", "\\c"}) {
        if (!line.starts_with(command)) continue;
        if (line.size() == command.size() || !is_word(line[command.size()])) return true;
    }
    return false;
}

PieceKind kind_of_command(std::string_view line) {
    static constexpr std::array<std::string_view, 7> kHarmless = {
        "\\restrict", "\\unrestrict", "\\set", "\\unset", "\\echo", "\\encoding", "\\timing"};
    if (is_connect(line)) return PieceKind::kConnect;
    bool is_harmless =
        std::any_of(kHarmless.begin(), kHarmless.end(), [&](std::string_view command) {
            return line.starts_with(command) &&
                   (line.size() == command.size() || !is_word(line[command.size()]));
        });
    return is_harmless ? PieceKind::kSetting : PieceKind::kOther;
}

PieceKind kind_of_statement(const std::vector<std::string>& words) {
    auto word = [&](size_t index) { return index < words.size() ? words[index] : std::string(); };
    if (word(1) == "DATABASE" && (word(0) == "CREATE" || word(0) == "DROP" || word(0) == "ALTER")) {
        return PieceKind::kDatabase;
    }
    if (word(0) == "COMMENT" && word(1) == "ON" && word(2) == "DATABASE") {
        return PieceKind::kDatabase;
    }
    if (word(0) == "SET" || word(0) == "RESET") return PieceKind::kSetting;
    // SELECT pg_catalog.set_config('search_path', '', false);
    if (word(0) == "SELECT" && (word(1) == "PG_CATALOG" || word(1) == "SET_CONFIG")) {
        return PieceKind::kSetting;
    }
    return PieceKind::kOther;
}

std::string on_one_line(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (!is_space(c)) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
        if (out.size() >= kPieceTextMaxBytes) return out + "...";
    }
    while (out.ends_with(' ') || out.ends_with(';')) out.pop_back();
    return out;
}

// The last line that is neither blank nor a comment, without white space around it.
std::string_view last_statement_line(std::string_view text) {
    while (!text.empty()) {
        size_t line_feed = text.rfind('\n');
        std::string_view line =
            line_feed == std::string_view::npos ? text : text.substr(line_feed + 1);
        while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
        while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
        if (!line.empty() && !line.starts_with("--")) return line;
        if (line_feed == std::string_view::npos) break;
        text = text.substr(0, line_feed);
    }
    return {};
}

}  // namespace

ScriptHead read_script_head(std::string_view text) {
    ScriptHead head;
    head.is_pg_dump = text.substr(0, kDumpStartWithin).find(kDumpStart) != std::string_view::npos;
    Scanner scanner(text);
    std::vector<ScriptHead::Piece> pieces;
    size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    while (true) {
        at = scanner.skip_blanks(at);
        if (at == std::string_view::npos) break;
        bool is_command = text[at] == '\\';
        size_t end = is_command ? scanner.end_of_line(at) : scanner.end_of_statement(at);
        if (end == std::string_view::npos) break;
        std::string_view piece = text.substr(at, end - at);
        PieceKind kind =
            is_command ? kind_of_command(piece) : kind_of_statement(scanner.words(at, end, 3));
        if (kind == PieceKind::kOther) break;
        if (kind != PieceKind::kSetting) {
            auto line =
                1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
            pieces.push_back({at, end, static_cast<uint64_t>(line), on_one_line(piece)});
        }
        if (kind == PieceKind::kConnect) head.skipped = pieces;
        at = end;
    }
    return head;
}

void ScriptFilter::blank_out(std::string& chunk) const {
    for (const ScriptHead::Piece& piece : head_.skipped) {
        for (size_t at = std::max<size_t>(piece.begin, offset_);
             at < piece.end && at - offset_ < chunk.size(); ++at) {
            char& c = chunk[at - offset_];
            if (c != '\n') c = ' ';
        }
    }
}

Status ScriptFilter::check_lines(std::string_view chunk) {
    while (!chunk.empty()) {
        size_t end = chunk.find('\n');
        std::string_view part = chunk.substr(0, end);
        if (line_start_.size() < kLineStartMaxBytes) {
            line_start_ += part.substr(0, kLineStartMaxBytes - line_start_.size());
        }
        if (end == std::string_view::npos) return ok();
        if (is_connect(line_start_)) break;
        line_start_.clear();
        ++line_;
        chunk.remove_prefix(end + 1);
    }
    if (!is_connect(line_start_)) return ok();
    return Error{.code = ErrorCode::kLoadFailed,
                 .message = cat("line ", line_, " connects to another database (",
                                on_one_line(line_start_), "), and a load goes into one"),
                 .help = "dump each database by itself: pg_dump DATABASE"};
}

Result<std::string> ScriptFilter::pass(std::string chunk) {
    if (offset_ == 0 && chunk.starts_with(kByteOrderMark)) {
        std::fill_n(chunk.begin(), kByteOrderMark.size(), ' ');
    }
    blank_out(chunk);
    LB_TRY(check_lines(chunk));
    offset_ += chunk.size();
    tail_ += chunk.size() > kTailBytes ? chunk.substr(chunk.size() - kTailBytes) : chunk;
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
    return chunk;
}

Result<std::string> ScriptFilter::finish() {
    if (is_connect(line_start_)) LB_TRY(check_lines("\n"));
    if (head_.is_pg_dump && tail_.find(kDumpEnd) == std::string::npos) {
        return Error{.code = ErrorCode::kLoadFailed,
                     .message = "the dump is cut off: pg_dump's last line is missing",
                     .help = "make the dump again, and see whether pg_dump fails"};
    }
    // Not always ";": psql 15 takes an empty statement after COPY data for the end of the file.
    std::string_view last = last_statement_line(tail_);
    bool is_complete =
        last.empty() || last.starts_with('\\') || last.ends_with(';') || last.ends_with("*/");
    return std::string(is_complete ? "\n" : "\n;\n");
}

}  // namespace lb::engine
