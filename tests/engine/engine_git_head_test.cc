// HEAD's commit of real git repositories.
#include "engine/git_head.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace lb::engine {
namespace {

class GitHeadTest : public ::testing::Test {
protected:
    GitHeadTest() {
        std::string path = "/tmp/lb-git-XXXXXX";
        LB_ASSERT(::mkdtemp(path.data()) != nullptr);
        directory_ = path;
    }
    ~GitHeadTest() override { std::filesystem::remove_all(directory_); }

    void git(const std::string& arguments) {
        std::string command = cat("cd ", directory_,
                                  " && GIT_CONFIG_GLOBAL=/dev/null git -c user.name=t "
                                  "-c user.email=t@localhost -c init.defaultBranch=trunk ",
                                  arguments, " >git.out 2>&1");
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }
    std::string git_output(const std::string& arguments) {
        git(arguments);
        std::ifstream file(directory_ + "/git.out");
        std::string line;
        std::getline(file, line);
        return line;
    }

    std::string directory_;
};

TEST_F(GitHeadTest, NoRepositoryIsNoError) {
    EXPECT_EQ(LB_MUST(head_commit(directory_)), std::nullopt);
    EXPECT_EQ(LB_MUST(head_commit(directory_ + "/does/not/exist")), std::nullopt);
}

TEST_F(GitHeadTest, ARepositoryWithoutACommitHasNone) {
    git("init");
    EXPECT_EQ(LB_MUST(head_commit(directory_)), std::nullopt);
}

TEST_F(GitHeadTest, TheCommitOfTheBranchOrOfADetachedHead) {
    git("init");
    git("commit --allow-empty -m one");
    std::string first = git_output("rev-parse HEAD");
    ASSERT_EQ(first.size(), 40u);
    EXPECT_EQ(LB_MUST(head_commit(directory_)), first);
    git("commit --allow-empty -m two");
    EXPECT_NE(LB_MUST(head_commit(directory_)), first);
    git("checkout --detach HEAD~1");
    EXPECT_EQ(LB_MUST(head_commit(directory_)), first);
    std::filesystem::create_directories(directory_ + "/deep/below");
    EXPECT_EQ(LB_MUST(head_commit(directory_ + "/deep/below")), first);
}

TEST_F(GitHeadTest, ADamagedRepositoryIsAnError) {
    git("init");
    git("commit --allow-empty -m one");
    std::ofstream(directory_ + "/.git/HEAD") << "nonsense\n";
    auto head = head_commit(directory_);
    ASSERT_FALSE(head.is_ok());
    EXPECT_EQ(head.error().code, ErrorCode::kGitFailed);
}

}  // namespace
}  // namespace lb::engine
