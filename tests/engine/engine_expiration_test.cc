// Branches whose time has come: which ones, and that they go by themselves.
#include "engine/project_expiration.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "tests/engine/engine_fixture.h"

namespace lb::engine {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'000'000}};

class ExpiredBranchesTest : public ::testing::Test {
protected:
    ExpiredBranchesTest() {
        project_.record = {.id = ProjectId{1}, .name = "shop", .default_branch = BranchId{1}};
        add(1, "main", 0);
        add(2, "a", 1);
        add(3, "b", 2);
        add(4, "c", 3);
    }
    void add(uint64_t id, const std::string& name, uint64_t parent) {
        project_.branches[name] = {
            .id = BranchId{id}, .name = name, .line = LineId{id}, .parent = BranchId{parent}};
        project_.branch_names[BranchId{id}] = name;
    }
    std::vector<std::string> expired() {
        std::vector<std::string> names;
        auto changes = expired_branches(project_, kNow);
        if (!changes) return names;
        for (const ResourceChange& change : changes->changes) {
            EXPECT_EQ(change.kind, ChangeKind::kDelete);
            names.push_back(change.address.branch);
        }
        EXPECT_EQ(changes->base_versions.size(), names.size());
        return names;
    }

    Project project_;
};

TEST_F(ExpiredBranchesTest, ThoseWhoseTimeHasCome) {
    EXPECT_TRUE(expired().empty());
    project_.branches["c"].expire_time = kNow + seconds{1};
    EXPECT_TRUE(expired().empty());
    project_.branches["c"].expire_time = kNow;
    EXPECT_EQ(expired(), std::vector<std::string>{"c"});
}

TEST_F(ExpiredBranchesTest, ChildrenGoBeforeTheirParents) {
    for (const char* name : {"a", "b", "c"}) project_.branches[name].expire_time = kNow;
    EXPECT_EQ(expired(), (std::vector<std::string>{"c", "b", "a"}));
}

TEST_F(ExpiredBranchesTest, AChildThatStaysKeepsItsAncestors) {
    project_.branches["a"].expire_time = kNow;
    project_.branches["c"].expire_time = kNow;
    EXPECT_EQ(expired(), std::vector<std::string>{"c"});
    project_.branches["c"].is_protected = true;
    EXPECT_TRUE(expired().empty());
}

TEST_F(ExpiredBranchesTest, TheDefaultBranchStays) {
    for (auto& [name, branch] : project_.branches) branch.expire_time = kNow;
    EXPECT_EQ(expired(), (std::vector<std::string>{"c", "b", "a"}));
}

class SetClock final : public Clock {
public:
    WallTime now() override { return WallTime{seconds{seconds_}}; }
    void advance(seconds by) { seconds_ += by.count(); }

private:
    std::atomic<int64_t> seconds_ = 1'800'000'000;
};

TEST(Expiration, BranchesGoByThemselves) {
    LB_NEEDS_ENGINE();
    std::string path = "/tmp/lb-expire-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    {
        SetClock clock;
        EngineHome home(path, &clock);
        LB_MUST(home.apply(
            new_project({create_branch("short", {.parent = "main", .ttl = seconds{60}}),
                         create_branch("long", {.parent = "main", .ttl = seconds{6000}})})));
        home.sql("short", "SELECT 1");  // with a server that must end
        auto names = [&] {
            std::vector<std::string> found;
            for (const auto& branch : home.state("shop", Observe::kNo).branches) {
                found.push_back(branch.name);
            }
            return join(found, " ");
        };
        auto eventually_names = [&](const std::string& expected) {
            for (int i = 0; i < 200 && names() != expected; ++i) {
                std::this_thread::sleep_for(std::chrono::milliseconds{50});
            }
            EXPECT_EQ(names(), expected);
        };
        EXPECT_EQ(names(), "long main short");
        clock.advance(seconds{59});
        std::this_thread::sleep_for(std::chrono::milliseconds{1500});
        EXPECT_EQ(names(), "long main short");
        clock.advance(seconds{1});
        eventually_names("long main");
        // What expires while the home is closed goes when it is open again.
        home.close();
        clock.advance(seconds{6000});
        home.open();
        eventually_names("main");

        // Both can be had back for seven days; an expiration that has passed is over.
        auto deleted_count = [&] {
            return home.state("shop", Observe::kNo).deleted_branches.size();
        };
        EXPECT_EQ(deleted_count(), 2u);
        EXPECT_EQ(home.store().lines().size(), 4u);
        clock.advance(std::chrono::days{6});
        ProjectState state = home.state("shop", Observe::kNo);
        LB_MUST(home.apply(change_set({undelete_branch(state, "long")})));
        EXPECT_FALSE(home.branch("long").expire_time);
        EXPECT_EQ(deleted_count(), 1u);
        home.close();
        clock.advance(std::chrono::days{2});
        home.open();
        for (int i = 0; i < 200 && deleted_count() > 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        EXPECT_EQ(deleted_count(), 0u);
        EXPECT_EQ(home.store().lines().size(), 3u);
        EXPECT_EQ(names(), "long main");
    }
    std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace lb::engine
