// Diagnostics of what a spec says about changes: [[forget]].
#include "specs/diagnostic_codes.h"
#include "specs/internal/explanations.h"

namespace lb::specs {

namespace {

constexpr Explanation kChangeExplanations[] = {
    {.code = codes::kForgetDeclared,
     .title = "forgotten and declared",
     .text = "The spec says of one resource that lb is to manage it no more, and how lb is to "
             "manage it. The default branch is always managed.",
     .example = "[branches.old]\n"
                "[[forget]]\n"
                "address = \"branch.old\"\n",
     .fix = "Remove the declaration to forget the resource, or the `[[forget]]` to keep it."},
    {.code = codes::kInvalidResource,
     .title = "not the address of a resource of the spec",
     .text = "The value is no address, or is of something that a spec does not manage by itself: "
             "the project, a compute, a role or database of another branch than the default one.",
     .example = "[[forget]]\n"
                "address = \"old\"\n",
     .fix = "Write `branch.NAME`, `role.BRANCH.NAME` or `database.BRANCH.NAME`."},
};

}  // namespace

const ExplanationGroup kChangeGroup = {"What lets go of resources", kChangeExplanations};

}  // namespace lb::specs
