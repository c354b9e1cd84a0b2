// Diagnostics of [policy].
#include "specs/diagnostic_codes.h"
#include "specs/internal/explanations.h"

namespace lb::specs {

namespace {

constexpr Explanation kPolicyExplanations[] = {
    {.code = codes::kInvalidPolicy,
     .title = "invalid rule",
     .text = "An item of `forbid` is a kind of change and a pattern of addresses.",
     .example = "[policy]\n"
                "forbid = [\"branch.*\"]\n",
     .fix = "Write for example `\"delete branch.*\"` or `\"* role.main.owner\"`. The kinds are "
            "`create`, `update`, `delete`, `restore`, `reset` and `forget`; `*` is each of them."},
    {.code = codes::kPolicyBranchName,
     .title = "name that policy does not allow",
     .text = "The branch's name matches none of the patterns of `branch_names`.",
     .example = "[policy]\n"
                "branch_names = [\"feature/*\"]\n"
                "[branches.test]\n",
     .fix = "Give it a name that fits, or add a pattern."},
    {.code = codes::kPolicyExpiration,
     .title = "branch that has to expire",
     .text = "The branch matches a pattern of `require_ttl` and has neither `ttl` nor "
             "`expire_time`.",
     .example = "[policy]\n"
                "require_ttl = [\"feature/*\"]\n"
                "[branches.\"feature/cart\"]\n",
     .fix = "Add `ttl` or `expire_time`."},
    {.code = codes::kPolicyProtection,
     .title = "branch that has to be protected",
     .text = "The branch matches a pattern of `protected` in `[policy]` and is not protected.",
     .example = "[policy]\n"
                "protected = [\"main\"]\n"
                "[branches.main]\n",
     .fix = "Add `protected = true`."},
    {.code = codes::kPolicyBranchCount,
     .title = "more branches than policy allows",
     .text = "The spec has more branches, the default one included, than `max_branches`.",
     .example = "[policy]\n"
                "max_branches = 1\n"
                "[branches.staging]\n",
     .fix = "Remove some, or raise `max_branches`."},
};

}  // namespace

const ExplanationGroup kPolicyGroup = {"Policy", kPolicyExplanations};

}  // namespace lb::specs
