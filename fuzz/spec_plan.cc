// Two specs and what happens between their applies, drawn from the input's bytes; then the laws of
// docs/planning.md: the plan of the second one is a function of its input, survives its way to the
// daemon, can be rendered, and, unless something of it is refused, leads to what the spec says, so
// that there is nothing more to do.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "planner/render.h"
#include "specs/spec_reader.h"
#include "tests/planner/support/model.h"

namespace {

using namespace lb;

const std::vector<std::string> kBranches = {"a", "b", "c/d", "e.f"};
const std::vector<std::string> kRoles = {"app", "Reader", "r 1"};
const std::vector<std::string> kDatabases = {"shop", "My Data"};

// Zeros when there is no more, so that a short input is a small case.
class Draws {
public:
    Draws(const uint8_t* data, size_t size) : data_(data), size_(size) {}

    size_t below(size_t limit) { return at_ < size_ ? data_[at_++] % limit : 0; }
    bool flip() { return below(2) == 1; }
    const std::string& of(const std::vector<std::string>& names) {
        return names[below(names.size())];
    }

private:
    const uint8_t* data_;
    size_t size_;
    size_t at_ = 0;
};

void add_branches(Draws& draws, std::string& text) {
    for (const std::string& name : kBranches) {
        if (draws.flip()) continue;
        text += cat("[branches.", quoted(name), "]\n");
        if (draws.flip()) text += cat("parent = ", quoted(draws.of(kBranches)), "\n");
        switch (draws.below(6)) {
            case 1: text += "protected = true\n"; break;
            case 2: text += "ttl = \"2d\"\n"; break;
            case 3: text += "expire_time = 2030-01-01T00:00:00Z\n"; break;
            case 4: text += "at = \"position:3\"\n"; break;
            case 5: text += "compute = { min_cu = 0.5 }\nhistory_retention = \"1d\"\n"; break;
            default: break;
        }
    }
}

void add_contents(Draws& draws, std::string& text) {
    for (const std::string& name : kRoles) {
        if (draws.flip()) continue;
        text += cat("[roles.", quoted(name), "]\n");
        if (draws.flip()) text += "login = true\nconnection_limit = 3\n";
        if (draws.flip()) text += cat("member_of = [", quoted(draws.of(kRoles)), "]\n");
    }
    for (const std::string& name : kDatabases) {
        if (draws.flip()) continue;
        text += cat("[databases.", quoted(name), "]\n");
        if (draws.flip()) text += cat("owner = ", quoted(draws.of(kRoles)), "\n");
    }
}

void add_forgets(Draws& draws, std::string& text) {
    auto add = [&](const Address& address) {
        if (draws.below(4) == 1) {
            text += cat("[[forget]]\naddress = ", quoted(to_text(address)), "\n");
        }
    };
    for (const std::string& name : kBranches) add(Address::of_branch(name));
    for (const std::string& name : kRoles) add(Address::of_role("main", name));
    for (const std::string& name : kDatabases) add(Address::of_database("main", name));
}

// nullopt for what read_spec() refuses.
std::optional<specs::ProjectSpec> draw_spec(Draws& draws) {
    std::string text = "[project]\nname = \"shop\"\n";
    if (draws.flip()) text += "history_retention = \"3d\"\n";
    if (draws.below(4) == 1) text += "[policy]\nforbid = [\"delete branch.a\", \"* role.*\"]\n";
    add_branches(draws, text);
    add_contents(draws, text);
    add_forgets(draws, text);
    specs::DiagnosticSink sink;
    return specs::read_spec(text, "lb.toml", sink);
}

// What commands and people do between two applies.
void disturb(Draws& draws, ProjectState& live) {
    for (BranchState& branch : live.branches) {
        switch (draws.below(8)) {
            case 1:
                if (branch.name != "main") branch.origin = Origin::kCommand;
                break;
            case 2: branch.is_protected = false; break;
            case 3: branch.compute.settings.size_centi_cu = 75; break;
            default: break;
        }
        for (RoleState& role : branch.roles) {
            if (draws.below(4) == 1) role.origin = Origin::kManual;
            if (draws.below(4) == 1) role.attributes.login = !role.attributes.login;
        }
    }
}

void check_laws(const specs::ProjectSpec& spec, const ProjectState& live) {
    planner::Plan plan = planner::make_plan(spec, live);
    LB_ASSERT(planner::make_plan(spec, live) == plan);
    LB_ASSERT(is_utf8(
        planner::render_text(plan, planner::Colour::kAlways, planner::Detail::kAttributes)));
    ChangeSet changes = planner::to_change_set(plan);
    auto sent = change_set_from_json(LB_MUST(Json::parse(to_json(changes).dump())));
    LB_ASSERT(sent.is_ok() && *sent == changes);
    if (plan.summary.refused_count > 0) {
        LB_ASSERT(!planner::check_policy(plan, {}).is_ok());
        return;
    }
    Result<ProjectState> after = planner::testing::apply(live, changes);
    LB_ASSERT(after.is_ok());
    LB_ASSERT(planner::testing::differences(spec, *after).empty());
    LB_ASSERT(planner::make_plan(spec, *after).is_empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Draws draws(data, size);
    ProjectState live;
    live.name = "shop";
    auto before = draw_spec(draws);
    if (before) {
        planner::Plan plan = planner::make_plan(*before, live);
        if (plan.summary.refused_count == 0) {
            live = LB_MUST(planner::testing::apply(live, planner::to_change_set(plan)));
            disturb(draws, live);
        }
    }
    auto spec = draw_spec(draws);
    if (spec) check_laws(*spec, live);
    return 0;
}
