#include "engine/engine.h"

#include <future>
#include <unordered_set>

#include "base/text.h"
#include "engine/activity.h"
#include "engine/apply_run.h"
#include "engine/compute_pool_parallel.h"
#include "engine/generation_log.h"
#include "engine/project_computes.h"
#include "engine/project_context.h"
#include "engine/project_expiration.h"
#include "engine/project_observation.h"
#include "engine/project_view.h"
#include "engine/restore_windows.h"

namespace lb::engine {

namespace {

constexpr size_t kParallelStarts = 4;
constexpr size_t kParallelStops = 8;

struct BranchName {
    std::string project;
    std::string branch;
};

// A crash leaves lines that an apply had not committed: templates half made, hidden branches of an
// apply that failed.
Status remove_unnamed_lines(Context& context) {
    std::unordered_set<LineId> named;
    for (const auto& [version, record] : context.catalog.templates()) named.insert(record.line);
    for (const auto& [project_name, project] : context.catalog.projects()) {
        for (const auto& [name, branch] : project.branches) named.insert(branch.line);
        for (const auto& [id, deleted] : project.deleted) named.insert(deleted.branch.line);
    }
    store::Commit removal;
    for (const store::LineInfo& line : context.store().lines()) {
        if (!named.contains(line.line)) removal.remove.push_back(line.line);
    }
    if (removal.remove.empty()) return ok();
    LB_TRY(context.store().commit(removal));
    for (LineId line : removal.remove) {
        context.pool.remove(line);
        context.line_is_gone(line);
    }
    return ok();
}

class EngineOnStore final : public Engine {
public:
    explicit EngineOnStore(std::unique_ptr<Context> context) : context_(std::move(context)) {
        if (!context_->options.handed_computes) {
            starter_ = std::async(std::launch::async, [this] { start_always_on(); });
        }
        expiration_ = std::make_unique<ExpirationThread>(*context_);
    }
    ~EngineOnStore() override {
        // A failure to stop cannot be told here; whoever wants to know calls close().
        [[maybe_unused]] Status closed = close();
    }

    std::vector<std::string> projects() const override {
        std::lock_guard lock(context_->catalog_mutex);
        std::vector<std::string> names;
        for (const auto& [name, project] : context_->catalog.projects()) names.push_back(name);
        return names;
    }

    Result<ProjectState> state(const std::string& project, Observe observe) override {
        return view_project(*context_, project, observe);
    }

    Result<ProjectState> state_around(const std::string& project,
                                      const std::vector<std::string>& branches) override {
        return view_project_around(*context_, project, branches);
    }

    Result<Applied> apply(const ChangeSet& changes, const ProgressSink& progress,
                          std::chrono::milliseconds patience) override {
        auto started = std::chrono::steady_clock::now();
        Result<Applied> applied = ApplyRun(*context_, changes, progress).run(patience);
        applies_.add(std::chrono::steady_clock::now() - started);
        if (!applied.is_ok()) failed_applies_.fetch_add(1, std::memory_order_relaxed);
        return applied;
    }

    Result<Rehearsal> rehearse(const ChangeSet& changes, const ProgressSink& progress) override {
        return ApplyRun(*context_, changes, progress).rehearse();
    }

    Result<std::vector<GenerationRecord>> generations(const std::string& project,
                                                      const GenerationRange& range) override {
        ProjectRecord record;
        {
            std::lock_guard lock(context_->catalog_mutex);
            record = LB_TRY(context_->catalog.project(project))->record;
        }
        return read_generations(context_->store(), record.id, record.generation, range);
    }

    Result<BranchHistory> history(const std::string& project, const std::string& branch) override {
        return branch_history(*context_, project, branch);
    }

    Status mark_load(const std::string& project, const std::string& branch,
                     LoadMark load) override {
        return add_load_mark(*context_, project, branch, std::move(load));
    }

    Result<BranchUsage> usage(const std::string& project, const std::string& branch,
                              std::optional<std::chrono::seconds> window) override {
        return branch_usage(*context_, project, branch, window);
    }

    Result<Connection> connect(const std::string& project, const std::string& branch) override {
        return connect_branch(*context_, project, branch);
    }

    Status stop_compute(const std::string& project, const std::string& branch) override {
        return stop_branch(*context_, project, branch);
    }

    Status restart_compute(const std::string& project, const std::string& branch) override {
        LB_TRY(stop_branch(*context_, project, branch));
        LB_TRY(start_branch(*context_, project, branch));
        return ok();
    }

    Result<std::string> log_path(const std::string& project, const std::string& branch) override {
        std::lock_guard lock(context_->catalog_mutex);
        return context_->pool.log_file(LB_TRY(context_->catalog.branch(project, branch))->line);
    }

