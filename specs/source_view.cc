#include "specs/internal/source_view.h"

#include <algorithm>

#include "specs/internal/utf8.h"

namespace lb::specs {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kHidden = "********";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kCut = "...";
constexpr size_t kTabColumns = 4;
// In code points. A line is cut if it is longer than kShownMax.
constexpr size_t kShownMax = 120;
constexpr size_t kShownBeforeMark = 40;

// Offset of code point `index` of `line`; its size if there are fewer. Fast, because a line may be
// as long as the file.
size_t offset_of(std::string_view line, size_t index) {
    size_t offset = 0;
    while (index > 0 && offset < line.size()) {
        offset += static_cast<unsigned char>(line[offset]) < 0x80
                      ? 1
                      : decode_code_point(line, offset).size_bytes;
        --index;
    }
    return offset;
}

// Puts shown code points behind each other and finds the columns of the mark.
class LineBuilder {
public:
    void set_marked(bool is_marked) {
        if (is_marked && !has_mark_) {
            has_mark_ = true;
            shown_.mark_column = columns_;
        }
        if (!is_marked && has_mark_ && mark_end_ == SIZE_MAX) mark_end_ = columns_;
    }
    void add(std::string_view text, size_t columns) {
        shown_.text += text;
        columns_ += columns;
    }
    void add(const CodePoint& point, std::string_view bytes) {
        if (point.is_valid && point.value == '\t') {
            add(std::string(kTabColumns, ' '), kTabColumns);
        } else if (point.is_valid && is_safe_to_display(point.value)) {
            add(bytes, display_width(point.value));
        } else {
            add(kReplacement, 1);
        }
    }
    ShownLine finish() {
        if (!has_mark_) shown_.mark_column = columns_;
        size_t end = std::min(mark_end_, columns_);
        shown_.mark_width = std::max<size_t>(end, shown_.mark_column + 1) - shown_.mark_column;
        return std::move(shown_);
    }

private:
    ShownLine shown_;
    size_t columns_ = 0;
    bool has_mark_ = false;
    size_t mark_end_ = SIZE_MAX;
};

}  // namespace

SourceView::SourceView(std::string_view source) : source_(source) {
    if (source_.starts_with(kByteOrderMark)) source_.remove_prefix(kByteOrderMark.size());
    line_offsets_.push_back(0);
    for (size_t at = source_.find('\n'); at != std::string_view::npos;
         at = source_.find('\n', at + 1)) {
        line_offsets_.push_back(at + 1);
    }
    secrets_ = find_secrets(source_);
}

std::string_view SourceView::text_of_line(size_t line) const {
    size_t begin = line_offsets_[line - 1];
    size_t end = line < line_offsets_.size() ? line_offsets_[line] - 1 : source_.size();
    if (end > begin && source_[end - 1] == '\r') --end;
    return source_.substr(begin, end - begin);
}

ShownLine SourceView::show(size_t line, size_t column, size_t end_column) const {
    line = std::clamp<size_t>(line, 1, line_offsets_.size());
    column = std::max<size_t>(column, 1);
    size_t line_begin = line_offsets_[line - 1];
    std::string_view text = text_of_line(line);
    size_t mark = offset_of(text, column - 1);
    size_t mark_points = end_column > column ? end_column - column : 1;
    size_t mark_end = mark + offset_of(text.substr(mark), mark_points);
    auto is_marked = [&](size_t offset) { return offset >= mark && offset < mark_end; };

    bool is_long = offset_of(text, kShownMax) < text.size();
    size_t at = 0;
    if (is_long && column > kShownMax - kShownBeforeMark) {
        at = offset_of(text, column - 1 - kShownBeforeMark);
        if (at == text.size()) at = 0;
    }
    size_t stop = is_long ? at + offset_of(text.substr(at), kShownMax) : text.size();

    LineBuilder builder;
    if (at > 0) builder.add(kCut, kCut.size());
    auto secret =
        std::lower_bound(secrets_.begin(), secrets_.end(), line_begin + at,
                         [](const TextRange& range, size_t offset) { return range.end <= offset; });
    while (at < stop) {
        if (secret != secrets_.end() && line_begin + at >= secret->begin) {
            // A mark inside of a secret covers all of it, so that it says nothing about it.
            size_t secret_end = std::min(secret->end - line_begin, stop);
            builder.set_marked(mark < secret_end && at < mark_end);
            builder.add(kHidden, kHidden.size());
            at = secret_end;
            ++secret;
            continue;
        }
        builder.set_marked(is_marked(at));
        CodePoint point = decode_code_point(text, at);
        builder.add(point, text.substr(at, point.size_bytes));
        at += point.size_bytes;
    }
    builder.set_marked(at < text.size() && is_marked(at));
    if (at < text.size()) builder.add(kCut, kCut.size());
    return builder.finish();
}

}  // namespace lb::specs
