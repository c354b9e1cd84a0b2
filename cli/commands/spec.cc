// lb schema: what works on specs alone, without a daemon.
#include "cli/commands/commands.h"
#include "specs/json_schema.h"

namespace lb::cli {

Result<ExitCode> run_schema(const Arguments&, Output& output) {
    output.document(specs::json_schema());
    return ExitCode::kOk;
}

}  // namespace lb::cli