    EngineStatistics statistics() override {
        return {.project_count = projects().size(),
                .branches = branch_statistics(*context_, sampler_),
                .applies = applies_.snapshot(),
                .failed_apply_count = failed_applies_.load(std::memory_order_relaxed)};
    }

    Result<std::vector<HandedCompute>> pause(std::chrono::milliseconds patience) override {
        auto deadline = std::chrono::steady_clock::now() + patience;
        expiration_.reset();  // first, because it applies
        Result<std::vector<HandedCompute>> paused = pause_until(deadline);
        if (!paused) expiration_ = std::make_unique<ExpirationThread>(*context_);
        return paused;
    }

    void resume() override {
        context_->pool.resume();
        expiration_ = std::make_unique<ExpirationThread>(*context_);
        apply_lock_ = {};
    }

    Status close() override {
        if (is_closed_.exchange(true)) return ok();
        expiration_.reset();
        // First those of which the next plan wants to know what they have.
        std::vector<BranchName> running = default_branches();
        std::mutex result_mutex;
        Status result = ok();
        for_each_in_parallel(running.size(), kParallelStops, [&](size_t i) {
            Status stopped = stop_branch(*context_, running[i].project, running[i].branch);
            std::lock_guard lock(result_mutex);
            if (!stopped.is_ok() && result.is_ok()) result = std::move(stopped);
        });
        Status stopped = context_->pool.stop_all();
        if (starter_.valid()) starter_.wait();
        return result.is_ok() ? std::move(stopped) : std::move(result);
    }

private:
    Result<std::vector<HandedCompute>> pause_until(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock apply_lock(context_->apply_mutex, deadline);
        bool has_started =
            !starter_.valid() || starter_.wait_until(deadline) == std::future_status::ready;
        if (!apply_lock.owns_lock() || !has_started) {
            return Error{.code = ErrorCode::kBusy,
                         .message = "an apply or the start of a compute is under way",
                         .help = "try again when it is done"};
        }
        std::vector<HandedCompute> handed =
            LB_TRY(context_->pool.pause(std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now())));
        apply_lock_ = std::move(apply_lock);
        return handed;
    }

    std::vector<BranchName> default_branches() const {
        std::lock_guard lock(context_->catalog_mutex);
        std::vector<BranchName> names;
        for (const auto& [name, project] : context_->catalog.projects()) {
            names.push_back({.project = name, .branch = project.default_branch().name});
        }
        return names;
    }

    // A compute that does not start shows its failure in its state.
    void start_always_on() {
        std::vector<BranchName> names;
        {
            std::lock_guard lock(context_->catalog_mutex);
            for (const auto& [project_name, project] : context_->catalog.projects()) {
                for (const auto& [name, branch] : project.branches) {
                    if (!branch.compute.always_on) continue;
                    names.push_back({.project = project_name, .branch = name});
                }
            }
        }
        for_each_in_parallel(names.size(), kParallelStarts, [&](size_t i) {
            if (is_closed_) return;
            [[maybe_unused]] Result<SqlTarget> started =
                start_branch(*context_, names[i].project, names[i].branch);
        });
    }

    std::unique_ptr<Context> context_;
    ActivitySampler sampler_;
    LatencyHistogram applies_;
    std::atomic<uint64_t> failed_applies_ = 0;
    std::unique_ptr<ExpirationThread> expiration_;
    std::future<void> starter_;                      // not valid after a hand-over
    std::unique_lock<std::timed_mutex> apply_lock_;  // while paused
    std::atomic<bool> is_closed_ = false;
};

Status adopt_computes(Context& context) {
    for (const HandedCompute& handed : *context.options.handed_computes) {
        const BranchRecord* owner = nullptr;
        for (const auto& [project_name, project] : context.catalog.projects()) {
            for (const auto& [name, branch] : project.branches) {
                if (branch.line != handed.line) continue;
                owner = &branch;
                context.pool.adopt(handed, compute_request(context, project.record, branch, {}));
            }
        }
        if (owner == nullptr) {
            return Error{.code = ErrorCode::kInternal,
                         .message = cat("line ", handed.line.value(),
                                        ", on which a server runs, belongs to no branch")};
        }
    }
    return ok();
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
    LB_ASSERT(options.store != nullptr);
    if (options.clock == nullptr) options.clock = &system_clock();
    // Servers that outlived a killed daemon must be gone before anything starts in their place.
    if (!options.handed_computes) kill_processes_in(options.mount_directory);
    Catalog catalog = LB_TRY(Catalog::load(*options.store));
    auto context = std::make_unique<Context>(std::move(options), std::move(catalog));
    LB_TRY(remove_unnamed_lines(*context));
    LB_TRY(sweep_destroyed_projects(context->store()));
    if (context->options.handed_computes) LB_TRY(adopt_computes(*context));
    set_restore_windows(*context);
    return std::unique_ptr<Engine>(std::make_unique<EngineOnStore>(std::move(context)));
}

}  // namespace lb::engine
