#include <algorithm>

#include "base/text.h"
#include "planner/describe.h"
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
constexpr size_t kUndoShownMax = 3;

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
        case ChangeKind::kForget: return {'.', "\x1b[33m"};
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
            bool is_part = plan_.summary.left_out_count > 0;
            out_ += cat(is_part ? "No selected changes. project " : "No changes. project ",
                        plan_.project, ", ", plan_.summary.branch_count,
                        plan_.summary.branch_count == 1 ? " branch" : " branches", ", generation ",
                        plan_.base_generation.value(), ".\n");
        }
        add_unmanaged();
        add_undo();
        add_selection_notes();
        for (const std::string& note : plan_.notes) add_line(cat("  note: ", printable(note)));
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
        if (detail_ == Detail::kAttributes) add_details(planned);
        add_lost_history(planned);
        if (!is_refused) return;
        add_line(cat("      refused: ", printable(planned.refusal_message)));
        if (!planned.refusal_help.empty()) {
            add_line(cat("      help: ", printable(planned.refusal_help)));
        }
    }

    void add_indented(std::string_view line) { add_line(cat("      ", line)); }

    void add_lost_history(const PlannedChange& planned) {
        std::vector<std::string> losses = lost_history_lines(planned);
        size_t count = losses.size();
        size_t shown = detail_ == Detail::kAttributes ? count : std::min(count, kLossesShownMax);
        for (size_t i = 0; i < shown; ++i) add_indented(losses[i]);
        if (count > shown) add_indented(cat("and ", count - shown, " more branches"));
    }

    void add_details(const PlannedChange& planned) {
        for (const std::string& line : attribute_lines(planned)) add_indented(line);
        std::string cost = cost_text(planned.cost);
        if (!cost.empty()) add_indented(cat("cost: ", cost));
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

    // Only what limits the way back: a plan that can be taken back completely needs no words.
    void add_undo() {
        if (plan_.summary.refused_count > 0) return;
        std::vector<std::string> limits = undo_limits(plan_);
        if (limits.empty()) return;
        size_t count = limits.size();
        if (detail_ == Detail::kChangesOnly) limits.resize(std::min(count, kUndoShownMax));
        std::string line = cat("  undo: ", join(limits, "; "));
        if (count > limits.size()) line += cat("; and ", count - limits.size(), " more limits");
        add_line(std::move(line));
    }

    void add_selection_notes() {
        for (const SelectionNote& note : plan_.selection_notes) {
            add_line(cat("  ", printable(selection_text(note))));
        }
    }

    void add_summary() { add_line(cat("plan ", plan_.id, ": ", summary_text(plan_.summary))); }

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
