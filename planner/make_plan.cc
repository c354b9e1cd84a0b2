// The diff of a spec and the live state. It only finds out what differs; whether a change may be
// carried out is up to rules.cc, and when, up to change_order.cc.
#include <algorithm>

#include "base/pattern.h"
#include "base/text.h"
#include "planner/attributes.h"
#include "planner/finish.h"
#include "planner/rules.h"
#include "planner/select.h"

namespace lb::planner {

namespace {

template <class Item>
std::vector<const Item*> sorted_by_name(const std::vector<Item>& items) {
    std::vector<const Item*> sorted;
    sorted.reserve(items.size());
    for (const Item& item : items) sorted.push_back(&item);
    std::ranges::sort(sorted, {},
                      [](const Item* item) -> const std::string& { return item->name; });
    return sorted;
}

// Calls `visit(wanted, live)` once for each name, in order of names; the one that is missing is
// null.
template <class Wanted, class Live, class Visit>
void merge_by_name(const std::vector<Wanted>& wanted_items, const std::vector<Live>& live_items,
                   Visit visit) {
    std::vector<const Wanted*> wanted = sorted_by_name(wanted_items);
    std::vector<const Live*> live = sorted_by_name(live_items);
    size_t w = 0;
    size_t l = 0;
    while (w < wanted.size() || l < live.size()) {
        int order = w == wanted.size() ? 1
                    : l == live.size() ? -1
                                       : wanted[w]->name.compare(live[l]->name);
        visit(order <= 0 ? wanted[w] : nullptr, order >= 0 ? live[l] : nullptr);
        if (order <= 0) ++w;
        if (order >= 0) ++l;
    }
}

std::string owner_or_superuser(const std::string& owner) {
    return owner.empty() ? std::string(kSuperuser) : owner;
}

class SpecDiff {
public:
    SpecDiff(const specs::ProjectSpec& spec, const ProjectState& live, Plan& plan)
        : spec_(spec), live_(live), plan_(plan) {}

    void run() {
        // With another default branch, the roles and databases of the spec would be compared with
        // those of the wrong branch. The plan is refused anyway.
        if (live_.exists && spec_.default_branch != live_.default_branch) {
            diff_project();
            return;
        }
        diff_project();
        merge_by_name(spec_.branches, live_.branches,
                      [&](auto* wanted, auto* live) { diff_branch(wanted, live); });
        // What roles and databases there are at the other moment nobody knows yet; the next plan
        // compares them.
        if (is_default_restored_) return;
        static const BranchState kNothing;
        const BranchState* found = live_.find_branch(spec_.default_branch);
        LB_ASSERT(found == nullptr || found->is_observed);
        const BranchState& contents = found == nullptr ? kNothing : *found;
        merge_by_name(spec_.roles, contents.roles,
                      [&](auto* wanted, auto* live) { diff_role(wanted, live); });
        merge_by_name(spec_.databases, contents.databases,
                      [&](auto* wanted, auto* live) { diff_database(wanted, live); });
    }

private:
    void diff_project();
    void diff_branch(const specs::BranchSpec* wanted, const BranchState* live);
    void diff_compute(const specs::BranchSpec& wanted, const BranchState* live);
    void diff_role(const specs::RoleSpec* wanted, const RoleState* live);
    void diff_database(const specs::DatabaseSpec* wanted, const DatabaseState* live);
    void diff_contents(const specs::DatabaseSpec& wanted, const DatabaseState& live);
    void diff_schema(const std::string& database, const specs::SchemaSpec* wanted,
                     const SchemaState* live);
    void diff_extension(const std::string& database, const specs::ExtensionSpec* wanted,
                        const ExtensionState* live);

    void create(Address address, ResourceValue value, const specs::Span& span);
    // `origin` of the live resource: one that did not come from a spec is adopted. nullptr if
    // nothing differs.
    PlannedChange* update(Address address, const ResourceValue& before, ResourceValue after,
                          Origin origin, const specs::Span& span);
    // Deletes or forgets what came from a spec; leaves the rest alone and returns nullptr.
    PlannedChange* remove(Address address, const ResourceValue& before, Origin origin);

