#include "tests/engine/crash_picture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"

namespace lb::engine {

std::string picture(EngineHome& home) {
    std::string text;
    for (const std::string& project : home.engine().projects()) {
        ProjectState state = home.state(project);
        text += cat(project, " generation ", state.generation.value(), " default ",
                    state.default_branch, "\n");
        for (const DeletedBranchState& branch : state.deleted_branches) {
            text += cat("deleted ", branch.name, " of ", branch.parent, "\n");
        }
        for (const BranchState& branch : state.branches) {
            text += cat("branch ", branch.name, " from ", branch.parent, " version ",
                        branch.version.value(), branch.is_protected ? " protected" : "", " size ",
                        branch.compute.settings.size_centi_cu, "\n");
            for (const RoleState& role : branch.roles) {
                text += cat("  seen role ", role.name, " ", to_text(role.origin), "\n");
            }
            for (const DatabaseState& database : branch.databases) {
                text += cat("  seen database ", database.name, " of ", database.owner, "\n");
                for (const SchemaState& schema : database.schemas) {
                    text += cat("    schema ", schema.name, " of ", schema.owner, " ",
                                to_text(schema.origin), "\n");
                }
                for (const ExtensionState& extension : database.extensions) {
                    text += cat("    extension ", extension.name, " in ", extension.schema, " ",
                                to_text(extension.origin), "\n");
                }
            }
            text +=
                cat("  roles ", home.sql(branch.name, kRoles, "postgres", project),
                    "\n  databases ", home.sql(branch.name, kDatabases, "postgres", project), "\n");
            EXPECT_EQ(home.sql(branch.name, "SELECT count(*) FROM pg_prepared_xacts", "postgres",
                               project),
                      "0");
        }
    }
    return text;
}

size_t named_lines(EngineHome& home) {
    size_t count = 1;  // the template
    for (const std::string& project : home.engine().projects()) {
        ProjectState state = home.state(project, Observe::kNo);
        count += state.branches.size() + state.deleted_branches.size();
    }
    return count;
}

CrashDirectory::CrashDirectory() {
    std::string path = "/tmp/lb-crash-XXXXXX";
    LB_ASSERT(::mkdtemp(path.data()) != nullptr);
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    path_ = path;
}

CrashDirectory::~CrashDirectory() {
    // A killed process leaves its mount; most have been mounted anew and closed since.
    std::string command = cat("fusermount3 -u -z -q ", path_, "/mnt 2>/dev/null");
    [[maybe_unused]] int not_mounted = std::system(command.c_str());
    std::filesystem::remove_all(path_);
}

void CrashDirectory::copy_store_from(const CrashDirectory& other) const {
    std::filesystem::remove_all(path_ + "/store");
    std::string command = cat("cp -a --sparse=always ", other.path_, "/store ", path_, "/store");
    LB_ASSERT(std::system(command.c_str()) == 0);
}

}  // namespace lb::engine
