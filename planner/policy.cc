#include "planner/policy.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace lb::planner {

namespace {

ErrorCode code_of(const PlannedChange& planned) {
    switch (planned.refusal) {
        case Refusal::kNone:
        case Refusal::kProtected:
        case Refusal::kNotSupported:
        case Refusal::kWouldOrphan:
        case Refusal::kForbidden:
        case Refusal::kInUse: return ErrorCode::kRefused;
        // A command names what does not exist; a spec's plan cannot be carried out without it.
        case Refusal::kNotFound:
            return planned.reason == Reason::kRequestedByCommand ? ErrorCode::kNotFound
                                                                 : ErrorCode::kRefused;
        case Refusal::kAlreadyExists: return ErrorCode::kAlreadyExists;
        case Refusal::kInvalidName: return ErrorCode::kInvalidName;
        case Refusal::kNotInHistory: return ErrorCode::kNotInHistory;
    }
    return ErrorCode::kRefused;
}

// One refusal speaks for itself; of several, each is a note with its own help.
Error refusal_error(const std::vector<const PlannedChange*>& refused) {
    const PlannedChange& first = *refused.front();
    if (refused.size() == 1) {
        return Error{
            .code = code_of(first), .message = first.refusal_message, .help = first.refusal_help};
    }
    Error error{.code = code_of(first),
                .message = cat(refused.size(), " changes of this plan are refused"),
                .help = "change the spec or the command as said above; nothing was applied"};
    for (const PlannedChange* planned : refused) {
        std::string note = cat(to_text(planned->change.address), ": ", planned->refusal_message);
        if (!planned->refusal_help.empty()) note += cat(" (", planned->refusal_help, ")");
        error.notes.push_back(std::move(note));
        if (planned->refusal == Refusal::kProtected) error.code = ErrorCode::kRefused;
    }
    return error;
}

}  // namespace

bool needs_permission(const PlannedChange& planned) {
    bool is_destructive =
        planned.risk == Risk::kDeletesData || planned.risk == Risk::kDeletesHistory;
    return is_destructive && planned.reason != Reason::kParentDeleted;
}

std::string destroy_option(const Address& address) {
    std::string text = to_text(address);
    bool is_plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-' || c == '/';
    });
    if (is_plain) return cat("--allow-destroy ", text);
    std::string shell_word = "'";
    for (char c : text) {
        if (c == '\'') {
            shell_word += "'\\''";
        } else {
            shell_word += c;
        }
    }
    return cat("--allow-destroy ", shell_word, "'");
}

Status check_policy(const Plan& plan, const std::vector<std::string>& allowed_destroys) {
    std::set<Address> allowed;
    for (const std::string& text : allowed_destroys) {
        if (auto address = parse_address(text)) allowed.insert(*address);
    }
    std::vector<const PlannedChange*> refused;
    std::vector<std::string> data_of;
    std::vector<std::string> history_of;
    std::vector<std::string> options;
    for (const PlannedChange& planned : plan.changes) {
        if (planned.refusal != Refusal::kNone) refused.push_back(&planned);
        if (!needs_permission(planned) || allowed.contains(planned.change.address)) continue;
        bool is_history = planned.risk == Risk::kDeletesHistory;
        (is_history ? history_of : data_of).push_back(to_text(planned.change.address));
        options.push_back(destroy_option(planned.change.address));
    }
    if (!refused.empty()) return refusal_error(refused);
    if (options.empty()) return ok();
    std::vector<std::string> losses;
    if (!data_of.empty()) losses.push_back(cat("deletes the data of ", join(data_of, ", ")));
    if (!history_of.empty()) losses.push_back(cat("gives up history of ", join(history_of, ", ")));
    return Error{.code = ErrorCode::kDestroyNotAllowed,
                 .message = cat("this plan ", join(losses, " and ")),
                 .help = cat("if that is wanted, add: ", join(options, " "))};
}

}  // namespace lb::planner
