// Branches at random positions of a history in which pgbench ran together with everything that
// changes files: tables created, cut, rewritten and dropped, indexes built, subtransactions,
// two-phase commits, databases created and dropped. Each branch must start, be whole for
// pg_checksums and pg_amcheck, satisfy pgbench's invariants, and show exactly what its clients'
// records say for that position.
//
//   LB_POSITIONS=1000   how many (default 10)
//   LB_SEED=...         choices of clients and positions; the interleaving is PostgreSQL's
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "engine/process_spawn.h"
#include "tests/engine/campaign_clients.h"
#include "tests/engine/engine_fixture.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine {
namespace {

using testing::DatabaseClient;
using testing::TableClient;

constexpr int kTableClients = 3;

uint64_t number_from(const char* variable, uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class PositionCampaign : public ::testing::Test {
protected:
    void SetUp() override {
        LB_NEEDS_ENGINE();
        home_.emplace();
        LB_MUST(home_->apply(new_project()));
        home_->sql("main", TableClient::schema());
        home_->sql("main", "CREATE DATABASE seed");
        home_->sql("main",
                   cat("CREATE TABLE seeds AS SELECT generate_series(1, ",
                       DatabaseClient::kSeedRows, ") AS n"),
                   "seed");
        run_tool("main", {"pgbench", "-i", "-q", "-s", "2", "postgres"});
    }

    // A program of PostgreSQL against a branch's server; it must succeed.
    void run_tool(const std::string& branch, std::vector<std::string> arguments) {
        Connection server = LB_MUST(home_->engine().connect("shop", branch));
        arguments[0] = server.program_directory + "/" + arguments[0];
        std::vector<std::string> environment = clean_environment();
        environment.push_back("PGHOST=" + server.socket_directory);
        environment.push_back("PGPORT=" + std::to_string(server.port));
        environment.push_back("PGUSER=postgres");
        ProgramOutput output =
            LB_MUST(run_program({.arguments = std::move(arguments), .environment = environment}));
        EXPECT_EQ(output.wait_status, 0) << output.text;
    }

    std::unique_ptr<SqlSession> session(const std::string& branch, const std::string& database) {
        Connection server = LB_MUST(home_->engine().connect("shop", branch));
        auto made = SqlSession::connect({.socket_directory = server.socket_directory,
                                         .port = server.port,
                                         .database = database});
        if (!made) {
            ADD_FAILURE() << database << ": " << to_text(made.error());
            return nullptr;
        }
        LB_MUST((*made)->query("SET search_path TO public"));
        return std::move(*made);
    }

    void run_load(uint64_t seconds) {
        testing::PositionNow now = [this] { return home_->store().position().value(); };
        for (int i = 0; i < kTableClients; ++i) {
            clients_.push_back(
                std::make_unique<TableClient>(i, random_(), session("main", "postgres"), now));
        }
        databases_.emplace(random_(), session("main", "postgres"), now);
        first_ = now();
        run_tool("main", {"pgbench", "-n", "-c", "3", "-T", std::to_string(seconds), "postgres"});
        last_ = now();
        for (auto& client : clients_) client->stop();
        databases_->stop();
    }

    // Every second one in the middle of something that a client did.
    uint64_t pick_position() {
        auto between = [&](uint64_t from, uint64_t to) {
            return from + random_() % (to - from + 1);
        };
        uint64_t kind = random_() % 8;
        if (kind >= 4) return between(first_, last_);
        if (kind == 3 && !databases_->databases().empty()) {
            const auto& all = databases_->databases();
            const testing::RecordedDatabase& database = all[random_() % all.size()];
            return between(database.create_begun, database.create_acknowledged);
        }
        const auto& all = clients_[random_() % clients_.size()]->transactions();
        if (all.empty()) return between(first_, last_);
        const testing::RecordedTransaction& transaction = all[random_() % all.size()];
        return between(transaction.begun, transaction.acknowledged);
    }

    void check_position(uint64_t position, const std::string& branch) {
        LB_MUST(home_->apply(change_set({create_branch(
            branch, {.parent = "main", .requested_at = cat("position:", position)})})));
        {
            std::unique_ptr<SqlSession> inside = session(branch, "postgres");
            ASSERT_NE(inside, nullptr);
            bool commits = random_() % 2 == 0;
            for (const auto& client : clients_) client->check(*inside, position, commits);
            databases_->check(
                *inside, [&](const std::string& name) { return session(branch, name); }, position);
            EXPECT_EQ(
                testing::query_text(
                    *inside,
                    "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = coalesce(sum(delta), 0) "
                    "AND (SELECT sum(bbalance) FROM pgbench_branches) = coalesce(sum(delta), 0) "
                    "AND (SELECT sum(tbalance) FROM pgbench_tellers) = coalesce(sum(delta), 0) "
                    "FROM pgbench_history"),
                "t");
        }
        if (HasFailure()) return;
        run_tool(branch, {"pg_amcheck", "--all", "--install-missing", "--heapallindexed"});
        LB_MUST(home_->engine().stop_compute("shop", branch));
        check_checksums(cat(home_->mount_directory(), "/", home_->branch(branch).line.value()));
        LB_MUST(home_->apply(change_set({purge_branch(branch)})));
    }

    static void check_checksums(const std::string& directory) {
        ProcessOptions options{
            .arguments = {testing::test_postgres().program_directory + "/pg_checksums", "--check",
                          "-D", directory},
            .environment = clean_environment()};
        std::string user = testing::test_postgres_user();
        if (!user.empty()) options.user = LB_MUST(find_user(user));
        ProgramOutput output = LB_MUST(run_program(options));
        EXPECT_EQ(output.wait_status, 0) << output.text;
    }

    uint64_t seed_ = number_from("LB_SEED", std::random_device{}());
    std::mt19937_64 random_{seed_};
    std::optional<EngineHome> home_;
    std::vector<std::unique_ptr<TableClient>> clients_;
    std::optional<DatabaseClient> databases_;
    uint64_t first_ = 0;
    uint64_t last_ = 0;
};

TEST_F(PositionCampaign, EveryPositionIsABranchPoint) {
    uint64_t count = number_from("LB_POSITIONS", 10);
    SCOPED_TRACE(cat("LB_SEED=", seed_));
    run_load(8 + count / 20);
    if (HasFailure()) return;
    LB_MUST(home_->engine().stop_compute("shop", "main"));
    size_t transactions = 0;
    for (const auto& client : clients_) transactions += client->transactions().size();
    std::printf("%zu transactions and %zu databases recorded in positions %lu to %lu\n",
                transactions, databases_->databases().size(), first_, last_);
    for (uint64_t i = 0; i < count && !HasFailure(); ++i) {
        if (i == count / 2) home_->reopen();
        uint64_t position = pick_position();
        SCOPED_TRACE(cat("position ", position));
        check_position(position, cat("at-", i));
        if (i % 50 == 49) std::printf("%lu positions checked\n", i + 1);
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace lb::engine
