#include "store/fuse_mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "store/fuse_helper.h"

namespace lb::store {

namespace {

constexpr const char* kDevice = "/dev/fuse";
constexpr int kStackedMountsMax = 16;

constexpr const char* kDeviceHelp =
    "load the module with: sudo modprobe fuse; start a container with: --device /dev/fuse "
    "--cap-add SYS_ADMIN";

Error unusable(std::string message, std::string help = {}) {
    return {
        .code = ErrorCode::kHomeUnusable, .message = std::move(message), .help = std::move(help)};
}

Error fuse_missing(std::string message, std::string help) {
    return {
        .code = ErrorCode::kFuseMissing, .message = std::move(message), .help = std::move(help)};
}

bool is_root() { return ::geteuid() == 0; }

// A connection whose process is gone answers so.
bool is_dead(int code) { return code == ENOTCONN || code == ECONNABORTED; }

// Leaves a directory with nothing of FUSE mounted on it.
Status prepare_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST && !is_dead(errno)) {
        return system_error(ErrorCode::kHomeUnusable, cat("cannot make ", quoted(path)), errno);
    }
    for (int i = 0; i < kStackedMountsMax; ++i) {
        struct statx attributes {};
        if (::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &attributes) != 0) {
            if (!is_dead(errno)) {
                return system_error(ErrorCode::kHomeUnusable, cat("cannot use ", quoted(path)),
                                    errno);
            }
            LB_TRY(unmount_fuse(path, UnmountMode::kDetach));
            continue;
        }
        if (!S_ISDIR(attributes.stx_mode)) return unusable(cat(quoted(path), " is no directory"));
        struct statfs file_system {};
        bool is_mount = (attributes.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
        bool is_live = is_mount && ::statfs(path.c_str(), &file_system) == 0 &&
                       file_system.f_type == FUSE_SUPER_MAGIC;
        if (!is_live) return ok();
        return unusable(cat(quoted(path), " is in use: another process serves a mount there"),
                        "stop that process, or choose another home directory");
    }
    return unusable(cat("dead mounts on ", quoted(path), " cannot be removed"),
                    cat("unmount them with: sudo umount -l ", path));
}

Error mount_refused(int code) {
    Error error = system_error(ErrorCode::kFuseMissing, "cannot mount a FUSE file system", code);
    error.help = kDeviceHelp;
    return error;
}

Status check_device() {
    if (::access(kDevice, R_OK | W_OK) == 0) return ok();
    if (errno != EACCES) return fuse_missing(cat("there is no ", kDevice), kDeviceHelp);
    return fuse_missing(cat("this user may not open ", kDevice),
                        cat("allow it with: sudo chmod 666 ", kDevice));
}

Result<int> mount_as_root(const std::string& directory) {
    Descriptor device(::open(kDevice, O_RDWR | O_CLOEXEC));
    if (device.number() < 0) return mount_refused(errno);
    std::string options = cat("fd=", device.number(), ",rootmode=40000,user_id=", ::geteuid(),
                              ",group_id=", ::getegid(), ",default_permissions,allow_other");
    if (::mount("lb", directory.c_str(), "fuse.lb", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
        return mount_refused(errno);
    }
    return device.take();
}

Result<int> mount_as_user(const std::string& directory) {
    HelperResult helper = run_fuse_helper(
        {"-o", "fsname=lb,subtype=lb,default_permissions,nosuid,nodev", "--", directory});
    if (!helper.is_started) {
        return fuse_missing("fusermount3 is missing, through which an ordinary user mounts",
                            "install it with: sudo apt install fuse3");
    }
    if (helper.connection.number() < 0) {
        Error error = fuse_missing("fusermount3 did not mount", kDeviceHelp);
        if (!helper.output.empty()) error.notes.push_back(helper.output);
        return error;
    }
    return helper.connection.take();
}

}  // namespace

Result<int> mount_fuse(const std::string& directory) {
    LB_TRY(check_device());
    LB_TRY(prepare_directory(directory));
    int connection = LB_TRY(is_root() ? mount_as_root(directory) : mount_as_user(directory));
    ::fcntl(connection, F_SETFL, ::fcntl(connection, F_GETFL) | O_NONBLOCK);
    return connection;
}

Status unmount_fuse(const std::string& directory, UnmountMode mode) {
    if (is_root()) {
        if (::umount2(directory.c_str(), mode == UnmountMode::kDetach ? MNT_DETACH : 0) == 0) {
            return ok();
        }
        return system_error(ErrorCode::kHomeUnusable, cat("cannot unmount ", quoted(directory)),
                            errno);
    }
    std::vector<std::string> arguments = {"-u"};
    if (mode == UnmountMode::kDetach) arguments.push_back("-z");
    arguments.insert(arguments.end(), {"--", directory});
    HelperResult helper = run_fuse_helper(std::move(arguments));
    if (helper.is_success) return ok();
    Error error = unusable(cat("cannot unmount ", quoted(directory)),
                           cat("unmount it with: fusermount3 -u -z ", directory));
    if (!helper.output.empty()) error.notes.push_back(helper.output);
    return error;
}

}  // namespace lb::store
