// What tests of branch transactions have in common: changes, and pictures of all that they change.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "engine/sql.h"
#include "tests/engine/postgres_support.h"

namespace lb::engine::testing {

inline constexpr const char* kTransactionName = "lb-shop-7";

ResourceChange role_change(ChangeKind kind, const std::string& name,
                           RoleAttributes attributes = {});
ResourceChange database_change(ChangeKind kind, const std::string& name,
                               const std::string& owner = "");
ResourceChange schema_change(ChangeKind kind, const std::string& database, const std::string& name,
                             const std::string& owner = "");
ResourceChange extension_change(ChangeKind kind, const std::string& database,
                                const std::string& name, ExtensionValue value = {});
RoleAttributes login_role(std::vector<std::string> member_of = {});

// Everything that a transaction may change: what observe() shows, and what it hides.
struct Picture {
    Observation seen;
    std::string hidden;

    bool operator==(const Picture& other) const {
        return seen.roles == other.seen.roles && seen.databases == other.seen.databases &&
               hidden == other.hidden;
    }
};

Picture picture(const SqlTarget& target);
std::string text_of(const Picture& picture);
void PrintTo(const Picture& picture, std::ostream* out);

// A running server of its own for each test.
class BranchTransactionTest : public ::testing::Test {
protected:
    void SetUp() override { LB_MUST(compute_->start()); }

    std::unique_ptr<BranchTransaction> transaction(std::vector<ResourceChange> changes) {
        return make_branch_transaction(cluster_.target(), kTransactionName, std::move(changes));
    }
    void sql(const std::string& statement) { query_text(cluster_.target(), statement); }
    Picture now() { return picture(cluster_.target()); }
    void apply(std::vector<ResourceChange> changes) {
        auto all = transaction(std::move(changes));
        LB_MUST(all->prepare());
        LB_MUST(all->commit());
    }

    TemporaryCluster cluster_;
    std::unique_ptr<Compute> compute_ = make_compute(cluster_.options());
};

}  // namespace lb::engine::testing
