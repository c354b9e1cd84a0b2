#include "specs/explain.h"

#include "base/text.h"
#include "specs/diagnostic.h"
#include "specs/internal/explanations.h"

namespace lb::specs {

namespace {

// A link is its text.
std::string without_links(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        size_t middle = text[at] == '[' ? text.find("](", at) : std::string_view::npos;
        size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
        if (end == std::string_view::npos) {
            out += text[at];
            continue;
        }
        out += text.substr(at + 1, middle - at - 1);
        at = end;
    }
    return out;
}

// At most 100 columns, broken at spaces.
std::string wrapped(std::string_view text) {
    constexpr size_t kColumns = 100;
    std::string out;
    while (text.size() > kColumns) {
        size_t cut = text.rfind(' ', kColumns);
        if (cut == std::string_view::npos) break;
        out += cat(text.substr(0, cut), "\n");
        text.remove_prefix(cut + 1);
    }
    return cat(out, text, "\n");
}

std::string indented(std::string_view text) {
    std::string out;
    for (const std::string& line : split(text, '\n')) {
        if (!line.empty()) out += cat("    ", line, "\n");
    }
    return out;
}

}  // namespace

std::vector<const ExplanationGroup*> explanation_groups() {
    return {&kTextGroup, &kValueGroup,  &kBranchGroup, &kRoleGroup,
            &kFileGroup, &kChangeGroup, &kPolicyGroup, &kLimitGroup};
}

const Explanation* find_explanation(uint16_t code) {
    for (const ExplanationGroup* group : explanation_groups()) {
        for (const Explanation& explanation : group->explanations) {
            if (explanation.code == code) return &explanation;
        }
    }
    return nullptr;
}

std::string explanations_markdown() {
    std::string out;
    for (const ExplanationGroup* group : explanation_groups()) {
        out += cat("## ", group->title, "\n\n");
        for (const Explanation& explanation : group->explanations) {
            out += cat("### ", diagnostic_code_name(explanation.code), " ", explanation.title,
                       "\n\n", explanation.text, "\n\n");
            if (!explanation.example.empty()) {
                out += cat("```toml\n", explanation.example, "```\n\n");
            }
            out += cat("Fix: ", explanation.fix, "\n\n");
        }
    }
    return out;
}

std::string to_text(const Explanation& explanation) {
    std::string out = cat(diagnostic_code_name(explanation.code), ": ", explanation.title, "\n\n",
                          wrapped(without_links(explanation.text)), "\n");
    if (!explanation.example.empty()) out += cat(indented(explanation.example), "\n");
    return out + wrapped(without_links(cat("Fix: ", explanation.fix)));
}

}  // namespace lb::specs
