// The commands of lb. Each gets its arguments and the output, prints its result, and returns how
// the process is to exit; an error is printed by run(). The table in option_table.cc leads to them.
#pragma once

#include "cli/options.h"
#include "cli/output.h"

namespace lb::cli {

Result<ExitCode> run_init(const Arguments& arguments, Output& output);
Result<ExitCode> run_validate(const Arguments& arguments, Output& output);
Result<ExitCode> run_fmt(const Arguments& arguments, Output& output);
Result<ExitCode> run_explain(const Arguments& arguments, Output& output);
Result<ExitCode> run_schema(const Arguments& arguments, Output& output);
Result<ExitCode> run_plan(const Arguments& arguments, Output& output);
Result<ExitCode> run_show(const Arguments& arguments, Output& output);
Result<ExitCode> run_apply(const Arguments& arguments, Output& output);
Result<ExitCode> run_destroy(const Arguments& arguments, Output& output);
Result<ExitCode> run_status(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_list(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_show(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_create(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_delete(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_undelete(const Arguments& arguments, Output& output);
Result<ExitCode> run_branch_reset(const Arguments& arguments, Output& output);
Result<ExitCode> run_restore(const Arguments& arguments, Output& output);
Result<ExitCode> run_generations(const Arguments& arguments, Output& output);
Result<ExitCode> run_rollback(const Arguments& arguments, Output& output);
Result<ExitCode> run_history(const Arguments& arguments, Output& output);
Result<ExitCode> run_compute_start(const Arguments& arguments, Output& output);
Result<ExitCode> run_compute_stop(const Arguments& arguments, Output& output);
Result<ExitCode> run_compute_restart(const Arguments& arguments, Output& output);
Result<ExitCode> run_psql(const Arguments& arguments, Output& output);
Result<ExitCode> run_url(const Arguments& arguments, Output& output);
Result<ExitCode> run_load(const Arguments& arguments, Output& output);
Result<ExitCode> run_logs(const Arguments& arguments, Output& output);
Result<ExitCode> run_serve(const Arguments& arguments, Output& output);
Result<ExitCode> run_stop(const Arguments& arguments, Output& output);
Result<ExitCode> run_restart(const Arguments& arguments, Output& output);
Result<ExitCode> run_statistics(const Arguments& arguments, Output& output);
Result<ExitCode> run_fsck(const Arguments& arguments, Output& output);
Result<ExitCode> run_version(const Arguments& arguments, Output& output);
Result<ExitCode> run_completion(const Arguments& arguments, Output& output);
Result<ExitCode> run_man(const Arguments& arguments, Output& output);
Result<ExitCode> run_top(const Arguments& arguments, Output& output);
Result<ExitCode> run_metrics(const Arguments& arguments, Output& output);
Result<ExitCode> run_debug_super(const Arguments& arguments, Output& output);
Result<ExitCode> run_debug_index(const Arguments& arguments, Output& output);
Result<ExitCode> run_debug_catalog(const Arguments& arguments, Output& output);
Result<ExitCode> run_debug_manifest(const Arguments& arguments, Output& output);
Result<ExitCode> run_debug_segment(const Arguments& arguments, Output& output);

}  // namespace lb::cli
