// Homes: where they are, how they are made, who may have them.
#include "cli/home.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/cli/support.h"

namespace lb::cli {
namespace {

mode_t mode_of(const std::string& path) {
    struct stat attributes {};
    EXPECT_EQ(stat(path.c_str(), &attributes), 0) << path;
    return attributes.st_mode & 07777;
}

ComputeUser self() { return {.user_id = geteuid(), .group_id = getegid()}; }

TEST(FindHome, PrefersTheOptionThenTheEnvironment) {
    setenv("LB_HOME", "/srv/from-environment", 1);
    EXPECT_EQ(LB_MUST(find_home("/srv/from-option/")).directory, "/srv/from-option");
    EXPECT_EQ(LB_MUST(find_home("")).directory, "/srv/from-environment");
    unsetenv("LB_HOME");
    setenv("XDG_DATA_HOME", "/srv/data", 1);
    EXPECT_EQ(LB_MUST(find_home("")).directory, geteuid() == 0 ? "/var/lib/lb" : "/srv/data/lb");
    unsetenv("XDG_DATA_HOME");
}

TEST(FindHome, IsAbsolute) {
    Home home = LB_MUST(find_home("a/../b"));
    EXPECT_EQ(home.directory, std::filesystem::current_path().native() + "/b");
}

TEST(FindHome, RefusesPathsTooLongForSockets) {
    Result<Home> home = find_home("/tmp/" + std::string(100, 'x'));
    ASSERT_FALSE(home.is_ok());
    EXPECT_EQ(home.error().code, ErrorCode::kHomeUnusable);
    EXPECT_NE(home.error().help.find("shorter"), std::string::npos);
    EXPECT_TRUE(find_home("/tmp/" + std::string(50, 'x')).is_ok());
}

TEST(PrepareHome, IsPrivate) {
    tests::TemporaryDirectory directory;
    Home home{directory.path("deep/er/home")};
    LB_MUST(prepare_home(home, self()));
    for (const std::string& path : {home.directory, home.store_directory(), home.mount_directory(),
                                    home.run_directory(), home.log_directory()}) {
        EXPECT_EQ(mode_of(path), 0700u) << path;
    }
    LB_MUST(prepare_home(home, self()));  // again, as each start does
}

TEST(PrepareHome, LetsTheComputesUserPass) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    Result<ComputeUser> user = find_compute_user("");
    if (!user.is_ok()) GTEST_SKIP() << user.error().message;
    tests::TemporaryDirectory directory;
    chmod(directory.path().c_str(), 0711);
    Home home{directory.path("home")};
    LB_MUST(prepare_home(home, *user));
    EXPECT_EQ(mode_of(home.directory), 0711u);
    EXPECT_EQ(mode_of(home.mount_directory()), 0711u);
    EXPECT_EQ(mode_of(home.store_directory()), 0700u);

    chmod(directory.path().c_str(), 0700);
    Status unreachable = prepare_home(home, *user);
    ASSERT_FALSE(unreachable.is_ok());
    EXPECT_EQ(unreachable.error().code, ErrorCode::kHomeUnusable);
    EXPECT_NE(unreachable.error().message.find(directory.path()), std::string::npos);
    EXPECT_NE(unreachable.error().help.find("chmod a+x"), std::string::npos);
}

TEST(PrepareHome, LeavesOtherDirectoriesAlone) {
    tests::TemporaryDirectory directory;
    chmod(directory.path().c_str(), 0755);
    tests::write_file(directory.path("somebodys-file"), "x");
    Status prepared = prepare_home({directory.path()}, self());
    ASSERT_FALSE(prepared.is_ok());
    EXPECT_EQ(prepared.error().code, ErrorCode::kHomeUnusable);
    EXPECT_EQ(mode_of(directory.path()), 0755u);
    EXPECT_FALSE(std::filesystem::exists(directory.path("store")));
}

TEST(PrepareHome, RefusesFilesInTheWay) {
    tests::TemporaryDirectory directory;
    tests::write_file(directory.path("file"), "x");
    EXPECT_EQ(prepare_home({directory.path("file")}, self()).error().code,
              ErrorCode::kHomeUnusable);
    EXPECT_EQ(prepare_home({directory.path("file/below")}, self()).error().code,
              ErrorCode::kHomeUnusable);
}

TEST(PrepareHome, RefusesSomebodyElses) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    tests::TemporaryDirectory directory;
    Home home{directory.path("home")};
    std::filesystem::create_directory(home.directory);
    ASSERT_EQ(chown(home.directory.c_str(), 12345, 12345), 0);
    Status prepared = prepare_home(home, self());
    ASSERT_FALSE(prepared.is_ok());
    EXPECT_EQ(prepared.error().code, ErrorCode::kHomeUnusable);
    EXPECT_NE(prepared.error().message.find("12345"), std::string::npos);
}

TEST(ComputeUser, RootNeedsAnOrdinaryOne) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(find_compute_user("root").error().code, ErrorCode::kUsage);
    EXPECT_EQ(find_compute_user("nobody-of-this-name").error().code, ErrorCode::kPostgresMissing);
}

TEST(HomeLock, HasOneHolder) {
    tests::TemporaryDirectory directory;
    Home home{directory.path("home")};
    LB_MUST(prepare_home(home, self()));
    EXPECT_FALSE(home_holder(home).has_value());
    {
        HomeLock lock = LB_MUST(HomeLock::take(home));
        EXPECT_EQ(home_holder(home), getpid());
        Result<HomeLock> second = HomeLock::take(home);
        ASSERT_FALSE(second.is_ok());
        EXPECT_EQ(second.error().code, ErrorCode::kHomeInUse);
        EXPECT_NE(second.error().message.find(std::to_string(getpid())), std::string::npos);
    }
    EXPECT_FALSE(home_holder(home).has_value());
    EXPECT_TRUE(HomeLock::take(home).is_ok());
}

TEST(HomeLock, IsFreeAfterItsHolderWasKilled) {
    tests::TemporaryDirectory directory;
    Home home{directory.path("home")};
    LB_MUST(prepare_home(home, self()));
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        auto lock = HomeLock::take(home);
        static_cast<void>(!write(ready[1], "x", 1));
        pause();
        _exit(lock.is_ok() ? 0 : 1);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_EQ(home_holder(home), child);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
    EXPECT_FALSE(home_holder(home).has_value());
    EXPECT_TRUE(HomeLock::take(home).is_ok());
}

}  // namespace
}  // namespace lb::cli
