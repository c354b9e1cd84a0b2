#include "engine/compute_preparation.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "engine/postgres_leftovers.h"
#include "engine/postgres_port.h"
#include "engine/postgres_settings.h"
#include "engine/process_descriptor.h"

namespace lb::engine {

namespace {

namespace fs = std::filesystem;

constexpr size_t kSocketPathMaxBytes = sizeof(sockaddr_un::sun_path) - 1;

Error start_failed(std::string message, std::string help) {
    return Error{.code = ErrorCode::kComputeStartFailed,
                 .message = std::move(message),
                 .help = std::move(help)};
}

Status check_data_directory(const ComputeOptions& options, uid_t server_uid) {
    const std::string& directory = options.data_directory;
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        Error error = system_error(ErrorCode::kComputeStartFailed,
                                   cat("cannot use the data directory ", directory), errno);
        error.help = "check that the mount is there: lb status";
        return error;
    }
    std::ifstream in(directory + "/PG_VERSION");
    std::string version;
    std::getline(in, version);
    if (version.empty()) {
        return start_failed(
            cat(directory, " is no PostgreSQL data directory: PG_VERSION is missing"),
            "delete the branch and create it again");
    }
    if (version != std::to_string(options.postgres.major_version)) {
        return start_failed(cat(directory, " was made by PostgreSQL ", version, ", and this is ",
                                options.postgres.full_version),
                            cat("apt-get install postgresql-", version));
    }
    if (status.st_uid != server_uid) {
        return start_failed(cat(directory, " belongs to user id ", status.st_uid,
                                ", and the server runs as user id ", server_uid),
                            "start the daemon as the user, or with the --postgres-user, that made "
                            "the project");
    }
    return ok();
}

Status check_socket_path(const ComputeOptions& options) {
    std::string path = socket_path(options);
    if (path.size() <= kSocketPathMaxBytes) return ok();
    return start_failed(cat("the socket's path ", path, " has ", path.size(),
                            " bytes; the system "
                            "allows ",
                            kSocketPathMaxBytes),
                        "use a home directory with a shorter path: LB_HOME=/srv/lb");
}

// The run directory belongs to this compute alone, so that a socket in it that nobody serves is
// what a killed server left.
Status clear_socket(const ComputeOptions& options) {
    std::string path = socket_path(options);
    Descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        Error error = port_in_use(options.port);
        return std::move(error).with(cat("a server answers on the socket ", path));
    }
    ::unlink(path.c_str());
    ::unlink((path + ".lock").c_str());
    return ok();
}

// The directory belongs to the server's user, who must not be able to make us write elsewhere: the
// old file (or a symbolic link in its place) is removed, and only a new one is written.
Status write_new_file(const std::string& path, const std::string& text) {
    ::unlink(path.c_str());
    Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file.is_open() || ::fchmod(file.get(), 0644) != 0 ||
        ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return system_error(ErrorCode::kIo, cat("cannot write ", path), errno);
    }
    return ok();
}

Status write_run_directory(const ComputeOptions& options, const std::optional<OsUser>& user) {
    const std::string& directory = options.run_directory;
    std::error_code failure;
    fs::create_directories(directory, failure);
    if (failure) {
        return system_error(ErrorCode::kIo, cat("cannot make ", directory), failure.value());
    }
    if (user && ::lchown(directory.c_str(), user->uid, user->gid) != 0) {
        return system_error(ErrorCode::kIo, cat("cannot give ", directory, " to ", user->name),
                            errno);
    }
    std::vector<std::string> os_users = {"root", LB_TRY(own_user()).name};
    if (user) os_users.push_back(user->name);
    std::sort(os_users.begin(), os_users.end());
    os_users.erase(std::unique(os_users.begin(), os_users.end()), os_users.end());
    LB_TRY(write_new_file(directory + "/postgresql.conf", configuration_file_text(options)));
    LB_TRY(write_new_file(directory + "/pg_hba.conf", hba_file_text(options)));
    return write_new_file(directory + "/pg_ident.conf", ident_file_text(os_users));
}

}  // namespace

Result<std::optional<OsUser>> server_user(const std::string& postgres_user) {
    bool are_root = ::geteuid() == 0;
    if (postgres_user.empty()) {
        if (!are_root) return std::optional<OsUser>{};
        return start_failed("PostgreSQL does not run as root",
                            "name an unprivileged account: lb serve --postgres-user postgres");
    }
    OsUser user = LB_TRY(find_user(postgres_user));
    if (user.uid == 0) {
        return start_failed(
            cat("PostgreSQL does not run as ", lb::quoted(postgres_user), ", which is root"),
            "name an unprivileged account: lb serve --postgres-user postgres");
    }
    if (user.uid == ::geteuid()) return std::optional<OsUser>{};
    if (!are_root) {
        return start_failed(
            cat("only root can run PostgreSQL as another user, here ", lb::quoted(postgres_user)),
            "leave out --postgres-user");
    }
    return std::optional<OsUser>{std::move(user)};
}

Result<int> prepare_start(const ComputeOptions& options, const std::optional<OsUser>& user) {
    LB_TRY(check_data_directory(options, user ? user->uid : ::geteuid()));
    LB_TRY(check_socket_path(options));
    kill_processes_in(options.data_directory);
    int shared_memory_id = remove_postmaster_file(options.data_directory);
    LB_TRY(clear_socket(options));
    LB_TRY(check_port_is_free(options.settings.listen_addresses, options.port));
    LB_TRY(write_run_directory(options, user));
    return shared_memory_id;
}

std::vector<std::string> server_arguments(const ComputeOptions& options) {
    std::vector<std::string> arguments = {options.postgres.program_directory + "/postgres", "-D",
                                          options.data_directory};
    for (const auto& [name, value] : forced_settings(options)) {
        arguments.push_back("-c");
        arguments.push_back(cat(name, "=", value));
    }
    // No name is in both (check_setting_names()).
    for (const auto& [name, value] : options.settings.settings) {
        arguments.push_back("-c");
        arguments.push_back(cat(name, "=", value));
    }
    return arguments;
}

}  // namespace lb::engine
