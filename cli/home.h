// Home: the directory that holds everything of one installation of lb, and its layout.
//
//   store/            the log and its index               (store/)
//   mnt/              where lines are mounted             (store/fuse_transport.h)
//   run/              lock, lb.sock, computes/            (sockets and settings of computes)
//   log/              daemon.log, one file per compute
//
// One daemon at a time owns a home: it holds a lock on run/lock. Everything is private to its user
// (mode 0700), except what the computes' user must pass through when lb runs as root (0711).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"

namespace lb::cli {

struct Home {
    std::string directory;  // absolute

    std::string store_directory() const { return directory + "/store"; }
    std::string mount_directory() const { return directory + "/mnt"; }
    std::string run_directory() const { return directory + "/run"; }
    std::string computes_directory() const { return directory + "/run/computes"; }
    std::string check_directory() const { return directory + "/run/fsck"; }  // of lb fsck
    std::string log_directory() const { return directory + "/log"; }
    std::string lock_path() const { return directory + "/run/lock"; }
    std::string socket_path() const { return directory + "/run/lb.sock"; }
    std::string daemon_log_path() const { return directory + "/log/daemon.log"; }
};

// `wanted` (of --home), else $LB_HOME, else /var/lib/lb for root and $XDG_DATA_HOME/lb for others.
// Creates nothing. Errors: kHomeUnusable if there is no such directory to name, or if its path is
// too long for the sockets in it.
Result<Home> find_home(const std::string& wanted);

// The OS user that PostgreSQL runs as: ourselves, except that PostgreSQL refuses root.
struct ComputeUser {
    std::string name = {};  // empty: ourselves
    uid_t user_id = 0;
    gid_t group_id = 0;
};

// Errors: kPostgresMissing if we are root and there is no such user, kUsage if we are not root and
// `wanted` is somebody else.
Result<ComputeUser> find_compute_user(const std::string& wanted);

// Creates what is missing of the layout. Errors: kHomeUnusable naming the path and what is wrong
// with it; no permission, not ours, no directory, or not reachable by the computes' user.
Status prepare_home(const Home& home, const ComputeUser& user);

// The right to be the daemon of a home, until it is destroyed or the process ends.
class HomeLock {
public:
    // Errors: kHomeInUse with the holder's process id.
    static Result<HomeLock> take(const Home& home);
    // One that an earlier image of this process took.
    static HomeLock adopt(int descriptor) { return HomeLock(descriptor); }
    ~HomeLock();
    HomeLock(HomeLock&& other) noexcept;
    HomeLock(const HomeLock&) = delete;
    HomeLock& operator=(const HomeLock&) = delete;
    HomeLock& operator=(HomeLock&&) = delete;

    int descriptor() const { return descriptor_; }
    // Leaves it to the kernel to free the lock when this process has ended: who waits for the lock
    // then knows that the process is gone, too.
    void keep_until_exit() && { descriptor_ = -1; }

private:
    explicit HomeLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

// Process id of the daemon that holds the home now; nullopt if there is none.
std::optional<pid_t> home_holder(const Home& home);

}  // namespace lb::cli
