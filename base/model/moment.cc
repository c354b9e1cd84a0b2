#include "base/model/moment.h"

#include <charconv>

#include "base/text.h"

namespace lb {

namespace {

constexpr std::string_view kPositionPrefix = "position:";

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base) {
    Number number = 0;
    const char* end = text.data() + text.size();
    auto [parsed_end, failure] = std::from_chars(text.data(), end, number, base);
    if (text.empty() || failure != std::errc{} || parsed_end != end) return std::nullopt;
    return number;
}

std::string upper_hex(uint64_t number) {
    char digits[16];
    auto [end, failure] = std::to_chars(digits, digits + sizeof digits, number, 16);
    std::string text(digits, end);
    for (char& c : text) {
        if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

struct MomentText {
    std::string operator()(Present) const { return {}; }
    std::string operator()(WallTime time) const { return exact_time_text(time); }
    std::string operator()(Lsn lsn) const { return to_text(lsn); }
    std::string operator()(Position position) const {
        return cat(kPositionPrefix, position.value());
    }
};

}  // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
    size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    auto high = whole_number<uint32_t>(text.substr(0, slash), 16);
    auto low = whole_number<uint32_t>(text.substr(slash + 1), 16);
    if (!high || !low) return std::nullopt;
    return Lsn{uint64_t{*high} << 32 | *low};
}

std::string to_text(Lsn lsn) {
    return cat(upper_hex(lsn.value() >> 32), '/', upper_hex(lsn.value() & UINT32_MAX));
}

std::optional<Moment> parse_moment(std::string_view text) {
    if (text.empty()) return Moment(Present{});
    if (text.starts_with(kPositionPrefix)) {
        // Positions fit 63 bits, as JSON's integers must.
        auto number = whole_number<int64_t>(text.substr(kPositionPrefix.size()), 10);
        if (!number || *number <= 0) return std::nullopt;
        return Moment(Position{static_cast<uint64_t>(*number)});
    }
    if (auto lsn = parse_lsn(text)) return Moment(*lsn);
    auto time = parse_time(text);
    // One that its zone moves out of the years that can be written has no canonical form.
    if (!time || !parse_time(exact_time_text(*time))) return std::nullopt;
    return Moment(*time);
}

std::string to_text(const Moment& moment) { return std::visit(MomentText{}, moment); }

std::string exact_time_text(WallTime time) {
    auto whole = std::chrono::floor<std::chrono::seconds>(time);
    std::string text = format_time(whole);
    auto fraction = (time - whole).count();
    if (fraction == 0) return text;
    std::string digits = std::to_string(fraction);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text.insert(text.size() - 1, cat(".", digits));
    return text;
}

}  // namespace lb
