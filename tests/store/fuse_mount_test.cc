// Mounting and unmounting: what earlier processes left behind, what is still in use, and what a
// machine may lack.
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include "tests/store/fuse_fixture.h"

namespace lb::store {
namespace {

class FuseMount : public MountedStore {};

// Runs `body` in a child process and returns what it returned; 255 if it died.
int in_child(const std::function<int()>& body) {
    pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

bool is_mounted(const std::string& directory) {
    struct statx attributes {};
    if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_TYPE, &attributes) != 0) return true;
    return (attributes.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// What a file answers whose daemon is gone. A request that was already on its way when the
// connection ended is told so in other words.
bool is_dead(int code) { return code == ENOTCONN || code == ECONNABORTED; }

// tests/support/mount_store.cc in a process of its own.
class Server {
public:
    Server(const std::string& program, const std::string& home) {
        int input[2];
        int output[2];
        EXPECT_EQ(::pipe2(input, O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(output, O_CLOEXEC), 0);
        std::string store = home + "/store";
        std::string mount = home + "/mnt";
        process_ = ::fork();
        if (process_ == 0) {
            ::dup2(input[0], STDIN_FILENO);
            ::dup2(output[1], STDOUT_FILENO);
            ::execl(program.c_str(), program.c_str(), store.c_str(), mount.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(input[0]);
        ::close(output[1]);
        commands_ = input[1];
        answers_ = output[0];
    }
    ~Server() {
        ::close(commands_);
        ::close(answers_);
        if (process_ > 0) end(SIGTERM);
    }
    Server(const Server&) = delete;

    // The next line that it writes; empty at its end.
    std::string answer() {
        std::string line;
        for (char byte; ::read(answers_, &byte, 1) == 1 && byte != '\n';) line += byte;
        return line;
    }
    std::string ask(const std::string& command) {
        std::string line = command + "\n";
        EXPECT_EQ(::write(commands_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
        return answer();
    }
    // Returns its exit code; 128 + signal if one ended it.
    int end(int signal) {
        pid_t process = std::exchange(process_, -1);
        ::kill(process, signal);
        int status = 0;
        ::waitpid(process, &status, 0);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

private:
    pid_t process_ = -1;
    int commands_ = -1;
    int answers_ = -1;
};

FuseOptions options_for(const std::string& directory) {
    return {.mount_directory = directory, .uid = ::getuid(), .gid = ::getgid()};
}

TEST_F(FuseMount, ADeadMountIsReplaced) {
    write_file(path("file"), "survives");
    TearDown();
    {
        Server server(LB_MOUNT_STORE, temporary_.path());
        ASSERT_EQ(server.answer(), "ready " + to_string(line_));
        write_file(path("late"), "written before the kill");
        EXPECT_EQ(server.end(SIGKILL), 128 + SIGKILL);
    }
    // With io_uring the kernel ends the connection a little after the process.
    auto access = [&] { return errno_from([&] { return ::access(path("file").c_str(), F_OK); }); };
    for (int i = 0; i < 5000 && !is_dead(access()); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(is_dead(access()));

    open_store();
    mount();
    EXPECT_EQ(read_file(path("file")), "survives");
    EXPECT_EQ(read_file(path("late")), "written before the kill");
}

// Also from a process that is not the one that serves.
TEST_F(FuseMount, AForkIsSeenByOtherProcesses) {
    write_file(path("file"), "parent");
    TearDown();
    Server server(LB_MOUNT_STORE, temporary_.path());
    ASSERT_EQ(server.answer(), "ready " + to_string(line_));
    std::string child = server.ask("fork " + to_string(line_));
    ASSERT_EQ(child.substr(0, 5), "line ");
    EXPECT_EQ(read_file(mount_directory() + "/" + child.substr(5) + "/file"), "parent");
    EXPECT_EQ(server.ask("delete " + child.substr(5)), "deleted");
    EXPECT_NE(::access((mount_directory() + "/" + child.substr(5)).c_str(), F_OK), 0);
    EXPECT_EQ(server.end(SIGTERM), 0);
}

// Requests that wait for the disk keep their place in the kernel's queues: more of them than a
// queue has places do not stop the others.
TEST_F(FuseMount, ManyWaitForTheDisk) {
    std::vector<std::thread> programs;
    std::atomic<int> failures{0};
    for (int i = 0; i < 100; ++i) {
        programs.emplace_back([&, i] {
            OpenFile file(path("file" + std::to_string(i)), O_CREAT | O_RDWR);
            std::string block(kBlockBytes, static_cast<char>('a' + i % 26));
            for (int round = 0; round < 5; ++round) {
                bool is_written =
                    ::pwrite(file.number(), block.data(), block.size(), round * 8192) > 0;
                if (!is_written || ::fdatasync(file.number()) != 0) failures++;
            }
        });
    }
    for (std::thread& program : programs) program.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(read_file(path("file7")), std::string(5 * kBlockBytes, 'h'));
}

// The test says which by LB_FUSE_URING.
TEST_F(FuseMount, RequestsComeAsWanted) {
    write_file(path("file"), "text");
    FuseStatistics statistics = transport_->statistics();
    switch (fuse_channel_of_environment()) {
        case FuseChannel::kDevice: EXPECT_EQ(statistics.uring_request_count, 0u); break;
        case FuseChannel::kUring: EXPECT_GT(statistics.uring_request_count, 0u); break;
        case FuseChannel::kFastest: break;
    }
}

TEST_F(FuseMount, ALiveMountIsRefused) {
    auto second = FuseTransport::mount(*store_, options_for(mount_directory()));
    ASSERT_FALSE(second.is_ok());
    EXPECT_EQ(second.error().code, ErrorCode::kHomeUnusable);
    EXPECT_NE(second.error().message.find("in use"), std::string::npos) << second.error().message;
    write_file(path("file"), "the first one still serves");
}

TEST_F(FuseMount, UnmountsAndMountsAgain) {
    write_file(path("file"), "text");
    for (int i = 0; i < 20; ++i) {
        LB_MUST(transport_->unmount());
        EXPECT_FALSE(is_mounted(mount_directory()));
        LB_MUST(transport_->unmount());  // nothing left to do
        mount();
        EXPECT_EQ(read_file(path("file")), "text");
    }
}

TEST_F(FuseMount, UnmountsWithOpenFiles) {
    auto file = std::make_unique<OpenFile>(path("file"), O_CREAT | O_RDWR);
    auto directory = std::make_unique<OpenFile>(line_directory(line_), O_RDONLY);
    ASSERT_EQ(::pwrite(file->number(), "text", 4, 0), 4);
    LB_MUST(transport_->unmount());
    EXPECT_FALSE(is_mounted(mount_directory()));
    EXPECT_TRUE(is_dead(errno_from([&] { return ::pwrite(file->number(), "lost", 4, 0); })));
    file.reset();
    directory.reset();
    mount();
    EXPECT_EQ(read_file(path("file")), "text");
}

TEST_F(FuseMount, UnmountsUnderLoad) {
    std::atomic<bool> is_over{false};
    std::vector<std::thread> programs;
    for (int i = 0; i < 4; ++i) {
        programs.emplace_back([&, i] {
            std::string name = path("file" + std::to_string(i));
            while (!is_over) {
                int file = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
                if (file < 0) continue;
                std::string block(kBlockBytes, 'l');
                if (::pwrite(file, block.data(), block.size(), 0) > 0) ::fdatasync(file);
                ::close(file);
            }
        });
    }
    for (int i = 0; i < 5; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        LB_MUST(transport_->unmount());
        mount();
    }
    is_over = true;
    for (std::thread& program : programs) program.join();
}

TEST_F(FuseMount, UnmountsAfterSomebodyElseDid) {
    OpenFile file(path("file"), O_CREAT | O_RDWR);
    std::string command = ::geteuid() == 0 ? "umount -l " : "fusermount3 -u -z ";
    ASSERT_EQ(std::system((command + mount_directory()).c_str()), 0);
    EXPECT_EQ(::pwrite(file.number(), "still served", 12, 0), 12);
    EXPECT_FALSE(transport_->unmount().is_ok());  // says so, and ends all the same
    EXPECT_EQ(LB_MUST(store_->lookup(line_, kRootInode, "file")).size_bytes, 12u);
}

TEST_F(FuseMount, MountsOnADirectoryThatIsMadeForIt) {
    std::string fresh = temporary_.path() + "/fresh";
    auto transport = LB_MUST(FuseTransport::mount(*store_, options_for(fresh)));
    EXPECT_EQ(::access((fresh + "/" + to_string(line_)).c_str(), F_OK), 0);
    LB_MUST(transport->unmount());
}

TEST_F(FuseMount, UnusableDirectoriesAreNamed) {
    write_file(temporary_.path() + "/file", "");
    for (std::string directory : {"/file", "/absent/below"}) {
        auto transport = FuseTransport::mount(*store_, options_for(temporary_.path() + directory));
        ASSERT_FALSE(transport.is_ok());
        EXPECT_EQ(transport.error().code, ErrorCode::kHomeUnusable);
        EXPECT_NE(transport.error().message.find(directory), std::string::npos);
    }
}

// -- What a machine may lack. Each runs in a child that takes it away from itself. ----------------

// Mounts and checks the error; 0 if it is as it should be, 77 if the child could not be prepared.
int expect_fuse_missing(Store& store, const std::string& directory, const std::string& message) {
    auto transport = FuseTransport::mount(store, options_for(directory));
    if (transport.is_ok()) return 1;
    const Error& error = transport.error();
    bool is_right = error.code == ErrorCode::kFuseMissing && !error.help.empty() &&
                    error.message.find(message) != std::string::npos;
    if (!is_right) std::fprintf(stderr, "%s", to_text(error).c_str());
    return is_right ? 0 : 2;
}

bool become(const char* user) {
    const passwd* entry = ::getpwnam(user);
    return entry != nullptr && ::setgid(entry->pw_gid) == 0 && ::setuid(entry->pw_uid) == 0;
}

// Gives this process a private view of the file system.
bool leave_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool cover_device(const std::string& what) {
    return ::mount(what.c_str(), "/dev/fuse", nullptr, MS_BIND, nullptr) == 0;
}

// /dev/fuse as distributions set it up: for everybody.
bool open_device_to_all(const std::string& directory) {
    std::string device = directory + "/device";
    return ::mknod(device.c_str(), S_IFCHR, makedev(10, 229)) == 0 &&
           ::chmod(device.c_str(), 0666) == 0 && cover_device(device);
}

TEST_F(FuseMount, MissingDeviceIsExplained) {
    if (::geteuid() != 0) GTEST_SKIP() << "hiding /dev/fuse needs root";
    std::string elsewhere = temporary_.path() + "/elsewhere";
    int code = in_child([&] {
        bool is_hidden = leave_mounts() && ::mount("none", "/dev", "tmpfs", 0, nullptr) == 0;
        if (!is_hidden) return 77;
        return expect_fuse_missing(*store_, elsewhere, "/dev/fuse");
    });
    EXPECT_EQ(code, 0);
}

TEST_F(FuseMount, UnusableDeviceIsExplained) {
    if (::geteuid() != 0) GTEST_SKIP() << "hiding /dev/fuse needs root";
    std::string elsewhere = temporary_.path() + "/elsewhere";
    int code = in_child([&] {
        if (!leave_mounts() || !cover_device("/dev/null")) return 77;
        return expect_fuse_missing(*store_, elsewhere, "FUSE");
    });
    EXPECT_EQ(code, 0);
}

TEST_F(FuseMount, ForbiddenDeviceIsExplainedToAnOrdinaryUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
    TemporaryDirectory elsewhere;
    ASSERT_EQ(::chmod(elsewhere.path().c_str(), 0777), 0);
    std::string closed = temporary_.path() + "/closed";
    write_file(closed, "");
    ASSERT_EQ(::chmod(closed.c_str(), 0600), 0);
    int code = in_child([&] {
        if (!leave_mounts() || !cover_device(closed) || !become("nobody")) return 77;
        return expect_fuse_missing(*store_, elsewhere.path(), "may not open /dev/fuse");
    });
    EXPECT_EQ(code, 0);
}

TEST_F(FuseMount, MissingHelperIsExplainedToAnOrdinaryUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
    TemporaryDirectory elsewhere;
    ASSERT_EQ(::chmod(elsewhere.path().c_str(), 0777), 0);
    int code = in_child([&] {
        bool is_prepared = leave_mounts() && open_device_to_all(temporary_.path()) &&
                           become("nobody") && ::setenv("PATH", "/nonexistent", 1) == 0;
        if (!is_prepared) return 77;
        return expect_fuse_missing(*store_, elsewhere.path(), "fusermount3");
    });
    EXPECT_EQ(code, 0);
}

// The whole life of a store as an ordinary user.
TEST_F(FuseMount, WorksForAnOrdinaryUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "the other tests run as an ordinary user already";
    TemporaryDirectory home;
    ASSERT_EQ(::chmod(home.path().c_str(), 0777), 0);
    std::string program = home.path() + "/mount_store";  // the build directory may be private
    std::filesystem::copy_file(LB_MOUNT_STORE, program);
    std::string mount = home.path() + "/mnt";
    int code = in_child([&] {
        bool is_prepared =
            leave_mounts() && open_device_to_all(temporary_.path()) && become("nobody");
        if (!is_prepared) return 77;
        for (int signal : {SIGTERM, SIGKILL, SIGKILL, SIGTERM}) {
            Server server(program, home.path());
            if (server.answer() != "ready 1") return 2;
            write_file(mount + "/1/file", "mine");
            if (read_file(mount + "/1/file") != "mine") return 3;
            OpenFile still_open(mount + "/1/file", O_RDONLY);
            if (server.end(signal) != (signal == SIGKILL ? 128 + SIGKILL : 0)) return 4;
        }
        return is_mounted(mount) || HasFailure() ? 5 : 0;
    });
    EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace lb::store
