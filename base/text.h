// Small text helpers, for what g++ 12 does not have yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lb {

namespace internal {
inline void append(std::string& out, std::string_view piece) { out += piece; }
inline void append(std::string& out, char piece) { out += piece; }
template <class Number>
requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool> &&
         !std::is_same_v<Number, char>) void append(std::string& out, Number piece) {
    out += std::to_string(piece);
}
}  // namespace internal

// cat("branch ", name, " has ", 3, " children")
template <class... Pieces>
std::string cat(const Pieces&... pieces) {
    std::string out;
    (internal::append(out, pieces), ...);
    return out;
}

// Text in double quotes, with control characters, quotes and backslashes escaped; for messages.
std::string quoted(std::string_view text);

std::string join(const std::vector<std::string>& pieces, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);

// "0 B", "64.0 KiB", "1.2 GiB": binary units, one decimal above bytes.
std::string format_bytes(uint64_t bytes);

// "480 us", "12 ms", "3.4 s", "2 min 5 s".
std::string format_duration(std::chrono::nanoseconds duration);

// "7d", "12h", "30m", "45s", "1d12h" -> duration; nullopt for anything else, negatives included,
// and for more than 100 years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// The canonical short form: 604800 s -> "7d", 5400 s -> "1h30m", 0 -> "0s".
std::string format_short_duration(std::chrono::seconds duration);

// "2026-04-12T09:30:00Z" (RFC 3339, zone required, fractions allowed) -> nanoseconds since the
// Unix epoch; nullopt for anything else.
std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> parse_time(std::string_view text);

// "2026-04-12T09:30:00Z": UTC, whole seconds; parse_time() reads it.
std::string format_time(std::chrono::sys_time<std::chrono::nanoseconds> time);

// The candidate nearest to `word` in Damerau-Levenshtein distance, if it is near enough to be a
// likely misspelling; empty otherwise.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// Lowercase hexadecimal of `bytes`.
std::string hex(std::string_view bytes);

// True for well-formed UTF-8 without overlong forms and surrogates.
bool is_utf8(std::string_view text);

}  // namespace lb
