// [policy]: what the branches of a spec must be, and what no plan of it may do.
#include <algorithm>

#include "base/pattern.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"

namespace lb::specs {

namespace {

constexpr std::string_view kForbidHelp =
    "write what is not to happen and to what, as in \"delete branch.*\"; the first word is create, "
    "update, delete, restore, reset, forget or *";

std::vector<PolicyPattern> read_patterns(const TableReader& policy, std::string_view key,
                                         Reporter& reporter) {
    std::vector<PolicyPattern> patterns;
    for (const PlacedText& text : policy.texts(key).value_or(std::vector<PlacedText>())) {
        patterns.push_back({.pattern = text.text, .span = reporter.span(text.place)});
    }
    return patterns;
}

std::optional<ForbidRule> read_forbid_rule(const PlacedText& text, Reporter& reporter) {
    size_t space = text.text.find(' ');
    std::string action = text.text.substr(0, space);
    size_t begin = space == std::string::npos ? space : text.text.find_first_not_of(' ', space);
    std::optional<ChangeKind> kind = change_kind_from_text(action);
    if (begin == std::string::npos || (!kind && action != "*")) {
        reporter.error(codes::kInvalidPolicy, text.place,
                       cat(quoted(text.text), " does not say what is forbidden"),
                       std::string(kForbidHelp));
        return std::nullopt;
    }
    return ForbidRule{.kind = kind,
                      .pattern = text.text.substr(begin),
                      .text = text.text,
                      .span = reporter.span(text.place)};
}

class PolicyChecker {
public:
    PolicyChecker(const SpecDraft& draft, Reporter& reporter)
        : draft_(draft), policy_(draft.policy), reporter_(reporter) {}

    void run() {
        for (const BranchDraft& branch : draft_.branches) {
            if (branch.spec.name != draft_.default_branch) check_name(branch);
            check_expiration(branch);
            check_protection(branch);
        }
        check_count();
    }

private:
    static const PolicyPattern* match(const std::vector<PolicyPattern>& patterns,
                                      const std::string& name) {
        auto found = std::ranges::find_if(patterns, [&](const PolicyPattern& pattern) {
            return matches_pattern(pattern.pattern, name);
        });
        return found == patterns.end() ? nullptr : &*found;
    }

    void report(uint16_t code, const BranchDraft& branch, std::string message, const Span& rule,
                std::string help) {
        reporter_.conflict_with(code, branch.name_place, std::move(message), rule, "the rule",
                                std::move(help));
    }

    void check_name(const BranchDraft& branch) {
        const auto& patterns = policy_.branch_names;
        if (patterns.empty() || match(patterns, branch.spec.name) != nullptr) return;
        std::vector<std::string> texts;
        for (const PolicyPattern& pattern : patterns) texts.push_back(quoted(pattern.pattern));
        report(codes::kPolicyBranchName, branch,
               cat("policy does not allow a branch called ", quoted(branch.spec.name)),
               patterns.front().span, cat("use a name like ", join(texts, ", ")));
    }

    void check_expiration(const BranchDraft& branch) {
        const PolicyPattern* rule = match(policy_.require_ttl, branch.spec.name);
        if (rule == nullptr || branch.expires() || branch.spec.name == draft_.default_branch)
            return;
        report(codes::kPolicyExpiration, branch,
               cat("policy wants branch ", quoted(branch.spec.name), " to expire"), rule->span,
               "add ttl = \"14d\" or an expire_time");
    }

    void check_protection(const BranchDraft& branch) {
        const PolicyPattern* rule = match(policy_.protected_branches, branch.spec.name);
        if (rule == nullptr || branch.spec.is_protected) return;
        report(codes::kPolicyProtection, branch,
               cat("policy wants branch ", quoted(branch.spec.name), " to be protected"),
               rule->span, "add protected = true");
    }

    void check_count() {
        if (!policy_.max_branches) return;
        auto is_default = [&](const BranchDraft& branch) {
            return branch.spec.name == draft_.default_branch;
        };
        // "main" need not be declared.
        size_t count = draft_.branches.size();
        if (!std::ranges::any_of(draft_.branches, is_default)) ++count;
        if (count <= *policy_.max_branches) return;
        reporter_.error(
            codes::kPolicyBranchCount, draft_.max_branches_place,
            cat("the spec has ", count, " branches, policy allows ", *policy_.max_branches),
            "remove some, or raise max_branches");
    }

    const SpecDraft& draft_;
    const PolicySpec& policy_;
    Reporter& reporter_;
};

}  // namespace

void read_policy(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    const TomlTable* table = spec.table("policy", "[policy] with branch_names = [\"pr-*\"]");
    if (table == nullptr) return;
    TableReader policy(*table, kPolicyRules, reporter);
    draft.policy.branch_names = read_patterns(policy, "branch_names", reporter);
    draft.policy.require_ttl = read_patterns(policy, "require_ttl", reporter);
    draft.policy.protected_branches = read_patterns(policy, "protected", reporter);
    if (auto count = policy.integer("max_branches", 1, static_cast<int64_t>(kBranchesMax))) {
        draft.policy.max_branches = static_cast<uint64_t>(*count);
        draft.max_branches_place = policy.find("max_branches")->key_place;
    }
    for (const PlacedText& text : policy.texts("forbid").value_or(std::vector<PlacedText>())) {
        if (auto rule = read_forbid_rule(text, reporter)) {
            draft.policy.forbid.push_back(*std::move(rule));
        }
    }
}

void check_policy(const SpecDraft& draft, Reporter& reporter) {
    PolicyChecker(draft, reporter).run();
}

}  // namespace lb::specs
