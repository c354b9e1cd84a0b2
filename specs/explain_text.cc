// Diagnostics of the text as a whole.
#include "specs/internal/explanations.h"

#include "specs/diagnostic_codes.h"

namespace lb::specs {

namespace {

constexpr Explanation kTextExplanations[] = {
    {.code = codes::kSyntax,
     .title = "not valid TOML",
     .text = "The text breaks TOML's rules: a string or bracket is not closed, text stands without "
             "quotes, or a key or table stands twice.",
     .example = "[branches.staging]\n"
                "parent = main\n",
     .fix = "Correct the place that is marked; the parser stops there, so run lb again afterwards. "
            "The rules are at https://toml.io/en/v1.0.0."},
    {.code = codes::kUnknownKey,
     .title = "unknown key",
     .text = "The key is misspelt, belongs to another table, or is a name with a dot that needs "
             "quotes.",
     .example = "[branches.main]\n"
                "protcted = true\n",
     .fix = "Take the spelling that the help proposes, or one of "
            "[spec-reference.md](spec-reference.md)."},
    {.code = codes::kKeyNotYetSupported,
     .title = "key not yet supported",
     .text =
         "A later version of lb will honour the key; this one refuses it instead of ignoring it.",
     .example = "[project]\n"
                "name = \"shop\"\n"
                "compute = {}\n",
     .fix = "Remove the key."},
    {.code = codes::kWrongType,
     .title = "wrong type",
     .text = "The value is of another kind than the key needs.",
     .example = "[roles.app]\n"
                "login = \"yes\"\n",
     .fix = "Write the kind of value that the message names: strings in double quotes, numbers and "
            "booleans without."},
    {.code = codes::kMissingKey,
     .title = "something required is missing",
     .text = "There is no `[project]` table, or it has no `name`.",
     .example = "[project]\n"
                "pg_version = 15\n",
     .fix = "Add it."},
    {.code = codes::kNotText,
     .title = "not text",
     .text = "The file is not UTF-8, is UTF-16, or contains a NUL byte.",
     .fix = "Save it as UTF-8: `iconv -f UTF-16 -t UTF-8 old.toml > lb.toml`."},
    {.code = codes::kTooLarge,
     .title = "too large",
     .text = "The file is larger than 16 MiB.",
     .fix = "Split the project into several."},
    {.code = codes::kTooDeep,
     .title = "nested too deeply",
     .text = "A key has more than 16 parts, or lists and tables stand more than 32 deep inside of "
             "each other.",
     .example = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1\n",
     .fix = "Remove it; no key of a spec needs that."},
    {.code = codes::kTooMany,
     .title = "too many",
     .text = "There are more than 10,000 branches, 500 roles or 500 databases, 500 schemas or 100 "
             "extensions in a database, or more than 150,000 tables and dotted keys in all.",
     .fix = "Split the project into several."},
};

}  // namespace

const ExplanationGroup kTextGroup = {"The text", kTextExplanations};

}  // namespace lb::specs
