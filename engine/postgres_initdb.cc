#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/compute_preparation.h"

namespace lb::engine {

Status run_initdb(const PostgresInstallation& postgres, const std::string& data_directory,
                  const std::string& postgres_user) {
    std::optional<OsUser> user = LB_TRY(server_user(postgres_user));
    if (user && ::lchown(data_directory.c_str(), user->uid, user->gid) != 0) {
        return system_error(ErrorCode::kIo, cat("cannot give ", data_directory, " to ", user->name),
                            errno);
    }
    auto output = run_program({
        // Without syncing: whoever makes the result part of a project syncs once.
        .arguments = {postgres.program_directory + "/initdb", "--pgdata", data_directory,
                      "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                      "--data-checksums", "--auth-local=peer", "--auth-host=scram-sha-256",
                      "--no-sync", "--no-instructions"},
        .environment = clean_environment(),
        .working_directory = data_directory,
        .user = user,
    });
    if (!output) {
        Error error = std::move(output).error();
        error.code = ErrorCode::kComputeStartFailed;
        return error;
    }
    if (!WIFEXITED(output->wait_status) || WEXITSTATUS(output->wait_status) != 0) {
        return Error{.code = ErrorCode::kComputeStartFailed,
                     .message = cat("initdb failed in ", data_directory, ": ",
                                    describe_wait_status(output->wait_status)),
                     .help = "see initdb's output above",
                     .notes = {cat("output of initdb:\n", output->text)}};
    }
    return ok();
}

}  // namespace lb::engine
