#include "cli/line_diff.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace lb::cli {
namespace {

using Lines = std::vector<std::string_view>;

// With their newlines, so that a last line without one differs from one with it.
Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return lines;
}

struct Edit {
    char sign = ' ';  // '-' '+' ' '
    std::string_view line;
};

// Longer middles than this, in lines of both texts multiplied, are shown as removed and added.
constexpr size_t kCellsMax = 4'000'000;

// By the longest common subsequence of the lines between [begin, *_end).
void add_middle(const Lines& before, const Lines& after, std::vector<Edit>& edits) {
    size_t rows = before.size();
    size_t columns = after.size();
    bool is_small = rows == 0 || columns <= kCellsMax / rows;
    std::vector<uint32_t> lengths;  // of what is common from (row, column) on
    auto length = [&](size_t row, size_t column) -> uint32_t& {
        return lengths[row * (columns + 1) + column];
    };
    if (is_small) lengths.assign((rows + 1) * (columns + 1), 0);
    for (size_t row = is_small ? rows : 0; row-- > 0;) {
        for (size_t column = columns; column-- > 0;) {
            length(row, column) = before[row] == after[column]
                                      ? length(row + 1, column + 1) + 1
                                      : std::max(length(row + 1, column), length(row, column + 1));
        }
    }
    size_t row = 0;
    size_t column = 0;
    while (row < rows || column < columns) {
        bool has_both = is_small && row < rows && column < columns;
        if (has_both && before[row] == after[column]) {
            edits.push_back({' ', before[row++]});
            ++column;
        } else if (row < rows &&
                   (!has_both || length(row + 1, column) >= length(row, column + 1))) {
            edits.push_back({'-', before[row++]});
        } else {
            edits.push_back({'+', after[column++]});
        }
    }
}

std::vector<Edit> edits_of(Lines before, Lines after) {
    std::vector<Edit> edits;
    size_t start = 0;
    while (start < before.size() && start < after.size() && before[start] == after[start]) {
        edits.push_back({' ', before[start++]});
    }
    Lines common_end;
    while (before.size() > start && after.size() > start && before.back() == after.back()) {
        common_end.push_back(before.back());
        before.pop_back();
        after.pop_back();
    }
    auto from = static_cast<ptrdiff_t>(start);
    before.erase(before.begin(), before.begin() + from);
    after.erase(after.begin(), after.begin() + from);
    add_middle(before, after, edits);
    for (size_t at = common_end.size(); at-- > 0;) edits.push_back({' ', common_end[at]});
    return edits;
}

// "12,3": the first line and how many; patch counts an empty range from the line before it.
std::string range(size_t line, size_t count) {
    return cat(count == 0 ? line - 1 : line, ",", count);
}

}  // namespace

std::string line_diff(const std::string& name, std::string_view before, std::string_view after) {
    constexpr size_t kContext = 3;
    if (before == after) return {};
    std::vector<Edit> edits = edits_of(lines_of(before), lines_of(after));
    std::string out = cat("--- ", name, "\n+++ ", name, "\n");
    size_t old_line = 1;
    size_t new_line = 1;
    for (size_t at = 0; at < edits.size();) {
        // A hunk: from a change to where no other one is within reach of the context.
        size_t first = at;
        while (first < edits.size() && edits[first].sign == ' ') ++first;
        if (first == edits.size()) break;
        size_t begin = first - at > kContext ? first - kContext : at;
        old_line += begin - at;
        new_line += begin - at;
        size_t end = first;
        for (size_t look = first; look < edits.size() && look <= end + 2 * kContext; ++look) {
            if (edits[look].sign != ' ') end = look;
        }
        end = std::min(end + kContext + 1, edits.size());
        std::string hunk;
        size_t old_count = 0;
        size_t new_count = 0;
        for (at = begin; at < end; ++at) {
            if (edits[at].sign != '+') ++old_count;
            if (edits[at].sign != '-') ++new_count;
            hunk += cat(edits[at].sign, edits[at].line);
            if (!hunk.ends_with('\n')) hunk += "\n\\ No newline at end of file\n";
        }
        out += cat("@@ -", range(old_line, old_count), " +", range(new_line, new_count), " @@\n",
                   hunk);
        old_line += old_count;
        new_line += new_count;
    }
    return out;
}

}  // namespace lb::cli