    const specs::ProjectSpec& spec_;
    const ProjectState& live_;
    Plan& plan_;
    bool is_default_restored_ = false;
};

void SpecDiff::create(Address address, ResourceValue value, const specs::Span& span) {
    PlannedChange planned;
    planned.diffs = diffs_of_create(value);
    planned.change = {.address = std::move(address), .value = std::move(value)};
    planned.span = span;
    plan_.changes.push_back(std::move(planned));
}

PlannedChange* SpecDiff::update(Address address, const ResourceValue& before, ResourceValue after,
                                Origin origin, const specs::Span& span) {
    if (before == after && origin == Origin::kSpec) {
        ++plan_.summary.unchanged_count;
        return nullptr;
    }
    PlannedChange planned;
    planned.reason = Reason::kChangedInSpec;
    planned.diffs = diffs_of_update(before, after);
    if (origin != Origin::kSpec) {
        planned.diffs.push_back(AttributeDiff{.name = "origin",
                                              .before = std::string(to_text(origin)),
                                              .after = std::string(to_text(Origin::kSpec))});
    }
    planned.change = {
        .address = std::move(address), .kind = ChangeKind::kUpdate, .value = std::move(after)};
    planned.span = span;
    plan_.changes.push_back(std::move(planned));
    return &plan_.changes.back();
}

PlannedChange* SpecDiff::remove(Address address, const ResourceValue& before, Origin origin) {
    if (origin != Origin::kSpec) {
        plan_.unmanaged.push_back({.address = std::move(address), .origin = origin});
        return nullptr;
    }
    PlannedChange planned;
    auto forgotten = std::ranges::find(spec_.forgotten, address, &specs::ForgetSpec::address);
    if (forgotten != spec_.forgotten.end()) {
        planned.reason = Reason::kForgottenInSpec;
        planned.change = {.address = std::move(address), .kind = ChangeKind::kForget};
        planned.span = forgotten->span;
        plan_.changes.push_back(std::move(planned));
        return nullptr;
    }
    planned.reason = Reason::kNoLongerInSpec;
    planned.diffs = diffs_of_delete(before);
    planned.risk = risk_of_delete(address);
    planned.change = {.address = std::move(address), .kind = ChangeKind::kDelete};
    plan_.changes.push_back(std::move(planned));
    return &plan_.changes.back();
}

void SpecDiff::diff_project() {
    ProjectValue wanted{.pg_version = spec_.pg_version,
                        .default_branch = spec_.default_branch,
                        .history_retention = spec_.history_retention,
                        .settings = spec_.settings};
    if (!live_.exists) {
        create(Address::project(), std::move(wanted), spec_.span);
        return;
    }
    bool restarts = wanted.settings != live_.settings;
    auto* updated =
        update(Address::project(), value_of(live_), std::move(wanted), Origin::kSpec, spec_.span);
    if (updated != nullptr && restarts) updated->risk = Risk::kRestartsCompute;
}

void SpecDiff::diff_branch(const specs::BranchSpec* wanted, const BranchState* live) {
    if (wanted == nullptr) {
        auto* removed = remove(Address::of_branch(live->name), value_of(*live), live->origin);
        if (removed != nullptr) removed->deleted_bytes = live->own_bytes;
        return;
    }
    BranchValue after{.parent = wanted->parent,
                      .requested_at = wanted->at,
                      .is_protected = wanted->is_protected,
                      .expire_time = wanted->expire_time,
                      .ttl = wanted->ttl,
                      .history_retention = wanted->history_retention,
                      .restore = wanted->restore};
    Address address = Address::of_branch(wanted->name);
    if (live == nullptr) {
        create(std::move(address), std::move(after), wanted->span);
    } else {
        // A restore that was carried out is over, whether the spec still names it or not.
        if (!after.restore) after.restore = live->restore;
        bool is_restore = after.restore != live->restore;
        auto* updated = update(std::move(address), value_of(*live), std::move(after), live->origin,
                               is_restore ? wanted->restore_span : wanted->span);
        if (is_restore) {
            updated->change.kind = ChangeKind::kRestore;
            updated->risk = Risk::kRestartsCompute;
            is_default_restored_ |= wanted->name == spec_.default_branch;
        }
    }
    diff_compute(*wanted, live);
}

// A branch that is deleted takes its compute along, so only wanted branches come here.
void SpecDiff::diff_compute(const specs::BranchSpec& wanted, const BranchState* live) {
    bool is_default = wanted.name == spec_.default_branch;
    bool is_on = wanted.compute.has_value() || is_default;
    bool is_named = is_on || !wanted.settings.empty();
    static const ComputeSettings kUsual;
    if (!is_named && (live == nullptr || live->compute.settings == kUsual)) return;
    ComputeSettings after = wanted.compute.value_or(kUsual);
    after.always_on |= is_on;
    after.settings = wanted.settings;
    const specs::Span& span = wanted.compute ? wanted.compute_span : wanted.span;
    Address address = Address::of_compute(wanted.name);
    if (live == nullptr) {
        create(std::move(address), std::move(after), span);
        return;
    }
    const ComputeSettings& before = live->compute.settings;
    Risk risk = risk_of_update(before, after);
    auto* updated = update(std::move(address), before, std::move(after), Origin::kSpec, span);
    if (updated != nullptr) updated->risk = risk;
}

void SpecDiff::diff_role(const specs::RoleSpec* wanted, const RoleState* live) {
    LB_ASSERT(wanted != nullptr || live != nullptr);
    Address address = Address::of_role(spec_.default_branch, wanted ? wanted->name : live->name);
    if (wanted == nullptr) {
        remove(std::move(address), RoleValue{live->attributes}, live->origin);
    } else if (live == nullptr) {
        create(std::move(address), RoleValue{wanted->attributes}, wanted->span);
    } else {
        update(std::move(address), RoleValue{live->attributes}, RoleValue{wanted->attributes},
               live->origin, wanted->span);
    }
}

void SpecDiff::diff_database(const specs::DatabaseSpec* wanted, const DatabaseState* live) {
    LB_ASSERT(wanted != nullptr || live != nullptr);
    Address address =
        Address::of_database(spec_.default_branch, wanted ? wanted->name : live->name);
    if (wanted == nullptr) {
        remove(std::move(address), value_of(*live), live->origin);
        return;
    }
    DatabaseValue after{.owner = owner_or_superuser(wanted->owner),
                        .connection_limit = wanted->connection_limit,
                        .encoding = wanted->encoding,
                        .locale = wanted->locale,
                        .template_name = wanted->template_name,
                        .settings = wanted->settings};
    static const DatabaseState kEmpty;
    if (live == nullptr) {
        create(std::move(address), std::move(after), wanted->span);
    } else {
        // What counts only when it is made.
        if (after.encoding.empty()) after.encoding = live->encoding;
        if (after.locale.empty()) after.locale = live->locale;
        after.template_name.clear();
        update(std::move(address), value_of(*live), std::move(after), live->origin, wanted->span);
    }
    diff_contents(*wanted, live == nullptr ? kEmpty : *live);
}

// Of a database that is deleted, or not the spec's, what is inside is nobody's concern.
void SpecDiff::diff_contents(const specs::DatabaseSpec& wanted, const DatabaseState& live) {
    merge_by_name(wanted.schemas, live.schemas,
                  [&](auto* schema, auto* present) { diff_schema(wanted.name, schema, present); });
    merge_by_name(wanted.extensions, live.extensions, [&](auto* extension, auto* present) {
        diff_extension(wanted.name, extension, present);
    });
}

void SpecDiff::diff_schema(const std::string& database, const specs::SchemaSpec* wanted,
                           const SchemaState* live) {
    Address address =
        Address::of_schema(spec_.default_branch, database, wanted ? wanted->name : live->name);
    if (wanted == nullptr) {
        remove(std::move(address), value_of(*live), live->origin);
        return;
    }
    SchemaValue after{owner_or_superuser(wanted->owner)};
    if (live == nullptr) {
        create(std::move(address), std::move(after), wanted->span);
    } else {
        update(std::move(address), value_of(*live), std::move(after), live->origin, wanted->span);
    }
}

void SpecDiff::diff_extension(const std::string& database, const specs::ExtensionSpec* wanted,
                              const ExtensionState* live) {
    Address address =
        Address::of_extension(spec_.default_branch, database, wanted ? wanted->name : live->name);
    if (wanted == nullptr) {
        remove(std::move(address), value_of(*live), live->origin);
        return;
    }
    ExtensionValue after{.schema = wanted->schema, .version = wanted->version};
    if (live == nullptr) {
        create(std::move(address), std::move(after), wanted->span);
        return;
    }
    if (after.schema.empty()) after.schema = live->schema;
    if (after.version.empty()) after.version = live->version;
    update(std::move(address), value_of(*live), std::move(after), live->origin, wanted->span);
}

void forbid(PlannedChange& planned, const specs::PolicySpec& policy) {
    const std::string address = to_text(planned.change.address);
    for (const specs::ForbidRule& rule : policy.forbid) {
        bool is_meant = !rule.kind || *rule.kind == planned.change.kind;
        if (!is_meant || !matches_pattern(rule.pattern, address)) continue;
        refuse(planned, Refusal::kForbidden, cat("policy forbids ", quoted(rule.text)),
               cat("leave ", address, " as it is, or change the rule at ", rule.span.file, ":",
                   rule.span.line));
    }
}

}  // namespace

Plan make_plan(const specs::ProjectSpec& spec, const ProjectState& live) {
    return LB_MUST(make_plan(spec, live, Selection{}));  // nothing in it that could be wrong
}

Result<Plan> make_plan(const specs::ProjectSpec& spec, const ProjectState& live,
                       const Selection& selection) {
    LB_ASSERT(!live.exists || live.name == spec.name);
    Plan plan;
    plan.project = spec.name;
    SpecDiff(spec, live, plan).run();
    LB_TRY(select_changes(plan, live, selection));
    for (PlannedChange& planned : plan.changes) forbid(planned, spec.policy);
    finish_plan(plan, live);
    return plan;
}

}  // namespace lb::planner
