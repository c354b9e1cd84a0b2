#include "cli/home.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/text.h"

namespace lb::cli {
namespace {

// The longest socket path below run/: the computes' "computes/<line>/.s.PGSQL.<port>".
constexpr std::string_view kLongestSocketSuffix = "/run/computes/16777215/.s.PGSQL.65535";
constexpr size_t kSocketPathMaxBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t kHomeMaxBytes = kSocketPathMaxBytes - kLongestSocketSuffix.size();

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Error unusable(std::string_view what, int system_errno, std::string help) {
    Error error = system_error(ErrorCode::kHomeUnusable, what, system_errno);
    error.help = std::move(help);
    return error;
}

Result<std::string> default_directory() {
    if (geteuid() == 0) return std::string("/var/lib/lb");
    if (std::string data = environment("XDG_DATA_HOME"); !data.empty()) return data + "/lb";
    if (std::string home = environment("HOME"); !home.empty()) return home + "/.local/share/lb";
    return Error{.code = ErrorCode::kHomeUnusable,
                 .message = "no home directory is known: HOME is not set",
                 .help = "name one: lb --home DIRECTORY, or set LB_HOME"};
}

// The user of a name, or nullopt.
std::optional<ComputeUser> find_user(const std::string& name) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0) return {};
    if (found == nullptr) return {};
    return ComputeUser{.name = name, .user_id = entry.pw_uid, .group_id = entry.pw_gid};
}

// True if `user` may pass through a directory with these attributes, by its owner and group alone.
bool may_pass(const struct stat& attributes, const ComputeUser& user) {
    if (attributes.st_uid == user.user_id) return (attributes.st_mode & S_IXUSR) != 0;
    if (attributes.st_gid == user.group_id) return (attributes.st_mode & S_IXGRP) != 0;
    return (attributes.st_mode & S_IXOTH) != 0;
}

// The computes' user must reach its data directories: each directory above the home must let it
// pass. (The home itself is made so.)
Status check_reachable(const Home& home, const ComputeUser& user) {
    std::filesystem::path above = std::filesystem::path(home.directory).parent_path();
    while (above.has_relative_path()) {
        struct stat attributes {};
        if (stat(above.c_str(), &attributes) == 0 && !may_pass(attributes, user)) {
            return Error{
                .code = ErrorCode::kHomeUnusable,
                .message = cat("the OS user ", lb::quoted(user.name),
                               ", which PostgreSQL runs as, cannot pass through ",
                               lb::quoted(above.native())),
                .help = cat("chmod a+x ", above.native(), ", or choose another home with LB_HOME")};
        }
        above = above.parent_path();
    }
    return ok();
}

Status make_directory(const std::string& path, mode_t mode) {
    if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
        return unusable(cat("cannot create ", lb::quoted(path)), errno,
                        "choose another home with LB_HOME, or make it writable");
    }
    struct stat attributes {};
    if (stat(path.c_str(), &attributes) != 0) {
        return unusable(cat("cannot use ", lb::quoted(path)), errno,
                        "choose another home with LB_HOME");
    }
    if (!S_ISDIR(attributes.st_mode)) {
        return unusable(cat("cannot use ", lb::quoted(path)), ENOTDIR,
                        "choose another home with LB_HOME");
    }
    if (attributes.st_uid != geteuid()) {
        return Error{.code = ErrorCode::kHomeUnusable,
                     .message = cat(lb::quoted(path), " belongs to another user (uid ",
                                    attributes.st_uid, ", not ", geteuid(), ")"),
                     .help = "run lb as that user, or choose another home with LB_HOME"};
    }
    // Whatever mode it has got from somebody's umask or mkdir.
    if ((attributes.st_mode & 07777) != mode && chmod(path.c_str(), mode) != 0) {
        return unusable(cat("cannot set the mode of ", lb::quoted(path)), errno,
                        "choose another home with LB_HOME");
    }
    return ok();
}

Status make_ancestors(const std::string& path) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    if (!failure) return ok();
    return unusable(cat("cannot create ", lb::quoted(path)), failure.value(),
                    "choose another home with LB_HOME");
}

// Changing the mode of somebody's /tmp would be a bad start: an existing directory must hold a home
// already, or nothing but the beginning of one, which another first command is just making.
Status check_is_home(const std::string& directory) {
    std::error_code failure;
    std::filesystem::directory_iterator entries(directory, failure);
    if (failure) return ok();
    bool is_all_ours = std::ranges::all_of(entries, [](const auto& entry) {
        std::string name = entry.path().filename().string();
        std::error_code ignored;
        return (name == "run" || name == "store" || name == "mnt" || name == "log") &&
               entry.is_directory(ignored);
    });
    if (is_all_ours) return ok();
    if (std::filesystem::is_directory(directory + "/run", failure) &&
        std::filesystem::is_directory(directory + "/store", failure)) {
        return ok();
    }
    return Error{.code = ErrorCode::kHomeUnusable,
                 .message = cat(lb::quoted(directory), " is not empty and no home of lb"),
                 .help = "name a new directory, e.g. LB_HOME=" + directory + "/lb"};
}

// A mount whose daemon died answers every stat() with ENOTCONN until the transport removes it.
bool is_dead_mount(const std::string& path) {
    struct stat attributes {};
    return stat(path.c_str(), &attributes) != 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

Result<int> open_lock(const Home& home) {
    std::string path = home.lock_path();
    int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0) return descriptor;
    return unusable(cat("cannot open ", lb::quoted(path)), errno,
                    "choose another home with LB_HOME, or make it writable");
}

