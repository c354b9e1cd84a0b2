#include "tests/engine/crash_matrix_script.h"

#include "tests/engine/engine_fixture.h"

namespace lb::engine {

namespace {

constexpr const char* kLiveBranches[] = {"main", "a", "b"};

}  // namespace

ChangeSet matrix_start() {
    std::vector<ResourceChange> changes = {create_branch("a"), create_branch("b", {.parent = "a"}),
                                           create_branch("old"),
                                           create_branch("older", {.parent = "old"})};
    for (const char* branch : {"a", "b"}) {
        changes.push_back(set_compute(branch, {.always_on = true}));
    }
    // Children have what their parents have, so each branch makes its own.
    for (std::string branch : kLiveBranches) {
        changes.push_back(create_role(branch, "owner_" + branch));
        changes.push_back(create_role(branch, "dropped_" + branch));
        changes.push_back(create_database(branch, "kept_" + branch, "owner_" + branch));
        changes.push_back(create_database(branch, "dropped_" + branch));
    }
    return new_project(std::move(changes));
}

ChangeSet matrix_changes() {
    std::vector<ResourceChange> changes;
    for (std::string branch : kLiveBranches) {
        changes.push_back(delete_role(branch, "dropped_" + branch));
        changes.push_back(delete_database(branch, "dropped_" + branch));
        changes.push_back(update_role(branch, "owner_" + branch, {.login = false}));
        changes.push_back(create_role(branch, "made_" + branch));
        changes.push_back(create_database(branch, "made_" + branch, "made_" + branch));
    }
    for (ResourceChange change :
         {create_branch("child"), create_branch("grandchild", {.parent = "child"}),
          create_role("grandchild", "inner"), delete_branch("older"), delete_branch("old"),
          update_branch("a", {.parent = "main", .is_protected = true}),
          set_compute("b", {.size_centi_cu = 50, .always_on = true})}) {
        changes.push_back(std::move(change));
    }
    return change_set(std::move(changes));
}

}  // namespace lb::engine
