#include <array>

#include "base/text.h"
#include "specs/internal/utf8.h"

namespace lb::specs {

namespace {

struct CodePointRange {
    uint32_t first;
    uint32_t last;
};

constexpr std::array<CodePointRange, 10> kZeroWidth = {{{0x0300, 0x036f},
                                                        {0x0483, 0x0489},
                                                        {0x0591, 0x05bd},
                                                        {0x0610, 0x061a},
                                                        {0x064b, 0x065f},
                                                        {0x1ab0, 0x1aff},
                                                        {0x200b, 0x200d},
                                                        {0x20d0, 0x20ff},
                                                        {0xfe00, 0xfe0f},
                                                        {0xe0100, 0xe01ef}}};

constexpr std::array<CodePointRange, 13> kWide = {{{0x1100, 0x115f},
                                                   {0x2e80, 0x303e},
                                                   {0x3041, 0x33ff},
                                                   {0x3400, 0x4dbf},
                                                   {0x4e00, 0x9fff},
                                                   {0xa000, 0xa4cf},
                                                   {0xac00, 0xd7a3},
                                                   {0xf900, 0xfaff},
                                                   {0xfe30, 0xfe6f},
                                                   {0xff00, 0xff60},
                                                   {0xffe0, 0xffe6},
                                                   {0x1f300, 0x1f9ff},
                                                   {0x20000, 0x3fffd}}};

template <size_t count>
bool is_in(const std::array<CodePointRange, count>& ranges, uint32_t code_point) {
    for (const CodePointRange& range : ranges) {
        if (code_point >= range.first && code_point <= range.last) return true;
    }
    return false;
}

size_t sequence_bytes(unsigned char lead) {
    if (lead < 0x80) return 1;
    if ((lead >> 5) == 0x6) return 2;
    if ((lead >> 4) == 0xe) return 3;
    if ((lead >> 3) == 0x1e) return 4;
    return 0;
}

}  // namespace

CodePoint decode_code_point(std::string_view text, size_t offset) {
    auto lead = static_cast<unsigned char>(text[offset]);
    if (lead < 0x80) return {.value = lead, .size_bytes = 1, .is_valid = true};
    size_t size_bytes = sequence_bytes(lead);
    std::string_view sequence = text.substr(offset, size_bytes);
    if (size_bytes == 0 || sequence.size() < size_bytes || !is_utf8(sequence)) {
        return {.value = 0xfffd, .size_bytes = 1, .is_valid = false};
    }
    uint32_t value = lead & (0xffU >> (size_bytes + 1));
    for (char c : sequence.substr(1)) {
        value = (value << 6) | (static_cast<unsigned char>(c) & 0x3fU);
    }
    return {.value = value, .size_bytes = size_bytes, .is_valid = true};
}

size_t find_invalid_utf8(std::string_view text) {
    if (is_utf8(text)) return std::string_view::npos;
    size_t offset = 0;
    while (offset < text.size()) {
        CodePoint point = decode_code_point(text, offset);
        if (!point.is_valid) return offset;
        offset += point.size_bytes;
    }
    return std::string_view::npos;
}

size_t display_width(uint32_t code_point) {
    if (code_point < 0x300) return 1;
    if (is_in(kZeroWidth, code_point)) return 0;
    return is_in(kWide, code_point) ? 2 : 1;
}

bool is_safe_to_display(uint32_t code_point) {
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
    if (code_point == 0x61c || code_point == 0x200e || code_point == 0x200f) return false;
    if (code_point >= 0x2028 && code_point <= 0x202e) return false;
    return !(code_point >= 0x2066 && code_point <= 0x2069);
}

}  // namespace lb::specs
