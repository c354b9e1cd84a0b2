// Role and database changes, all or nothing, on a server that dies after every statement in turn.
#include <gtest/gtest.h>

#include "engine/sql.h"
#include "tests/engine/postgres_support.h"
#include "tests/engine/sql_branch_transaction_support.h"
#include "tests/engine/sql_proxy.h"

namespace lb::engine {
namespace {

using namespace std::chrono_literals;
using testing::BranchTransactionTest;
using testing::database_change;
using testing::extension_change;
using testing::kTransactionName;
using testing::login_role;
using testing::Picture;
using testing::picture;
using testing::query_text;
using testing::role_change;
using testing::schema_change;
using testing::SqlProxy;
using testing::TemporaryCluster;

class BranchTransactionCrash : public BranchTransactionTest {
protected:
    void SetUp() override {
        BranchTransactionTest::SetUp();
        make_before(cluster_.target());
        before_ = now();
        auto all = transaction(changes());
        LB_MUST(all->prepare());
        LB_MUST(all->commit());
        after_ = now();
        ASSERT_NE(before_, after_);
        LB_MUST(compute_->stop(30s));
    }

    static void make_before(const SqlTarget& target) {
        for (const char* sql :
             {"CREATE ROLE leaver LOGIN", "CREATE ROLE stayer", "CREATE ROLE plain",
              "CREATE DATABASE leaving OWNER leaver", "CREATE DATABASE staying OWNER leaver"}) {
            query_text(target, sql);
        }
        SqlTarget inside = target;
        inside.database = "leaving";
        query_text(inside, "CREATE TABLE public.t ()");
        query_text(inside, "ALTER TABLE public.t OWNER TO leaver");
        inside.database = "staying";
        query_text(inside, "CREATE SCHEMA going AUTHORIZATION leaver");
        query_text(inside, "CREATE EXTENSION hstore SCHEMA public");
    }

    static std::vector<ResourceChange> changes() {
        RoleAttributes app = login_role({"stayer"});
        app.settings = {{"work_mem", "8MB"}};
        app.password_verifier =
            "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            "AA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        return {role_change(ChangeKind::kCreate, "app", app),
                role_change(ChangeKind::kUpdate, "stayer", login_role()),
                role_change(ChangeKind::kDelete, "leaver"),
                role_change(ChangeKind::kDelete, "plain"),
                database_change(ChangeKind::kCreate, "shop", "app"),
                database_change(ChangeKind::kUpdate, "staying", "app"),
                database_change(ChangeKind::kDelete, "leaving"),
                schema_change(ChangeKind::kCreate, "shop", "inner", "app"),
                extension_change(ChangeKind::kCreate, "shop", "citext", {.schema = "inner"}),
                schema_change(ChangeKind::kCreate, "staying", "api", "app"),
                schema_change(ChangeKind::kDelete, "staying", "going"),
                extension_change(ChangeKind::kUpdate, "staying", "hstore", {.schema = "api"})};
    }

    enum class Phase { kPrepare, kCommit, kRollback };

    // Runs the transaction through `phase`, in which the server is killed after `statement`. Then
    // restarts it, settles as `is_committed` says and compares. False if the phase ended before.
    bool crash(Phase phase, int statement, bool is_committed) {
        TemporaryCluster cluster;
        auto compute = make_compute(cluster.options());
        LB_MUST(compute->start());
        make_before(cluster.target());

        bool has_crashed = false;
        SqlProxy proxy(cluster.target(), [&](int number) {
            if (number != statement) return true;
            has_crashed = true;
            compute->kill();
            return false;
        });
        if (phase != Phase::kPrepare) {
            LB_MUST(
                make_branch_transaction(cluster.target(), kTransactionName, changes())->prepare());
        }
        auto all = make_branch_transaction(proxy.target(), kTransactionName, changes());
        Status ended = phase == Phase::kPrepare  ? all->prepare()
                       : phase == Phase::kCommit ? all->commit()
                                                 : all->rollback();
        EXPECT_EQ(ended.is_ok(), !has_crashed);
        if (!has_crashed) return false;

        LB_MUST(compute->start());
        int asked = 0;
        LB_MUST(settle_transactions(cluster.target(), [&](std::string_view name) {
            EXPECT_EQ(name, kTransactionName);
            ++asked;
            return is_committed;
        }));
        bool is_after = phase == Phase::kCommit || (is_committed && asked == 1);
        EXPECT_EQ(picture(cluster.target()), is_after ? after_ : before_);
        EXPECT_EQ(query_text(cluster.target(is_after ? "shop" : "leaving"), "SELECT 1"), "1");
        return true;
    }

    int crash_everywhere(Phase phase, bool is_committed) {
        int statement = 1;
        while (crash(phase, statement, is_committed) && !HasFailure()) ++statement;
        return statement - 1;
    }

    Picture before_;
    Picture after_;
};

TEST_F(BranchTransactionCrash, DuringPrepare) {
    // No apply is committed before everything is prepared.
    int last = crash_everywhere(Phase::kPrepare, false);
    EXPECT_GT(last, 30);
    EXPECT_TRUE(crash(Phase::kPrepare, last, true));
}

TEST_F(BranchTransactionCrash, DuringCommit) {
    EXPECT_GT(crash_everywhere(Phase::kCommit, true), 3);
}

TEST_F(BranchTransactionCrash, DuringRollback) {
    EXPECT_GT(crash_everywhere(Phase::kRollback, false), 3);
}

}  // namespace
}  // namespace lb::engine
