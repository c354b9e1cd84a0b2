#include "base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace lb {

std::string quoted(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "\"";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '\r': out += "\\r"; break;
            default:
                if (byte < 0x20 || byte == 0x7f) {
                    out += "\\x";
                    out += kDigits[byte >> 4];
                    out += kDigits[byte & 15];
                } else {
                    out += c;
                }
        }
    }
    return out + "\"";
}

std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
    std::string out;
    for (size_t i = 0; i < pieces.size(); ++i) {
        if (i > 0) out += separator;
        out += pieces[i];
    }
    return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    while (true) {
        size_t end = text.find(separator);
        pieces.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return pieces;
        text.remove_prefix(end + 1);
    }
}

std::string format_bytes(uint64_t bytes) {
    if (bytes < 1024) return cat(bytes, " B");
    static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
    return text;
}

std::string format_duration(std::chrono::nanoseconds duration) {
    double ns = static_cast<double>(duration.count());
    char text[48];
    if (ns < 1e6) {
        std::snprintf(text, sizeof text, "%.0f us", ns / 1e3);
    } else if (ns < 1e9) {
        std::snprintf(text, sizeof text, ns < 1e7 ? "%.1f ms" : "%.0f ms", ns / 1e6);
    } else if (ns < 60e9) {
        std::snprintf(text, sizeof text, "%.1f s", ns / 1e9);
    } else {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
        std::snprintf(text, sizeof text, "%lld min %lld s", static_cast<long long>(seconds / 60),
                      static_cast<long long>(seconds % 60));
    }
    return text;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    // Units must come in this order, each at most once: "1d12h", not "12h1d".
    static constexpr std::array<std::pair<char, int64_t>, 5> kUnits = {
        {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
    static constexpr int64_t kMaxSeconds = int64_t{100} * 366 * 86400;
    int64_t total = 0;
    size_t next_unit = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        int64_t number = 0;
        if (!std::isdigit(static_cast<unsigned char>(text.front()))) return std::nullopt;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failure != std::errc{} || number > kMaxSeconds) return std::nullopt;
        text.remove_prefix(static_cast<size_t>(end - text.data()));
        if (text.empty()) return std::nullopt;
        while (next_unit < kUnits.size() && kUnits[next_unit].first != text.front()) ++next_unit;
        if (next_unit == kUnits.size()) return std::nullopt;
        total += number * kUnits[next_unit].second;
        if (total > kMaxSeconds) return std::nullopt;
        ++next_unit;
        text.remove_prefix(1);
    }
    return std::chrono::seconds(total);
}

std::string format_short_duration(std::chrono::seconds duration) {
    static constexpr std::array<std::pair<char, int64_t>, 4> kUnits = {
        {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};
    int64_t rest = duration.count();
    std::string out;
    for (auto [letter, seconds] : kUnits) {
        if (rest / seconds == 0) continue;
        out += cat(rest / seconds, letter);
        rest %= seconds;
    }
    return out.empty() ? "0s" : out;
}

namespace {

// Exactly `count` digits at the front of `text`, which they are removed from.
std::optional<int> take_digits(std::string_view& text, size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take_char(std::string_view& text, std::string_view allowed) {
    if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// ".123456789" -> nanoseconds; more digits than nine are refused.
std::optional<int64_t> take_fraction(std::string_view& text) {
    if (!take_char(text, ".")) return 0;
    int64_t nanoseconds = 0;
    size_t digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (++digits > 9) return std::nullopt;
        nanoseconds = nanoseconds * 10 + (text.front() - '0');
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 9; ++digits) nanoseconds *= 10;
    return nanoseconds;
}

// "Z" or "+02:00" -> offset from UTC; the whole rest of `text`.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
    if (take_char(text, "Zz")) return std::chrono::minutes(0);
    if (text.empty()) return std::nullopt;
    int sign = text.front() == '-' ? -1 : 1;
    if (!take_char(text, "+-")) return std::nullopt;
    auto hours = take_digits(text, 2);
    if (!hours || !take_char(text, ":")) return std::nullopt;
    auto minutes = take_digits(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    return std::chrono::minutes(sign * (*hours * 60 + *minutes));
}

}  // namespace

std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> parse_time(std::string_view text) {
    auto year = take_digits(text, 4);
    if (!year || !take_char(text, "-")) return std::nullopt;
    auto month = take_digits(text, 2);
    if (!month || !take_char(text, "-")) return std::nullopt;
    auto day = take_digits(text, 2);
    if (!day || !take_char(text, "Tt ")) return std::nullopt;
    auto hour = take_digits(text, 2);
    if (!hour || !take_char(text, ":")) return std::nullopt;
    auto minute = take_digits(text, 2);
    if (!minute || !take_char(text, ":")) return std::nullopt;
    auto second = take_digits(text, 2);
    if (!second) return std::nullopt;
    auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    auto zone = take_zone(text);
    if (!zone || !text.empty()) return std::nullopt;

    std::chrono::year_month_day date{std::chrono::year(*year),
                                     std::chrono::month(static_cast<unsigned>(*month)),
                                     std::chrono::day(static_cast<unsigned>(*day))};
    // Nanoseconds in 64 bits reach from 1678 to 2261.
    if (!date.ok() || *year < 1970 || *year > 2200) return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second) + std::chrono::nanoseconds(*fraction) - *zone;
}

std::string format_time(std::chrono::sys_time<std::chrono::nanoseconds> time) {
    std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(text, length);
}

namespace {

// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before_previous(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({previous[j] + 1, row[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_previous[j - 2] + 1);
            }
        }
        std::swap(before_previous, previous);
        std::swap(previous, row);
    }
    return previous[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
    static constexpr size_t kWordMaxBytes = 256;  // the distance is quadratic
    if (word.size() > kWordMaxBytes) return {};
    size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
    std::string_view best;
    for (std::string_view candidate : candidates) {
        if (candidate.size() > kWordMaxBytes) continue;
        size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string hex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (char c : bytes) {
        auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
    }
    return out;
}

bool is_utf8(std::string_view text) {
    size_t i = 0;
    auto continuation = [&](size_t at) {
        return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
    };
    while (i < text.size()) {
        auto lead = static_cast<unsigned char>(text[i]);
        size_t length = lead < 0x80         ? 1
                        : (lead >> 5) == 6  ? 2
                        : (lead >> 4) == 14 ? 3
                        : (lead >> 3) == 30 ? 4
                                            : 0;
        if (length == 0) return false;
        uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
        for (size_t k = 1; k < length; ++k) {
            if (!continuation(i + k)) return false;
            point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3f);
        }
        static constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
        if (point < kSmallest[length] || point > 0x10ffff) return false;
        if (point >= 0xd800 && point <= 0xdfff) return false;
        i += length;
    }
    return true;
}

}  // namespace lb
