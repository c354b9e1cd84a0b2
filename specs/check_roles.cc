#include <algorithm>
#include <array>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/cycle.h"
#include "specs/internal/draft.h"

namespace lb::specs {

namespace {

// PostgreSQL 15's predefined roles that may be granted. pg_database_owner may not.
constexpr std::array<std::string_view, 11> kPredefinedRoles = {
    "pg_checkpoint",        "pg_execute_server_program", "pg_monitor",
    "pg_read_all_data",     "pg_read_all_settings",      "pg_read_all_stats",
    "pg_read_server_files", "pg_signal_backend",         "pg_stat_scan_tables",
    "pg_write_all_data",    "pg_write_server_files"};
constexpr std::string_view kDatabaseOwner = "pg_database_owner";
constexpr std::string_view kSuperuser = "postgres";

class RoleChecker {
public:
    RoleChecker(SpecDraft& draft, Reporter& reporter) : draft_(draft), reporter_(reporter) {
        for (const RoleDraft& role : draft_.roles) names_.push_back(role.spec.name);
        candidates_ = names_;
        candidates_.insert(candidates_.end(), kPredefinedRoles.begin(), kPredefinedRoles.end());
        candidates_.push_back(kSuperuser);
    }

    void run() {
        for (const RoleDraft& role : draft_.roles) {
            check_memberships(role);
            check_password(role);
        }
        check_cycles();
        for (DatabaseDraft& database : draft_.databases) check_owner(database);
    }

private:
    bool exists(std::string_view name) const {
        return name == kSuperuser || std::binary_search(names_.begin(), names_.end(), name) ||
               std::find(kPredefinedRoles.begin(), kPredefinedRoles.end(), name) !=
                   kPredefinedRoles.end();
    }

    void report_unknown(std::string_view name, const Place& place) {
        std::string_view near = reporter_.suggest(name, candidates_);
        reporter_.error(codes::kUnknownRole, place,
                        cat("the role ", quoted(name), " is not in the spec"),
                        near.empty() ? "name a role of this spec, \"postgres\", or one of "
                                       "PostgreSQL's predefined pg_ roles"
                                     : cat("did you mean ", quoted(near), "?"));
    }

    void check_memberships(const RoleDraft& role) {
        for (const PlacedText& group : role.member_of) {
            if (group.text == kDatabaseOwner) {
                reporter_.error(codes::kMembershipNotAllowed, group.place,
                                "PostgreSQL allows no members in \"pg_database_owner\"",
                                "remove it; its member is the owner of the database");
            } else if (!exists(group.text)) {
                report_unknown(group.text, group.place);
            }
        }
    }

    void check_password(const RoleDraft& role) {
        if (!role.spec.password || role.spec.attributes.login) return;
        reporter_.warning(codes::kPasswordWithoutLogin, role.password_place,
                          cat("role ", quoted(role.spec.name), " has a password but cannot log in"),
                          "add login = true, or remove the password");
    }

    void check_owner(DatabaseDraft& database) {
        if (database.owner_place.line != 0) {
            check_owner_name(database.spec.owner, database.owner_place);
        }
        for (size_t index = 0; index < database.spec.schemas.size(); ++index) {
            SchemaSpec& schema = database.spec.schemas[index];
            const PlacedText& owner = database.schema_owners[index];
            schema.owner = owner.place.line == 0 ? database.spec.owner : owner.text;
            if (owner.place.line != 0) check_owner_name(schema.owner, owner.place);
        }
        std::sort(database.spec.schemas.begin(), database.spec.schemas.end(),
                  [](const auto& left, const auto& right) { return left.name < right.name; });
    }

    void check_owner_name(std::string& owner, const Place& place) {
        if (owner == kSuperuser) {
            owner.clear();  // which means the superuser
        } else if (owner != kDatabaseOwner && !exists(owner)) {
            report_unknown(owner, place);
        }
    }

    void check_cycles() {
        std::vector<std::vector<size_t>> groups(names_.size());
        for (size_t index = 0; index < names_.size(); ++index) {
            for (const std::string& group : draft_.roles[index].spec.attributes.member_of) {
                auto at = std::lower_bound(names_.begin(), names_.end(), group);
                if (at == names_.end() || *at != group) continue;
                groups[index].push_back(static_cast<size_t>(at - names_.begin()));
            }
        }
        for (const std::vector<size_t>& cycle : find_cycles(groups)) {
            std::string_view next = names_[cycle[cycle.size() > 1 ? 1 : 0]];
            const RoleDraft& first = draft_.roles[cycle.front()];
            auto item = std::find_if(first.member_of.begin(), first.member_of.end(),
                                     [&](const PlacedText& group) { return group.text == next; });
            reporter_.error(
                codes::kMembershipCycle, item->place,
                cycle.size() == 1
                    ? cat("role ", quoted(first.spec.name), " is a member of itself")
                    : cat("roles are members of each other: ", cycle_text(cycle, names_)),
                "remove one of these memberships");
        }
    }

    SpecDraft& draft_;
    Reporter& reporter_;
    std::vector<std::string_view> names_ = {};  // sorted
    std::vector<std::string_view> candidates_ = {};
};

}  // namespace

void check_roles_and_databases(SpecDraft& draft, Reporter& reporter) {
    RoleChecker(draft, reporter).run();
}

}  // namespace lb::specs
