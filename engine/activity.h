// ActivitySampler: asks running computes what they count, through a session that it keeps per
// server, because a new one each second would cost a new process there each second. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/engine.h"
#include "engine/project_context.h"
#include "engine/sql.h"

namespace lb::engine {

class ActivitySampler {
public:
    // nullopt if the server does not answer.
    std::optional<ComputeActivity> sample(LineId line, const SqlTarget& target);
    // Closes the sessions that no sample() since the last call used.
    void close_unused();

private:
    struct Entry {
        std::unique_ptr<SqlSession> session;
        bool is_used = false;
    };

    std::mutex mutex_;
    std::map<LineId, Entry> sessions_;
};

// All branches with their computes' states and activity.
std::vector<BranchStatistics> branch_statistics(Context& context, ActivitySampler& sampler);

}  // namespace lb::engine
