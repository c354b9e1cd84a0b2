#include <algorithm>

#include "base/text.h"
#include "planner/policy.h"
#include "planner/render.h"

namespace lb::planner {

namespace {

// Longer texts run over their column instead of pushing everybody else's next column to the right.
constexpr size_t kAddressWidthMax = 40;
constexpr size_t kDescriptionWidthMax = 60;
constexpr size_t kReasonWidthMax = 60;
constexpr size_t kUnmanagedShownMax = 5;
constexpr size_t kLossesShownMax = 5;

// Names are the users': what would move a terminal's cursor or colour is shown escaped. C1 controls
// are U+0080 to U+009F, in UTF-8 a byte 0xc2 and one of 0x80 to 0x9f.
std::string printable(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        bool is_control = byte < 0x20 || byte == 0x7f;
        if (byte == 0xc2 && i + 1 < text.size()) {
            auto second = static_cast<unsigned char>(text[i + 1]);
            if (second >= 0x80 && second < 0xa0) {
                byte = second;
                is_control = true;
                ++i;
            }
        }
        if (is_control) {
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

// ---- what a change does, in a few words --------------------------------------------------------

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

std::string describe(const PlannedChange& planned) {
    std::string text;
    switch (planned.change.kind) {
        case ChangeKind::kCreate: text = describe_create(planned); break;
        case ChangeKind::kUpdate: text = describe_update(planned); break;
        case ChangeKind::kDelete: text = describe_delete(planned); break;
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
    }
    return "";
}

// ---- lines -------------------------------------------------------------------------------------

struct Symbol {
    char character;
    std::string_view colour;
};

Symbol symbol_of(const PlannedChange& planned) {
    if (planned.refusal != Refusal::kNone) return {'!', "\x1b[1;31m"};
    switch (planned.change.kind) {
        case ChangeKind::kCreate: return {'+', "\x1b[32m"};
        case ChangeKind::kUpdate:
        case ChangeKind::kRestore:
        case ChangeKind::kReset: return {'~', "\x1b[33m"};
        case ChangeKind::kDelete: return {'-', "\x1b[31m"};
    }
    return {' ', ""};
}

struct Row {
    const PlannedChange* planned = nullptr;
    std::string address;
    std::string description;
    std::string reason;
};

struct Widths {
    size_t address = 0;
    size_t description = 0;
    size_t reason = 0;
};

class TextRenderer {
public:
    TextRenderer(const Plan& plan, Colour colour, Detail detail)
        : plan_(plan), colour_(colour), detail_(detail) {}

    std::string render() {
        std::vector<Row> rows;
        for (const PlannedChange& planned : plan_.changes) rows.push_back(row_of(planned));
        Widths widths = widths_of(rows);
        for (const Row& row : rows) add_row(row, widths);
        if (plan_.is_empty()) {
            out_ += cat("No changes. project ", plan_.project, ", ", plan_.summary.branch_count,
                        plan_.summary.branch_count == 1 ? " branch" : " branches", ", generation ",
                        plan_.base_generation.value(), ".\n");
        }
        add_unmanaged();
        add_summary();
        return std::move(out_);
    }

private:
    static Row row_of(const PlannedChange& planned) {
        return Row{.planned = &planned,
                   .address = printable(to_text(planned.change.address)),
                   .description = printable(describe(planned)),
                   .reason = printable(describe_reason(planned))};
    }

    static Widths widths_of(const std::vector<Row>& rows) {
        Widths widths;
        for (const Row& row : rows) {
            widen(widths.address, row.address, kAddressWidthMax);
            widen(widths.description, row.description, kDescriptionWidthMax);
            widen(widths.reason, row.reason, kReasonWidthMax);
        }
        return widths;
    }

    static void widen(size_t& width, std::string_view text, size_t width_max) {
        size_t text_width = width_of(text);
        if (text_width <= width_max) width = std::max(width, text_width);
    }

    std::string coloured(const std::string& text, std::string_view colour) const {
        return colour_ == Colour::kAlways ? cat(colour, text, "\x1b[0m") : text;
    }

    void add_line(std::string line) {
        line.erase(line.find_last_not_of(' ') + 1);
        out_ += line + "\n";
    }

    void add_row(const Row& row, const Widths& widths) {
        const PlannedChange& planned = *row.planned;
        Symbol symbol = symbol_of(planned);
        std::string head = cat(symbol.character, " ", padded(row.address, widths.address));
        std::string line = cat("  ", coloured(head, symbol.colour), "  ",
                               padded(row.description, widths.description), "  ",
                               padded(row.reason, widths.reason));
        bool is_refused = planned.refusal != Refusal::kNone;
        // A command that deletes has been given the name already, and asks in its own way.
        bool is_from_spec = planned.reason != Reason::kRequestedByCommand;
        if (!is_refused && is_from_spec && needs_permission(planned)) {
            line += cat("  needs ", printable(destroy_option(planned.change.address)));
        }
        add_line(std::move(line));
        if (detail_ == Detail::kAttributes) add_attributes(planned);
        add_lost_history(planned);
        if (!is_refused) return;
        add_line(cat("      refused: ", printable(planned.refusal_message)));
        if (!planned.refusal_help.empty()) {
            add_line(cat("      help: ", printable(planned.refusal_help)));
        }
    }

    void add_lost_history(const PlannedChange& planned) {
        size_t count = planned.lost_history.size();
        size_t shown = detail_ == Detail::kAttributes ? count : std::min(count, kLossesShownMax);
        for (size_t i = 0; i < shown; ++i) {
            const LostHistory& loss = planned.lost_history[i];
            std::string freed =
                loss.freed_bytes ? cat(", frees ", format_bytes(*loss.freed_bytes)) : std::string();
            add_line(cat("      branch ", printable(loss.branch), ": restorable from ",
                         format_time(loss.restorable_from), " until now, afterwards from ",
                         format_time(loss.afterwards_from), freed));
        }
        if (count > shown) add_line(cat("      and ", count - shown, " more branches"));
    }

    void add_attributes(const PlannedChange& planned) {
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
                case ChangeKind::kDelete: text = diff.before.value_or("(none)"); break;
            }
            add_line(cat("      ", padded(diff.name, name_width), "  ", printable(text)));
        }
    }

    void add_unmanaged() {
        if (plan_.unmanaged.empty()) return;
        size_t count = plan_.unmanaged.size();
        size_t shown = detail_ == Detail::kAttributes ? count : std::min(count, kUnmanagedShownMax);
        std::string line = "  left alone, not from a spec: ";
        for (size_t i = 0; i < shown; ++i) {
            const Unmanaged& resource = plan_.unmanaged[i];
            line += cat(i == 0 ? "" : ", ", printable(to_text(resource.address)), " (",
                        to_text(resource.origin), ")");
        }
        if (count > shown) line += cat(" and ", count - shown, " more");
        add_line(std::move(line));
    }

    void add_summary() {
        const PlanSummary& summary = plan_.summary;
        std::string line = cat("plan ", plan_.id, ": ", summary.create_count, " to create, ",
                               summary.update_count, " to update, ", summary.delete_count,
                               " to delete, ", summary.unchanged_count, " unchanged");
        if (summary.refused_count > 0) line += cat(", ", summary.refused_count, " refused");
        add_line(std::move(line));
    }

    const Plan& plan_;
    Colour colour_;
    Detail detail_;
    std::string out_;
};

}  // namespace

std::string render_text(const Plan& plan, Colour colour, Detail detail) {
    return TextRenderer(plan, colour, detail).render();
}

}  // namespace lb::planner
