#include "engine/wal_page.h"

#include <algorithm>
#include <charconv>

namespace lb::engine {

namespace {

constexpr size_t kNameBytes = 24;
constexpr uint16_t kMagicFirst = 0xD106;  // PostgreSQL 13
constexpr uint16_t kMagicLast = 0xD11F;   // room for the versions after it
constexpr uint16_t kFlagContinued = 0x0001;
constexpr uint16_t kFlagLongHeader = 0x0002;
constexpr uint32_t kShortHeaderBytes = 24;
constexpr uint32_t kLongHeaderBytes = 40;
constexpr uint32_t kRecordHeaderBytes = 24;

template <class Integer>
Integer at(ByteView bytes, size_t offset) {
    return load_little_endian<Integer>(bytes.subspan(offset).data());
}

constexpr uint64_t align(uint64_t bytes) { return (bytes + 7) & ~uint64_t{7}; }

std::optional<uint32_t> eight_digits(std::string_view text) {
    uint32_t number = 0;
    for (char c : text) {
        bool is_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
        if (!is_digit) return std::nullopt;
    }
    std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return number;
}

void append_digits(std::string& text, uint32_t number) {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
}

}  // namespace

Lsn WalFileName::start(uint64_t segment_bytes) const {
    return Lsn{(uint64_t{high} << 32) + low * segment_bytes};
}

WalFileName WalFileName::of(uint32_t timeline, Lsn lsn, uint64_t segment_bytes) {
    return {.timeline = timeline,
            .high = static_cast<uint32_t>(lsn.value() >> 32),
            .low = static_cast<uint32_t>((lsn.value() & UINT32_MAX) / segment_bytes)};
}

std::optional<WalFileName> parse_wal_file_name(std::string_view name) {
    if (name.size() != kNameBytes) return std::nullopt;
    auto timeline = eight_digits(name.substr(0, 8));
    auto high = eight_digits(name.substr(8, 8));
    auto low = eight_digits(name.substr(16, 8));
    if (!timeline || !high || !low) return std::nullopt;
    return WalFileName{.timeline = *timeline, .high = *high, .low = *low};
}

std::string to_text(const WalFileName& name) {
    std::string text;
    append_digits(text, name.timeline);
    append_digits(text, name.high);
    append_digits(text, name.low);
    return text;
}

std::optional<WalPage> decode_wal_page(ByteView page) {
    if (page.size() != kWalPageBytes) return std::nullopt;
    auto magic = at<uint16_t>(page, 0);
    auto flags = at<uint16_t>(page, 2);
    if (magic < kMagicFirst || magic > kMagicLast) return std::nullopt;
    WalPage header{.start = Lsn{at<uint64_t>(page, 8)},
                   .timeline = at<uint32_t>(page, 4),
                   .header_bytes = kShortHeaderBytes};
    if (header.start.value() % kWalPageBytes != 0) return std::nullopt;
    if ((flags & kFlagContinued) != 0) header.remaining_bytes = at<uint32_t>(page, 16);
    if ((flags & kFlagLongHeader) == 0) return header;
    header.header_bytes = kLongHeaderBytes;
    header.segment_bytes = at<uint32_t>(page, 32);
    bool is_power_of_two = (header.segment_bytes & (header.segment_bytes - 1)) == 0;
    if (header.segment_bytes < uint64_t{1} << 20 || !is_power_of_two) return std::nullopt;
    return header;
}

Lsn wal_page_end(const WalPage& header, ByteView page) {
    uint64_t offset = header.header_bytes + align(header.remaining_bytes);
    // The record goes on behind this page: what is before it is on earlier pages.
    if (header.header_bytes + uint64_t{header.remaining_bytes} > kWalPageBytes) return header.start;
    while (offset + sizeof(uint32_t) <= kWalPageBytes) {
        auto length = at<uint32_t>(page, offset);
        if (length < kRecordHeaderBytes || offset + length > kWalPageBytes) break;
        offset += align(length);
    }
    return Lsn{header.start.value() + std::min<uint64_t>(offset, kWalPageBytes)};
}

}  // namespace lb::engine
