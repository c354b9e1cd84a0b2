// ChangeNeeds: which changes of a plan cannot be carried out without which others of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "planner/plan.h"

namespace lb::planner {

class ChangeNeeds {
public:
    // Both must outlive it and stay as they are.
    ChangeNeeds(const std::vector<PlannedChange>& changes, const ProjectState& live);

    // Indexes of the changes that the one at `index` needs itself; in no order, once or more often.
    std::vector<size_t> of(size_t index) const;

private:
    void add_if_planned(const Address& address, std::vector<size_t>& needs) const;
    void add_if_created(const Address& address, std::vector<size_t>& needs) const;
    void add_needs_of_branch(const ResourceChange& change, std::vector<size_t>& needs) const;
    void add_needs_of_role(const ResourceChange& change, std::vector<size_t>& needs) const;
    void add_needs_of_content(const ResourceChange& change, std::vector<size_t>& needs) const;
    void add_extensions_in(const Address& schema, std::vector<size_t>& needs) const;
    void add_owned(const Address& role, std::vector<size_t>& needs) const;
    void add_memberships(const Address& role, std::vector<size_t>& needs) const;
    std::vector<std::string> groups_of(const Address& role) const;
    void add_deleted_children(const std::string& branch, std::vector<size_t>& needs) const;

    const std::vector<PlannedChange>& changes_;
    const ProjectState& live_;
    std::map<Address, size_t> by_address_;
    std::map<std::string, std::vector<size_t>, std::less<>> deleted_children_;  // by live parent
};

}  // namespace lb::planner
