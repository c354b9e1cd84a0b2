#include "cli/moment_option.h"

#include "base/model/moment.h"
#include "base/text.h"

namespace lb::cli {

Result<std::string> moment_option(std::string_view option, const std::string& text, Clock& clock) {
    if (text.starts_with("-")) {
        if (auto ago = parse_duration(std::string_view(text).substr(1))) {
            return to_text(Moment(clock.now() - *ago));
        }
    }
    auto moment = parse_moment(text);
    if (moment && !std::holds_alternative<Present>(*moment)) return to_text(*moment);
    return Error{.code = ErrorCode::kUsage,
                 .message = cat(option, " cannot be ", quoted(text)),
                 .help = cat(kMomentHelp, ", or how long ago: -15m")};
}

}  // namespace lb::cli
