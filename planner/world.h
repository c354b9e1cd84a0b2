// World: what there is before a plan and what there will be after it. Ordering and rules ask it; it
// keeps copies of what it needs of the changes, so that they may be moved about meanwhile.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "planner/branch_tree.h"
#include "planner/role_order.h"

namespace lb::planner {

class World {
public:
    // `live` must outlive the world.
    World(const ProjectState& live, const std::vector<PlannedChange>& changes);

    const ProjectState& live() const { return live_; }
    const BranchTree& tree() const { return tree_; }

    bool is_created(const Address& address) const { return created_.contains(address); }
    bool is_deleted(const Address& address) const { return deleted_.contains(address); }

    // Roles and databases of the branch are known from the live state.
    bool is_observed(std::string_view branch) const;
    // Whether it exists now. Of roles and databases: in an observed branch that the plan touches.
    bool exists(const Address& address) const;
    bool will_have_branch(const std::string& branch) const;
    // Sorted.
    const std::vector<std::string>& children_after(std::string_view branch) const;
    // True too where nobody can tell: in branches that inherit, or were not observed.
    bool will_have_role(const std::string& branch, const std::string& role) const;
    // Likewise.
    bool will_have_database(const std::string& branch, const std::string& database) const;
    // Likewise; an empty name is some schema. `database`: its address.
    bool will_have_schema(const Address& database, const std::string& schema) const;
    // Databases, or schemas ("shop.api"), that the role will own when the plan is through; sorted.
    std::vector<std::string> owned_after(const Address& role, ResourceKind kind) const;
    // Extensions that will be in the schema when the plan is through; sorted.
    std::vector<std::string> extensions_after(const Address& schema) const;
    // nullptr if the plan changes no role of the branch.
    const RoleOrder* role_order(std::string_view branch) const;

private:
    void collect_contents(const std::vector<PlannedChange>& changes);
    // By address: who owns a database or schema, which schema an extension is in.
    struct Belongings {
        std::map<Address, std::string> owners;
        std::map<Address, std::string> schemas;
    };
    void collect_live(const BranchState& branch, Belongings& belongings);
    void collect_changed(const ResourceChange& change, Belongings& belongings);
    void index(const Belongings& belongings);
    // Of roles, databases and schemas.
    bool will_have_content(const Address& address) const;

    const ProjectState& live_;
    BranchTree tree_;
    std::set<Address> created_;
    std::set<Address> deleted_;
    std::map<std::string, std::vector<std::string>, std::less<>> children_after_;
    std::set<Address> contents_;  // live roles, databases, and what is inside of them
    std::map<std::pair<Address, ResourceKind>, std::vector<std::string>> owned_after_;  // by role
    std::map<Address, std::vector<std::string>> extensions_after_;                      // by schema
    std::map<std::string, RoleOrder, std::less<>> role_orders_;
};

}  // namespace lb::planner
