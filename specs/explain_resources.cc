// Diagnostics of resources and of what they have to do with each other.
#include "specs/internal/explanations.h"

#include "specs/diagnostic_codes.h"

namespace lb::specs {

namespace {

constexpr Explanation kBranchExplanations[] = {
    {.code = codes::kUnknownParent,
     .title = "unknown parent",
     .text = "The parent is not a branch of this spec.",
     .example = "[branches.staging]\n"
                "parent = \"mian\"\n",
     .fix =
         "Correct the name, add the branch, or remove `parent` to branch from the default branch."},
    {.code = codes::kParentCycle,
     .title = "cycle of parents",
     .text = "Branches are each other's parents, so that none of them can be made first.",
     .example = "[branches.a]\n"
                "parent = \"b\"\n"
                "[branches.b]\n"
                "parent = \"a\"\n",
     .fix = "Give one of them a parent outside of the cycle."},
    {.code = codes::kDefaultBranchHasParent,
     .title = "default branch with a parent",
     .text = "The default branch is the root branch, so it has neither `parent` nor `at`.",
     .example = "[branches.main]\n"
                "parent = \"staging\"\n"
                "[branches.staging]\n",
     .fix = "Remove the key, or name another `default_branch`."},
    {.code = codes::kDefaultBranchMissing,
     .title = "default branch missing",
     .text = "`default_branch` names a branch that has no table. Only `main` may be left out.",
     .example = "[project]\n"
                "name = \"shop\"\n"
                "default_branch = \"trunk\"\n",
     .fix = "Add `[branches.trunk]`, or correct the name."},
    {.code = codes::kMayNotExpire,
     .title = "branch may not expire",
     .text = "The default branch and protected branches stay.",
     .example = "[branches.main]\n"
                "ttl = \"14d\"\n",
     .fix = "Remove the expiration or the protection."},
    {.code = codes::kParentExpires,
     .title = "parent expires",
     .text =
         "A branch cannot be the parent of another and expire, because its data would go with it.",
     .example = "[branches.short]\n"
                "ttl = \"1d\"\n"
                "[branches.child]\n"
                "parent = \"short\"\n",
     .fix = "Branch from one that stays, or remove the parent's expiration."},
    {.code = codes::kTwoExpirations,
     .title = "two expirations",
     .text = "A branch has both `ttl` and `expire_time`.",
     .example = "[branches.a]\n"
                "ttl = \"1d\"\n"
                "expire_time = \"2026-12-31T00:00:00Z\"\n",
     .fix = "Remove one of the two."},
    {.code = codes::kPortUsedTwice,
     .title = "port used twice",
     .text = "Two branches ask for the same port, and their computes can run at the same time.",
     .example = "[branches.main]\n"
                "compute = { port = 5433 }\n"
                "[branches.a]\n"
                "compute = { port = 5433 }\n",
     .fix = "Choose another port, or remove `port` and lb chooses one."},
};

constexpr Explanation kRoleExplanations[] = {
    {.code = codes::kUnknownRole,
     .title = "unknown role",
     .text = "A member or owner is named that is neither a role of this spec, nor `postgres`, nor "
             "a predefined role of PostgreSQL.",
     .example = "[databases.shop]\n"
                "owner = \"app\"\n",
     .fix = "Correct the name, or add the role."},
    {.code = codes::kMembershipCycle,
     .title = "cycle of memberships",
     .text = "Roles are members of each other, which PostgreSQL refuses.",
     .example = "[roles.a]\n"
                "member_of = [\"b\"]\n"
                "[roles.b]\n"
                "member_of = [\"a\"]\n",
     .fix = "Remove one of the memberships."},
    {.code = codes::kPasswordWithoutLogin,
     .title = "password without login",
     .text = "A warning: the role has a password, but cannot log in with it.",
     .example = "[roles.app]\n"
                "password = { env = \"APP_PASSWORD\" }\n",
     .fix = "Add `login = true`, or remove the password."},
    {.code = codes::kPasswordInSpec,
     .title = "password in the spec",
     .text =
         "A spec is kept under version control and read by many; a password in it is no secret.",
     .example = "[roles.app]\n"
                "login = true\n"
                "password = \"correct horse\"\n",
     .fix = "Put it into a variable or a file and write a reference. Then change it, since it may "
            "be in the history of the file."},
    {.code = codes::kInvalidSecretReference,
     .title = "invalid reference to a secret",
     .text = "A password is a table with either `env`, the name of an environment variable, or "
             "`file`, a path.",
     .example = "[roles.app]\n"
                "login = true\n"
                "password = { env = \"not a name!\" }\n",
     .fix = "Write `password = { env = \"APP_PASSWORD\" }` or `password = { file = "
            "\"app.password\" }`."},
    {.code = codes::kMembershipNotAllowed,
     .title = "membership not allowed",
     .text = "PostgreSQL gives `pg_database_owner` no members: it has one, the owner of the "
             "current database.",
     .example = "[roles.app]\n"
                "member_of = [\"pg_database_owner\"]\n",
     .fix = "Remove it."},
    {.code = codes::kUnknownSetting,
     .title = "unknown setting",
     .text = "PostgreSQL has no setting of that name. Names with a dot are settings of extensions "
             "and applications, and not looked at.",
     .example = "[roles.app.settings]\n"
                "statment_timeout = \"30s\"\n",
     .fix = "Correct the name; `SELECT name FROM pg_settings` shows which there are."},
    {.code = codes::kSettingNotAllowed,
     .title = "setting not allowed here",
     .text = "Roles and databases take settings of sessions only; others belong to "
             "`[project.settings]` or a branch's `settings`, or cannot be set. Some lb keeps for "
             "itself, because the store's safety or a server's place rests on them; the message "
             "says why.",
     .example = "[databases.shop.settings]\n"
                "shared_buffers = \"1GB\"\n",
     .fix = "Move it to `[project.settings]`, or remove it."},
    {.code = codes::kUnknownEncoding,
     .title = "unknown encoding",
     .text = "An encoding that a database cannot have.",
     .example = "[databases.shop]\n"
                "encoding = \"UTF9\"\n",
     .fix = "Use PostgreSQL's name for it, such as `\"UTF8\"` or `\"LATIN1\"`."},
};

constexpr Explanation kLimitExplanations[] = {
    {.code = codes::kMoreProblems,
     .title = "more problems",
     .text = "There are more than 500 problems; the others are not shown.",
     .fix = "Correct these first."},
};

}  // namespace

const ExplanationGroup kBranchGroup = {"Branches and computes", kBranchExplanations};
const ExplanationGroup kRoleGroup = {"Roles and databases", kRoleExplanations};
const ExplanationGroup kLimitGroup = {"The diagnostics themselves", kLimitExplanations};

}  // namespace lb::specs
