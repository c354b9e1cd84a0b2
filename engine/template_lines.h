// Template lines: the result of initdb for a major version, made once per home and kept as a hidden
// line, so that a new project's first branch is an instant branch of it.
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "engine/project_context.h"

namespace lb::engine {

// The line of the template; runs initdb if there is none yet. A crash on the way leaves a line that
// the catalog does not name, which the next open removes.
// Requires: the apply mutex. Errors: kPostgresMissing, kPostgresVersion, kComputeStartFailed.
Result<LineId> template_line(Context& context, uint32_t major_version,
                             const ProgressSink& progress);

}  // namespace lb::engine
