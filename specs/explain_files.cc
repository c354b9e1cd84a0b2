// Diagnostics of several files and of variables.
#include "specs/diagnostic_codes.h"
#include "specs/internal/explanations.h"

namespace lb::specs {

namespace {

constexpr Explanation kFileExplanations[] = {
    {.code = codes::kInTwoFiles,
     .title = "in two files",
     .text = "Two files of the spec have the same table. A file of lb.d adds tables to those of "
             "lb.toml; it does not change them, so that reading one file is enough to know a "
             "resource.",
     .fix = "Keep one of the two, with the keys of both."},
    {.code = codes::kInvalidVariable,
     .title = "invalid variable",
     .text = "The declaration of a variable is not right: its name, its type, or what a sensitive "
             "one cannot have.",
     .example = "[variables.region]\n"
                "type = \"text\"\n",
     .fix = "Names have letters, digits and underscores; types are `string`, `integer`, `number` "
            "and `boolean`; a sensitive variable is a string without a default."},
    {.code = codes::kVariableNotSet,
     .title = "variable without a value",
     .text = "The variable has no default, and no value was given.",
     .example = "[variables.preview_ttl]\n",
     .fix = "Give one with `--var preview_ttl=2d` or in the environment, as "
            "`LB_VAR_preview_ttl`, or add a default."},
    {.code = codes::kVariableType,
     .title = "value of another type",
     .text = "The value that was given for a variable is not of the variable's type.",
     .fix = "Give a value of that type, or correct the variable's `type`."},
    {.code = codes::kUnknownVariable,
     .title = "unknown variable",
     .text = "A value uses a variable that is not declared, or `--var` gives one.",
     .example = "[branches.a]\n"
                "ttl = \"${var.preview_ttl}\"\n",
     .fix = "Correct the name, or declare the variable: `[variables.preview_ttl]`."},
    {.code = codes::kInvalidReference,
     .title = "invalid reference to a variable",
     .text = "`${` begins a reference to a variable, which is written `${var.NAME}` and stands in "
             "values only, not in names.",
     .example = "[branches.a]\n"
                "ttl = \"${preview_ttl}\"\n",
     .fix = "Write `${var.NAME}`, or `$${` for these two characters themselves."},
    {.code = codes::kSensitiveVariable,
     .title = "sensitive variable where it would be seen",
     .text = "A sensitive variable is used outside of a password, where plans and messages show "
             "it, or given with `--var`, where the process list shows it.",
     .example = "[variables.key]\n"
                "sensitive = true\n"
                "[databases.shop]\n"
                "owner = \"${var.key}\"\n",
     .fix = "Use it as `password = { var = \"key\" }`, and give its value in the environment, as "
            "`LB_VAR_key`."},
};

}  // namespace

const ExplanationGroup kFileGroup = {"Several files and variables", kFileExplanations};

}  // namespace lb::specs
