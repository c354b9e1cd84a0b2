// A plan as a comment of a pull request. All that users chose - names, values, paths - stands in
// fenced blocks, in which nothing has a meaning: no HTML, no @mention, no table, no link. A fence
// is longer than every run of backticks inside it, and lines hold no line ends (printable()).
#include <algorithm>
#include <array>

#include "base/text.h"
#include "planner/describe.h"
#include "planner/policy.h"
#include "planner/render.h"

namespace lb::planner {

namespace {

// For what follows the blocks: headings, "left out" lines, the end.
constexpr size_t kReservedChars = 3000;
constexpr size_t kLineMaxBytes = 600;
constexpr size_t kUndoShownMax = 50;

struct Section {
    std::string_view title;
    bool is_folded = false;
};

// The most dangerous first.
constexpr std::array<Section, 7> kSections = {{
    {"Refused"},
    {"Deletes data"},
    {"Gives up history"},
    {"Restarts a compute"},
    {"Deletes", true},
    {"Updates", true},
    {"Creates", true},
}};

size_t section_of(const PlannedChange& planned) {
    if (planned.refusal != Refusal::kNone) return 0;
    if (planned.risk == Risk::kDeletesData) return 1;
    if (planned.risk == Risk::kDeletesHistory) return 2;
    if (planned.cost.restarts_compute) return 3;
    if (planned.change.kind == ChangeKind::kDelete) return 4;
    return planned.change.kind == ChangeKind::kCreate ? 6 : 5;
}

// A fenced block of the language "diff" colours by the first character.
std::string_view diff_mark(size_t section) {
    if (section == 0) return "! ";
    if (section == 1 || section == 2 || section == 4) return "- ";
    return section == 6 ? "+ " : "~ ";
}

// Cut at a character, and says so.
std::string shortened(std::string line) {
    if (line.size() <= kLineMaxBytes) return line;
    size_t end = kLineMaxBytes;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    return line.substr(0, end) + " [...]";
}

size_t longest_backtick_run(std::string_view text) {
    size_t longest = 0;
    size_t run = 0;
    for (char c : text) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    return longest;
}

std::string change_count(size_t count) { return cat(count, count == 1 ? " change" : " changes"); }

// What GitHub may count, at most: bytes, and two for each line end.
size_t counted(std::string_view text) {
    return text.size() + static_cast<size_t>(std::ranges::count(text, '\n'));
}

class MarkdownRenderer {
public:
    explicit MarkdownRenderer(const Plan& plan) : plan_(plan) {
        for (const PlannedChange& planned : plan.changes) {
            sections_[section_of(planned)].push_back(&planned);
        }
    }

    std::string render() {
        add_head();
        for (size_t section = 0; section < kSections.size(); ++section) add_section(section);
        add_undo();
        add_details();
        add_unmanaged();
        add_selection_notes();
        if (left_out_count_ > 0) {
            add(cat("A comment holds no more than ", kMarkdownMaxChars, " characters, so ",
                    left_out_count_, " lines are left out. `lb plan --verbose` shows all.\n"));
        }
        LB_ASSERT(used_ <= kMarkdownMaxChars);
        return std::move(out_);
    }

private:
    void add(std::string_view text) {
        out_ += text;
        used_ += counted(text);
    }

    // As many of the entries as fit, each one or several whole lines. Returns how many.
    size_t add_block(const std::vector<std::string>& entries, std::string_view language) {
        size_t fence_length = 3;
        for (const std::string& entry : entries) {
            fence_length = std::max(fence_length, longest_backtick_run(entry) + 1);
        }
        std::string fence(fence_length, '`');
        std::string open = cat(fence, language, "\n");
        std::string close = cat(fence, "\n");
        size_t size = used_ + counted(open) + counted(close) + kReservedChars;
        size_t shown = 0;
        while (shown < entries.size() && size + counted(entries[shown]) <= kMarkdownMaxChars) {
            size += counted(entries[shown++]);
        }
        if (shown == 0) return 0;
        add(open);
        for (size_t i = 0; i < shown; ++i) add(entries[i]);
        add(close);
        return shown;
    }

    // `title` is no user's text.
    void add_folded(std::string_view title, const std::vector<std::string>& entries,
                    std::string_view language) {
        if (entries.empty()) return;
        add(cat("<details><summary>", title, "</summary>\n\n"));
        add_left_out(entries.size() - add_block(entries, language));
        add("\n</details>\n\n");
    }

    void add_left_out(size_t count) {
        if (count == 0) return;
        add(cat("\n", count, " more left out here.\n"));
        left_out_count_ += count;
    }

