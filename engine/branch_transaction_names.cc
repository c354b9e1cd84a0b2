#include "engine/branch_transaction_names.h"

#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace lb::engine {

namespace {

constexpr std::string_view kPending = "lb_new_";
constexpr std::string_view kDiscarded = "lb_old_";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kDigits = "0123456789";
constexpr size_t kHashDigits = 16;

std::string prefix(std::string_view kind, std::string_view transaction_name) {
    uint64_t hash = hash64(as_bytes(transaction_name));
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += kHexDigits[(hash >> shift) & 0xF];
    return cat(kind, digits, "_");
}

}  // namespace

std::string content_transaction_name(std::string_view transaction_name, size_t number) {
    return cat(transaction_name, "/", number);
}

std::string_view apply_transaction_name(std::string_view transaction_name) {
    return transaction_name.substr(0, transaction_name.find('/'));
}

std::string pending_prefix(std::string_view transaction_name) {
    return prefix(kPending, transaction_name);
}

std::string discarded_prefix(std::string_view transaction_name) {
    return prefix(kDiscarded, transaction_name);
}

bool is_transaction_name(std::string_view name) {
    if (!name.starts_with(kPending) && !name.starts_with(kDiscarded)) return false;
    name.remove_prefix(kPending.size());
    if (name.size() < kHashDigits + 2 || name[kHashDigits] != '_') return false;
    return name.substr(0, kHashDigits).find_first_not_of(kHexDigits) == std::string_view::npos &&
           name.substr(kHashDigits + 1).find_first_not_of(kDigits) == std::string_view::npos;
}

}  // namespace lb::engine
