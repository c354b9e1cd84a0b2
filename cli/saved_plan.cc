#include "cli/saved_plan.h"

#include "base/text.h"
#include "cli/replace_file.h"
#include "cli/spec_file.h"
#include "cli/text_file.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

// A plan of 10,000 branches is 20 MiB.
constexpr size_t kPlanFileMaxBytes = size_t{256} << 20;

Error other_project(const planner::SavedPlan& saved, std::string_view why) {
    return Error{.code = ErrorCode::kRefused,
                 .message = cat("the plan ", saved.plan.id, " is of another project: ", why),
                 .help = "apply it where it was made, or make a new plan: lb plan --out FILE"};
}

std::optional<WallTime> created_at(const ProjectState& live) {
    const BranchState* root = live.exists ? live.find_branch(live.default_branch) : nullptr;
    if (root == nullptr) return {};
    return root->created_at;
}

Status check_project(Session& session, const planner::SavedPlan& saved, const ProjectState& live) {
    const Arguments& arguments = session.arguments();
    std::string wanted = arguments.text("project", saved.plan.project);
    if (wanted != saved.plan.project) {
        return other_project(saved, cat("it is of ", saved.plan.project, ", not ", wanted));
    }
    if (!saved.project_created_at) return ok();
    if (!live.exists) {
        return other_project(saved, cat("there is no project ", saved.plan.project, " here"));
    }
    if (created_at(live) != saved.project_created_at) {
        return other_project(
            saved, cat("the project ", saved.plan.project, " here was made at another time"));
    }
    return ok();
}

}  // namespace

Status write_plan_file(const std::string& path, const planner::SavedPlan& saved) {
    return write_private_file(path, planner::encode_plan_file(saved));
}

Result<planner::SavedPlan> read_plan_file(const std::string& path) {
    std::string text = LB_TRY(read_text_file(path, kPlanFileMaxBytes));
    Result<planner::SavedPlan> saved = planner::decode_plan_file(text);
    if (saved.is_ok()) return saved;
    Error error = std::move(saved).error();
    error.message = cat(path, ": ", error.message);
    return error;
}

Result<planner::Plan> ready_plan(Session& session, planner::SavedPlan saved) {
    Client client = LB_TRY(session.client());
    bool has_secrets = !saved.secrets.empty();
    ProjectState live = LB_TRY(client.state(
        saved.plan.project, has_secrets ? engine::Observe::kYes : engine::Observe::kNo));
    LB_TRY(check_project(session, saved, live));
    if (!has_secrets) return std::move(saved.plan);
    specs::ProjectSpec roles = planner::spec_of_secrets(saved, live);
    const std::string directory = session.spec_directory();
    LB_TRY(specs::resolve_secrets(roles, live, [&](const specs::SecretReference& reference) {
        return read_secret(reference, directory);
    }));
    LB_TRY(planner::fill_verifiers(saved, roles, live));
    return std::move(saved.plan);
}

Result<Rebase> rebase_of(const std::string& path, const SpecPlan& now) {
    planner::SavedPlan saved = LB_TRY(read_plan_file(path));
    if (saved.plan.project != now.plan.project) {
        return other_project(saved, cat("it is of ", saved.plan.project));
    }
    if (saved.spec_hash != now.spec.content_hash) {
        return Error{.code = ErrorCode::kRefused,
                     .message = cat("the spec is another one than that of plan ", saved.plan.id),
                     .help = "make a plan of what the spec says now: lb plan --out FILE"};
    }
    return Rebase{.plan_id = saved.plan.id,
                  .differences = planner::plan_differences(saved.plan, now.plan)};
}

Json to_json(const Rebase& rebase) {
    Json json = Json::object();
    json.set("plan_id", rebase.plan_id);
    Json lines = Json::array();
    for (const std::string& line : rebase.differences) lines.push(line);
    json.set("differences", std::move(lines));
    return json;
}

std::string rebase_text(const Rebase& rebase) {
    if (rebase.differences.empty()) return cat("As in ", rebase.plan_id, ":\n");
    std::string text = cat("Other than in ", rebase.plan_id, ":\n");
    for (const std::string& line : rebase.differences) text += cat("  ", line, "\n");
    return text + "Now:\n";
}

Error with_rebase_help(Error error, const std::string& path) {
    if (error.code == ErrorCode::kPlanStale) {
        error.help = cat("see what it is against the present state: lb plan --rebase ", path);
    }
    return error;
}

}  // namespace lb::cli