    void add_head() {
        const PlanSummary& summary = plan_.summary;
        add(cat("### Plan ", plan_.id, "\n\n"));
        if (plan_.is_empty()) {
            add(cat("No changes. ", summary.unchanged_count, " unchanged, generation ",
                    plan_.base_generation.value(), ".\n\n"));
        } else {
            add(cat("**", summary_text(summary), "**, generation ", plan_.base_generation.value(),
                    ".\n\n"));
        }
        add_block({shortened(cat("project ", printable(plan_.project))) + "\n"}, "");
        add("\n");
        if (summary.refused_count > 0) {
            add("This plan cannot be applied: changes are refused.\n\n");
        }
    }

    static std::string line_of(const PlannedChange& planned, size_t section) {
        std::string text = cat(diff_mark(section), to_text(planned.change.address));
        std::string what = describe(planned);
        if (!what.empty()) text += cat("  ", what);
        text += cat("  (", describe_reason(planned), ")");
        if (planned.refusal != Refusal::kNone) {
            text += cat("  refused: ", planned.refusal_message);
        } else if (needs_permission(planned)) {
            text += cat("  needs ", destroy_option(planned.change.address));
        }
        return shortened(printable(text)) + "\n";
    }

    void add_section(size_t section) {
        const std::vector<const PlannedChange*>& changes = sections_[section];
        if (changes.empty()) return;
        std::vector<std::string> lines;
        lines.reserve(changes.size());
        for (const PlannedChange* planned : changes) lines.push_back(line_of(*planned, section));
        std::string title = cat(kSections[section].title, ": ", change_count(changes.size()));
        if (kSections[section].is_folded) return add_folded(title, lines, "diff");
        add(cat("**", title, "**\n\n"));
        add_left_out(lines.size() - add_block(lines, "diff"));
        add("\n");
    }

    void add_undo() {
        if (plan_.undo.empty() || plan_.summary.refused_count > 0) return;
        std::vector<std::string> lines;
        for (const std::string& limit : undo_limits(plan_)) {
            lines.push_back(shortened(limit) + "\n");
        }
        if (lines.empty()) return add("Undo: all of it, at any time.\n\n");
        size_t more = lines.size() > kUndoShownMax ? lines.size() - kUndoShownMax : 0;
        lines.resize(lines.size() - more);
        if (more > 0) lines.push_back(cat("and ", more, " more\n"));
        add_folded("Undo: what limits it", lines, "");
    }

    static std::string details_of(const PlannedChange& planned) {
        std::vector<std::string> lines = attribute_lines(planned);
        for (std::string& line : lost_history_lines(planned)) lines.push_back(std::move(line));
        std::string cost = cost_text(planned.cost);
        if (!cost.empty()) lines.push_back(cat("cost: ", cost));
        if (!planned.refusal_help.empty()) {
            lines.push_back(cat("help: ", printable(planned.refusal_help)));
        }
        if (lines.empty()) return {};
        std::string text = shortened(printable(to_text(planned.change.address))) + "\n";
        for (std::string& line : lines) text += cat("    ", shortened(std::move(line)), "\n");
        return text;
    }

    void add_details() {
        std::vector<std::string> entries;
        for (const auto& changes : sections_) {
            for (const PlannedChange* planned : changes) {
                std::string details = details_of(*planned);
                if (!details.empty()) entries.push_back(std::move(details));
            }
        }
        add_folded("Attributes, costs and help", entries, "");
    }

    void add_unmanaged() {
        std::vector<std::string> lines;
        for (const Unmanaged& resource : plan_.unmanaged) {
            lines.push_back(shortened(printable(to_text(resource.address))) + "  (" +
                            std::string(to_text(resource.origin)) + ")\n");
        }
        add_folded(cat("Left alone, not from a spec: ", lines.size()), lines, "");
    }

    void add_selection_notes() {
        std::vector<std::string> lines;
        for (const SelectionNote& note : plan_.selection_notes) {
            lines.push_back(shortened(printable(selection_text(note))) + "\n");
        }
        add_folded(cat("Added or dropped, because of what needs what: ", lines.size()), lines, "");
    }

    const Plan& plan_;
    std::array<std::vector<const PlannedChange*>, kSections.size()> sections_;
    std::string out_;
    size_t used_ = 0;
    size_t left_out_count_ = 0;
};

}  // namespace

std::string render_markdown(const Plan& plan) { return MarkdownRenderer(plan).render(); }

}  // namespace lb::planner
