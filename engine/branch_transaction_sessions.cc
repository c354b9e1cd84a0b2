#include "engine/branch_transaction_sessions.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr std::chrono::milliseconds kPause{20};

void end_sessions(SqlSession& session, const std::vector<std::string>& databases) {
    for (const std::string& database : databases) {
        auto ended = session.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            {database});
        // The rename itself reports what is in its way.
        if (!ended) return;
    }
}

}  // namespace

Result<std::unique_ptr<SessionEnder>> SessionEnder::start(const SqlTarget& target,
                                                          std::vector<std::string> databases) {
    std::unique_ptr<SessionEnder> ender(new SessionEnder);
    ender->session_ = LB_TRY(SqlSession::connect(target));
    SqlSession* session = ender->session_.get();
    ender->thread_ =
        std::jthread([session, databases = std::move(databases)](const std::stop_token& stop) {
            std::mutex mutex;
            std::condition_variable_any stopped;
            std::unique_lock lock(mutex);
            while (!stop.stop_requested()) {
                end_sessions(*session, databases);
                stopped.wait_for(lock, stop, kPause, [] { return false; });
            }
        });
    return ender;
}

SessionEnder::~SessionEnder() = default;

}  // namespace lb::engine
