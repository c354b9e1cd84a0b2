// What must hold of a draft as a whole, once all changes are in it. Private to apply_draft.cc.
#pragma once

#include <string>

#include "engine/apply_draft.h"

namespace lb::engine {

Error error_of(ErrorCode code, std::string message, std::string help = {});
Error refused(std::string message, std::string help = {});  // kRefused

// The default branch stays, a destroy names every branch, parents are there and in no ring, and
// moves stand alone. `live`: the project as it is; nullptr: there is none. Errors: as make_draft().
Status check_draft(const ApplyDraft& draft, const Project* live);

}  // namespace lb::engine
