#include "cli/table.h"

#include <algorithm>
#include <string_view>

#include "base/assert.h"

namespace lb::cli {

size_t display_width(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

void Table::add_row(std::vector<std::string> cells) {
    LB_ASSERT(cells.size() == columns_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::to_text() const {
    std::vector<std::vector<std::string>> rows;
    rows.emplace_back();
    for (const Column& column : columns_) rows.front().push_back(column.title);
    rows.insert(rows.end(), rows_.begin(), rows_.end());
    std::vector<size_t> widths(columns_.size(), 0);
    for (const std::vector<std::string>& row : rows) {
        for (size_t index = 0; index < row.size(); ++index) {
            widths[index] = std::max(widths[index], display_width(row[index]));
        }
    }
    std::string text;
    for (const std::vector<std::string>& row : rows) {
        std::string line;
        for (size_t index = 0; index < row.size(); ++index) {
            std::string padding(widths[index] - display_width(row[index]), ' ');
            if (index > 0) line += "  ";
            line +=
                columns_[index].align == Align::kLeft ? row[index] + padding : padding + row[index];
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        text += line + "\n";
    }
    return text;
}

}  // namespace lb::cli
