#include "cli/generation_option.h"

#include <charconv>

#include "base/text.h"

namespace lb::cli {

Result<uint64_t> generation_number(std::string_view what, const std::string& text) {
    uint64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc{} && end == text.data() + text.size() && number > 0) return number;
    return Error{.code = ErrorCode::kUsage,
                 .message = cat(what, " cannot be ", quoted(text)),
                 .help = "give a number; lb generations lists what there is"};
}

}  // namespace lb::cli
