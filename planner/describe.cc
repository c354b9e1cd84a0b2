#include "planner/describe.h"

#include <algorithm>

#include "base/model/moment.h"
#include "base/text.h"

namespace lb::planner {

namespace {

std::string arrow(const AttributeDiff& diff) {
    return cat(diff.before.value_or("(none)"), " -> ", diff.after.value_or("(none)"));
}

std::string describe_create(const PlannedChange& planned) {
    std::vector<std::string> pieces;
    auto* branch = std::get_if<BranchValue>(&planned.change.value);
    if (branch != nullptr && branch->undelete) return cat("undelete, a child of ", branch->parent);
    if (branch != nullptr && branch->parent.empty()) {
        pieces.push_back("root branch");
    } else if (branch != nullptr) {
        std::string at = branch->requested_at.empty() ? "head" : branch->requested_at;
        pieces.push_back(cat("from ", branch->parent, "@", at));
    }
    for (const AttributeDiff& diff : planned.diffs) {
        if (branch != nullptr && (diff.name == "parent" || diff.name == "at")) continue;
        bool is_switch = diff.after == "true";
        pieces.push_back(is_switch ? diff.name
                                   : cat(diff.name, " ", diff.after.value_or("(none)")));
    }
    return join(pieces, ", ");
}

std::string describe_update(const PlannedChange& planned) {
    std::vector<std::string> pieces;
    for (const AttributeDiff& diff : planned.diffs) {
        pieces.push_back(cat(diff.name, ": ", arrow(diff)));
    }
    std::string text = join(pieces, ", ");
    if (planned.risk == Risk::kRestartsCompute) text += " (restarts the compute)";
    if (planned.is_window_longer) text += " (the past that was given up does not come back)";
    return text;
}

std::string describe_move(const PlannedChange& planned) {
    const auto& value = std::get<BranchValue>(planned.change.value);
    RestoreValue wish = value.restore.value_or(RestoreValue{});
    bool is_reset = planned.change.kind == ChangeKind::kReset;
    std::string text =
        is_reset ? cat("reset to ", value.parent, "@head") : cat("restore to ", wish.to);
    if (!wish.from.empty()) text += cat(" of ", wish.from);
    if (planned.risk == Risk::kDeletesData) {
        text += cat(", deletes ", format_bytes(planned.deleted_bytes));
    } else {
        text +=
            cat(", keeps the old state as ", wish.backup.empty() ? "a backup branch" : wish.backup);
    }
    for (const AttributeDiff& diff : planned.diffs) {
        if (diff.name != "restore") text += cat(", ", diff.name, ": ", arrow(diff));
    }
    return text + " (restarts the compute)";
}

std::string describe_delete(const PlannedChange& planned) {
    switch (planned.change.address.kind) {
        case ResourceKind::kProject: return "deletes everything in it";
        case ResourceKind::kBranch:
            return cat("deletes ", format_bytes(planned.deleted_bytes),
                       planned.change.is_purge ? " for good" : "");
        case ResourceKind::kDatabase: return "deletes its data";
        case ResourceKind::kCompute:
        case ResourceKind::kRole:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return "";
    }
    return "";
}

}  // namespace

// C1 controls are U+0080 to U+009F, in UTF-8 0xc2 and a byte from 0x80 to 0x9f. Controls of the
// writing direction are U+202A to U+202E (0xe2 0x80 0xaa to 0xae) and U+2066 to U+2069 (0xe2 0x81
// 0xa6 to 0xa9); line and paragraph separators U+2028 and U+2029 (0xe2 0x80 0xa8 and 0xa9).
std::string printable(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    auto byte_at = [&](size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        unsigned byte = byte_at(i);
        unsigned second = byte_at(i + 1);
        unsigned third = byte_at(i + 2);
        bool is_direction = byte == 0xe2 && ((second == 0x80 && third >= 0xa8 && third <= 0xae) ||
                                             (second == 0x81 && third >= 0xa6 && third <= 0xa9));
        if (is_direction) {
            out += cat("\\u20", second == 0x80 ? '2' : '6', kDigits[third & 15]);
            i += 2;
            continue;
        }
        bool is_c1 = byte == 0xc2 && second >= 0x80 && second < 0xa0;
        if (is_c1) {
            byte = second;
            ++i;
        }
        if (is_c1 || byte < 0x20 || byte == 0x7f) {
            out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
        } else {
            out += text[i];
        }
    }
    return out;
}

size_t width_of(std::string_view text) {
    return static_cast<size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, size_t width) {
    size_t text_width = width_of(text);
    if (text_width < width) text.append(width - text_width, ' ');
    return text;
}

std::string describe(const PlannedChange& planned) {
    std::string text;
    switch (planned.change.kind) {
        case ChangeKind::kCreate: text = describe_create(planned); break;
        case ChangeKind::kUpdate: text = describe_update(planned); break;
        case ChangeKind::kDelete: text = describe_delete(planned); break;
        case ChangeKind::kForget: text = "stays, and lb manages it no more"; break;
        case ChangeKind::kRestore:
        case ChangeKind::kReset: text = describe_move(planned); break;
    }
    if (planned.refusal == Refusal::kNone) return text;
    // The symbol says "refused", so words say what was.
    std::string action(to_text(planned.change.kind));
    if (text.empty() || planned.change.kind == ChangeKind::kDelete) return action;
    if (text.starts_with(action)) return text;
    return cat(action, " ", text);
}

std::string describe_reason(const PlannedChange& planned) {
    const specs::Span& span = planned.span;
    std::string place = span.line == 0 ? "the spec" : cat(span.file, ":", span.line);
    switch (planned.reason) {
        case Reason::kNewInSpec: return cat("new in ", place);
        case Reason::kChangedInSpec: return cat("changed in ", place);
        case Reason::kNoLongerInSpec: return "no longer in the spec";
        case Reason::kRequestedByCommand: return "by command";
        case Reason::kParentDeleted: return "goes with the project";
        case Reason::kForgottenInSpec: return cat("forgotten in ", place);
        case Reason::kRolledBack: return "as it was";
    }
    return "";
}

std::string summary_text(const PlanSummary& summary) {
    std::string text =
        cat(summary.create_count, " to create, ", summary.update_count, " to update, ",
            summary.delete_count, " to delete, ", summary.unchanged_count, " unchanged");
    if (summary.forget_count > 0) text += cat(", ", summary.forget_count, " to forget");
    if (summary.refused_count > 0) text += cat(", ", summary.refused_count, " refused");
    if (summary.left_out_count > 0) text += cat(", ", summary.left_out_count, " left out");
    return text;
}

std::string selection_text(const SelectionNote& note) {
    std::string address = to_text(note.address);
    std::string because = to_text(note.because);
    bool is_added = note.kind == SelectionNote::Kind::kAdded;
    return is_added ? cat("added: ", address, ", which ", because, " needs")
                    : cat("dropped: ", address, ", which needs ", because);
}

std::vector<std::string> attribute_lines(const PlannedChange& planned) {
    std::vector<std::string> lines;
    size_t name_width = 0;
    for (const AttributeDiff& diff : planned.diffs) {
        name_width = std::max(name_width, width_of(diff.name));
    }
    for (const AttributeDiff& diff : planned.diffs) {
        std::string text;
        switch (planned.change.kind) {
            case ChangeKind::kCreate: text = diff.after.value_or("(none)"); break;
            case ChangeKind::kUpdate:
            case ChangeKind::kRestore:
            case ChangeKind::kReset: text = arrow(diff); break;
            case ChangeKind::kForget:
            case ChangeKind::kDelete: text = diff.before.value_or("(none)"); break;
        }
        lines.push_back(cat(padded(diff.name, name_width), "  ", printable(text)));
    }
    return lines;
}

std::vector<std::string> lost_history_lines(const PlannedChange& planned) {
    std::vector<std::string> lines;
    for (const LostHistory& loss : planned.lost_history) {
        std::string freed =
            loss.freed_bytes ? cat(", frees ", format_bytes(*loss.freed_bytes)) : std::string();
        lines.push_back(cat("branch ", printable(loss.branch), ": restorable from ",
                            format_time(loss.restorable_from), " until now, afterwards from ",
                            format_time(loss.afterwards_from), freed));
    }
    return lines;
}

std::string cost_text(const Cost& cost) {
    std::vector<std::string> pieces;
    if (cost.shared_bytes) {
        pieces.push_back(cat("shares ", format_bytes(*cost.shared_bytes), " without a copy"));
    }
    if (cost.freed_bytes > 0) pieces.push_back(cat("frees ", format_bytes(cost.freed_bytes)));
    if (cost.restarts_compute) pieces.push_back("restarts the compute after the commit");
    return join(pieces, ", ");
}

std::vector<std::string> undo_limits(const Plan& plan) {
    std::vector<std::string> limits;
    for (const UndoStep& step : plan.undo) {
        if (step.undoable == Undoable::kYes && !step.window) continue;
        std::string text = printable(to_text(step.change.address));
        if (step.undoable == Undoable::kNo) {
            text = cat("nothing of ", text);
        } else {
            if (step.window) text += cat(" within ", format_short_duration(*step.window));
            if (!step.lost.empty()) text += cat(" without ", step.lost);
        }
        limits.push_back(std::move(text));
    }
    return limits;
}

}  // namespace lb::planner
