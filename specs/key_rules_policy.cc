#include <array>

#include "specs/internal/key_rules.h"
#include "specs/internal/limits.h"

namespace lb::specs {

namespace {

using enum KeyType;

constexpr std::array kPolicyKeys = {
    KeyRule{.name = "branch_names",
            .type = kStrings,
            .documentation = "Patterns, one of which the name of every branch but the default one "
                             "must match.",
            .usual = "any name",
            .example = "[\"staging\", \"feature/*\"]"},
    KeyRule{.name = "require_ttl",
            .type = kStrings,
            .documentation = "Patterns of branches that must have `ttl` or `expire_time`.",
            .usual = "none",
            .example = "[\"feature/*\"]"},
    KeyRule{.name = "protected",
            .type = kStrings,
            .documentation = "Patterns of branches that must be protected.",
            .usual = "none",
            .example = "[\"main\"]"},
    KeyRule{.name = "max_branches",
            .type = kInteger,
            .documentation = "How many branches the spec may have, the default one included.",
            .usual = "no limit but lb's",
            .example = "20",
            .min = 1,
            .max = kBranchesMax},
    KeyRule{.name = "forbid",
            .type = kStrings,
            .documentation = "Changes that a plan is refused for: a kind of change, or `*`, and a "
                             "pattern of addresses.",
            .usual = "none",
            .example = "[\"delete branch.*\", \"* role.main.owner\"]"},
};
constexpr std::array kPolicySynonyms = {
    KeySynonym{"names", "branch_names"},
    KeySynonym{"ttl", "require_ttl"},
    KeySynonym{"deny", "forbid"},
};

}  // namespace

const TableRules kPolicyRules = {"policy", "[policy]", kPolicyKeys, kPolicySynonyms};

}  // namespace lb::specs
