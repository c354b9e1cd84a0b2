// Diagnostics of single values.
#include "specs/internal/explanations.h"

#include "specs/diagnostic_codes.h"

namespace lb::specs {

namespace {

constexpr Explanation kValueExplanations[] = {
    {.code = codes::kInvalidName,
     .title = "invalid name",
     .text = "The name of a project, branch, role or database breaks the rules of "
             "[spec-reference.md](spec-reference.md#names), or is reserved.",
     .example = "[branches.\"Feature Cart\"]\n",
     .fix = "Use the spelling that the help proposes."},
    {.code = codes::kNamesDifferByCase,
     .title = "names differ only by case",
     .text =
         "Two roles, or two databases, have the same name but for upper and lower case. PostgreSQL "
         "folds unquoted names to lower case, so one of them would be reached by mistake.",
     .example = "[roles.app]\n"
                "[roles.App]\n",
     .fix = "Rename one, or remove it."},
    {.code = codes::kPgVersion,
     .title = "unsupported PostgreSQL version",
     .text = "lb does not run this major version.",
     .example = "[project]\n"
                "name = \"shop\"\n"
                "pg_version = 17\n",
     .fix = "Write `pg_version = 15`."},
    {.code = codes::kOutOfRange,
     .title = "out of range",
     .text = "A number, a duration or the length of a list is outside of its limits.",
     .example = "[branches.a]\n"
                "ttl = \"31d\"\n",
     .fix = "Use a value within the limits that the help names."},
    {.code = codes::kInvalidDuration,
     .title = "invalid duration",
     .text = "A duration is digits and units, largest first: `w`, `d`, `h`, `m`, `s`.",
     .example = "[branches.a]\n"
                "ttl = \"2 weeks\"\n",
     .fix = "Write `\"14d\"`, `\"12h\"`, `\"30m\"` or `\"1d12h\"`; for `history_retention` also "
            "`\"0\"`."},
    {.code = codes::kInvalidTime,
     .title = "invalid time",
     .text = "A time needs a date, a time of day and a zone, or else it does not name a moment.",
     .example = "[branches.a]\n"
                "expire_time = \"2026-04-12T09:30:00\"\n",
     .fix = "Write `\"2026-04-12T09:30:00Z\"`, or with an offset such as `+02:00`."},
    {.code = codes::kInvalidAddress,
     .title = "invalid address",
     .text = "PostgreSQL cannot listen there: it is no IP address, not `localhost` and not `*`.",
     .example = "[branches.main]\n"
                "compute = { listen_addresses = [\"db.example.org\"] }\n",
     .fix = "Write the IP address."},
    {.code = codes::kInvalidBranchPoint,
     .title = "invalid branch point",
     .text = "`at`, or the `to` of a `restore`, is no moment: neither a time with its zone, nor an "
             "LSN, nor a position.",
     .example = "[branches.a]\n"
                "at = \"yesterday\"\n",
     .fix = "Write a time with its zone (`\"2026-04-12T09:30:00Z\"`), an LSN (`\"0/16B3748\"`) or "
            "`\"position:N\"`; `lb history` shows what there is."},
    {.code = codes::kValueNotYetSupported,
     .title = "value not yet supported",
     .text = "A later version of lb will honour the value: git commits as branch points, and "
             "autoscaling between two sizes.",
     .example = "[branches.a]\n"
                "at = \"git:4f2c1e9\"\n",
     .fix = "Use a time, an LSN or a position, or give `min_cu` and `max_cu` the same value."},
    {.code = codes::kListedTwice,
     .title = "listed twice",
     .text = "A list names the same thing twice.",
     .example = "[roles.app]\n"
                "member_of = [\"pg_monitor\", \"pg_monitor\"]\n",
     .fix = "Remove one of the two."},
};

}  // namespace

const ExplanationGroup kValueGroup = {"Single values", kValueExplanations};

}  // namespace lb::specs
