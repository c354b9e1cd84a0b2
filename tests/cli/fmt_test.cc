// lb fmt, lb validate and lb explain as a user types them; and that a file is replaced as a whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "base/json.h"
#include "base/text.h"
#include "cli/line_diff.h"
#include "cli/replace_file.h"
#include "cli/run.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

struct Outcome {
    int exit_code = 0;
    std::string out;
    std::string error;
};

Outcome typed(const std::vector<std::string>& words) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome{.exit_code = static_cast<int>(run(words))};
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.error = ::testing::internal::GetCapturedStderr();
    return outcome;
}

// What is in `directory` besides the files of the test.
size_t file_count(const std::string& directory) {
    using Files = std::filesystem::directory_iterator;
    return static_cast<size_t>(std::distance(Files(directory), Files()));
}

// In a process of its own; its exit code.
int in_child(const std::function<bool()>& is_right) {
    pid_t child = fork();
    if (child == 0) _exit(is_right() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr const char* kUntidy = "[project]\nname='shop'   # mine\n";
constexpr const char* kTidy = "[project]\nname = \"shop\"  # mine\n";

TEST(Fmt, RewritesAndKeepsTheMode) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("lb.toml");
    tests::write_file(path, kUntidy);
    chmod(path.c_str(), 0640);
    EXPECT_EQ(typed({"fmt", path}).out, path + "\n");
    EXPECT_EQ(tests::read_file(path), kTidy);
    struct stat attributes {};
    stat(path.c_str(), &attributes);
    EXPECT_EQ(attributes.st_mode & 07777, 0640U);
    EXPECT_EQ(typed({"fmt", path}).out, "");
    EXPECT_EQ(file_count(directory.path()), 1U);
}

TEST(Fmt, FollowsALink) {
    tests::TemporaryDirectory directory;
    tests::write_file(directory.path("real.toml"), kUntidy);
    std::filesystem::create_symlink("real.toml", directory.path("lb.toml"));
    EXPECT_EQ(typed({"fmt", directory.path("lb.toml")}).exit_code, 0);
    EXPECT_TRUE(std::filesystem::is_symlink(directory.path("lb.toml")));
    EXPECT_EQ(tests::read_file(directory.path("real.toml")), kTidy);
}

TEST(Fmt, ChecksAndShowsTheDifference) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("lb.toml");
    tests::write_file(path, kUntidy);
    Outcome check = typed({"fmt", "--check", path});
    EXPECT_EQ(check.exit_code, 1);
    EXPECT_EQ(check.out, path + "\n");
    Outcome diff = typed({"fmt", "--diff", path});
    EXPECT_EQ(diff.exit_code, 0);
    EXPECT_EQ(diff.out, cat("--- ", path, "\n+++ ", path,
                            "\n@@ -1,2 +1,2 @@\n [project]\n-name='shop'   # mine\n"
                            "+name = \"shop\"  # mine\n"));
    EXPECT_EQ(typed({"fmt", "--check", "--diff", path}).exit_code, 1);
    EXPECT_EQ(tests::read_file(path), kUntidy);
    EXPECT_EQ(typed({"fmt", "--json", "--check", path}).out,
              cat("{\n  \"not_formatted\": [\n    \"", path, "\"\n  ]\n}\n"));
}

TEST(Fmt, LeavesAloneWhatIsNoToml) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("lb.toml");
    tests::write_file(path, "[project\n");
    Outcome outcome = typed({"fmt", path});
    EXPECT_EQ(outcome.exit_code, 3);
    EXPECT_NE(outcome.error.find("LB0101"), std::string::npos);
    EXPECT_EQ(tests::read_file(path), "[project\n");
    EXPECT_EQ(typed({"fmt", directory.path()}).exit_code, 1);
    EXPECT_EQ(typed({"fmt", directory.path("none.toml")}).exit_code, 1);
}