// Open-file-description locks: unlike flock(), one can be asked for without taking it, so that a
// client that looks never gets in the way of a daemon that starts.
struct flock whole_file(int type) {
    struct flock lock {};
    lock.l_type = static_cast<short>(type);
    lock.l_whence = SEEK_SET;
    return lock;
}

pid_t read_holder(int descriptor) {
    char buffer[32] = {};
    ssize_t length = pread(descriptor, buffer, sizeof(buffer), 0);
    pid_t process = 0;
    if (length > 0) std::from_chars(buffer, buffer + length, process);
    return process;
}

}  // namespace

Result<Home> find_home(const std::string& wanted) {
    std::string directory = wanted.empty() ? environment("LB_HOME") : wanted;
    if (directory.empty()) directory = LB_TRY(default_directory());
    std::error_code failure;
    std::filesystem::path absolute = std::filesystem::absolute(directory, failure);
    if (failure) {
        return unusable(cat("cannot use ", lb::quoted(directory)), failure.value(),
                        "name the home by an absolute path");
    }
    directory = absolute.lexically_normal().native();
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    if (directory.size() > kHomeMaxBytes) {
        return Error{.code = ErrorCode::kHomeUnusable,
                     .message = cat("the home's path has ", directory.size(),
                                    " bytes; the paths of sockets leave room for ", kHomeMaxBytes,
                                    ": ", lb::quoted(directory)),
                     .help = "choose a shorter one with LB_HOME or --home"};
    }
    return Home{std::move(directory)};
}

Result<ComputeUser> find_compute_user(const std::string& wanted) {
    if (geteuid() != 0) {
        ComputeUser self{.user_id = geteuid(), .group_id = getegid()};
        std::optional<ComputeUser> other = wanted.empty() ? self : find_user(wanted);
        if (other.has_value() && other->user_id == self.user_id) return self;
        return Error{.code = ErrorCode::kUsage,
                     .message = "only root can run PostgreSQL as another user",
                     .help = "leave out --postgres-user (LB_POSTGRES_USER)"};
    }
    std::string name = wanted.empty() ? "postgres" : wanted;
    std::optional<ComputeUser> user = find_user(name);
    if (!user.has_value()) {
        return Error{.code = ErrorCode::kPostgresMissing,
                     .message = cat("there is no OS user ", lb::quoted(name),
                                    ", which PostgreSQL could run as"),
                     .help =
                         "apt-get install postgresql-15 makes one; or name another with "
                         "--postgres-user (LB_POSTGRES_USER)"};
    }
    if (user->user_id == 0) {
        return Error{.code = ErrorCode::kUsage,
                     .message = "PostgreSQL refuses to run as root",
                     .help = "name an ordinary user with --postgres-user (LB_POSTGRES_USER)"};
    }
    return *std::move(user);
}

Status prepare_home(const Home& home, const ComputeUser& user) {
    const bool is_shared = !user.name.empty();
    const mode_t passable = is_shared ? 0711 : 0700;
    LB_TRY(make_ancestors(home.directory));
    LB_TRY(check_is_home(home.directory));
    LB_TRY(make_directory(home.directory, passable));
    LB_TRY(make_directory(home.run_directory(), passable));
    LB_TRY(make_directory(home.store_directory(), 0700));
    if (!is_dead_mount(home.mount_directory()) && !home_holder(home).has_value()) {
        LB_TRY(make_directory(home.mount_directory(), passable));
    }
    LB_TRY(make_directory(home.computes_directory(), passable));
    LB_TRY(make_directory(home.log_directory(), passable));
    return is_shared ? check_reachable(home, user) : ok();
}

Result<HomeLock> HomeLock::take(const Home& home) {
    HomeLock lock(LB_TRY(open_lock(home)));
    struct flock exclusive = whole_file(F_WRLCK);
    if (fcntl(lock.descriptor_, F_OFD_SETLK, &exclusive) != 0) {
        if (errno != EAGAIN && errno != EACCES) {
            return unusable(cat("cannot lock ", lb::quoted(home.lock_path())), errno,
                            "choose a home on a local file system");
        }
        pid_t holder = read_holder(lock.descriptor_);
        return Error{.code = ErrorCode::kHomeInUse,
                     .message = cat("another daemon serves ", lb::quoted(home.directory),
                                    " (process ", holder, ")"),
                     .help = "use it, stop it with lb stop, or choose another home with LB_HOME"};
    }
    std::string text = cat(getpid(), "\n");
    if (ftruncate(lock.descriptor_, 0) != 0 || pwrite(lock.descriptor_, text.data(), text.size(),
                                                      0) != static_cast<ssize_t>(text.size())) {
        return unusable(cat("cannot write ", lb::quoted(home.lock_path())), errno,
                        "make room on the disk");
    }
    return lock;
}

HomeLock::HomeLock(HomeLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

HomeLock::~HomeLock() {
    if (descriptor_ >= 0) close(descriptor_);
}

std::optional<pid_t> home_holder(const Home& home) {
    int descriptor = open(home.lock_path().c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return {};
    std::optional<pid_t> holder;
    struct flock wanted = whole_file(F_RDLCK);
    if (fcntl(descriptor, F_OFD_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK) {
        holder = read_holder(descriptor);
    }
    close(descriptor);
    return holder;
}

}  // namespace lb::cli