TEST(ReplaceFile, OnAFullDiskChangesNothing) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("file");
    tests::write_file(path, "old");
    EXPECT_EQ(in_child([&] {
                  signal(SIGXFSZ, SIG_IGN);
                  rlimit limit{.rlim_cur = 4096, .rlim_max = 4096};
                  setrlimit(RLIMIT_FSIZE, &limit);
                  Status status = replace_file(path, std::string(100'000, 'x'));
                  return !status.is_ok() && status.error().code == ErrorCode::kIo;
              }),
              0);
    EXPECT_EQ(tests::read_file(path), "old");
    EXPECT_EQ(file_count(directory.path()), 1U);
}

TEST(ReplaceFile, WhereItMayNotWriteChangesNothing) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("file");
    tests::write_file(path, "old");
    chmod(directory.path().c_str(), 0555);
    chmod(path.c_str(), 0666);
    EXPECT_EQ(in_child([&] {
                  if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0) return false;
                  return !replace_file(path, "new").is_ok();
              }),
              0);
    chmod(directory.path().c_str(), 0777);
    chmod(path.c_str(), 0444);
    EXPECT_EQ(in_child([&] {
                  if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0) return false;
                  return !replace_file(path, "new").is_ok();
              }),
              0);
    EXPECT_EQ(tests::read_file(path), "old");
    EXPECT_EQ(file_count(directory.path()), 1U);
}

TEST(ReplaceFile, KilledAtAnyTimeLeavesTheOldTextOrTheNewOne) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("file");
    const std::string one(300'000, '1');
    const std::string two(300'000, '2');
    tests::write_file(path, one);
    for (useconds_t round = 0; round < 20; ++round) {
        int started[2];
        ASSERT_EQ(pipe(started), 0);
        pid_t child = fork();
        if (child == 0) {
            while (true) {
                if (!replace_file(path, two).is_ok()) _exit(1);
                if (write(started[1], "x", 1) != 1) _exit(1);
                if (!replace_file(path, one).is_ok()) _exit(1);
            }
        }
        char byte = 0;
        ASSERT_EQ(read(started[0], &byte, 1), 1);
        usleep(round * 137);
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        close(started[0]);
        close(started[1]);
        std::string text = tests::read_file(path);
        EXPECT_TRUE(text == one || text == two) << round << " " << text.size();
    }
}

TEST(LineDiff, IsWhatPatchTakes) {
    EXPECT_EQ(line_diff("f", "a\n", "a\n"), "");
    EXPECT_EQ(line_diff("f", "", "a\n"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
    EXPECT_EQ(line_diff("f", "a", "a\n"),
              "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
    std::string before;
    std::string after;
    for (int line = 1; line <= 30; ++line) {
        before += cat(line, "\n");
        after += line == 3 || line == 25 ? cat("x\n", line, "\n") : cat(line, "\n");
    }
    EXPECT_EQ(line_diff("f", before, after),
              "--- f\n+++ f\n@@ -1,5 +1,6 @@\n 1\n 2\n+x\n 3\n 4\n 5\n"
              "@@ -22,6 +23,7 @@\n 22\n 23\n 24\n+x\n 25\n 26\n 27\n");
}

TEST(Validate, SaysEverythingAtOnce) {
    tests::TemporaryDirectory directory;
    std::string path = directory.path("lb.toml");
    tests::write_file(path, "[project]\nname = 1\nnmae = 2\n");
    Outcome wrong = typed({"validate", "--spec", path});
    EXPECT_EQ(wrong.exit_code, 3);
    EXPECT_EQ(wrong.out, path + " has 2 errors\n");
    EXPECT_NE(wrong.error.find("LB0102"), std::string::npos);
    EXPECT_NE(wrong.error.find("LB0104"), std::string::npos);
    Outcome json = typed({"validate", "--spec", path, "--json"});
    EXPECT_EQ(json.exit_code, 3);
    Result<Json> document = Json::parse(json.out);
    ASSERT_TRUE(document.is_ok());
    EXPECT_FALSE(document->bool_at("valid").value());
    EXPECT_EQ(document->integer_at("error_count").value(), 2);
    EXPECT_EQ(document->array_at("diagnostics").value()->size(), 2U);
    EXPECT_EQ(json.error, "");
    tests::write_file(path, kTidy);
    Outcome right = typed({"validate", "--spec", path});
    EXPECT_EQ(right.exit_code, 0);
    EXPECT_EQ(right.out, path + " is valid\n");
}

TEST(Explain, KnowsEveryKindOfCode) {
    EXPECT_NE(typed({"explain", "LB0102"}).out.find("misspelt"), std::string::npos);
    EXPECT_EQ(typed({"explain", "102"}).out, typed({"explain", "lb0102"}).out);
    EXPECT_NE(typed({"explain", "LB0500"}).out.find("exit code 4"), std::string::npos);
    EXPECT_EQ(typed({"explain", "LB0999"}).exit_code, 64);
    EXPECT_EQ(typed({"explain", "what"}).exit_code, 64);
    EXPECT_NE(typed({"explain", "--json", "LB0102"}).out.find("\"example\""), std::string::npos);
}

}  // namespace
}  // namespace lb::cli
