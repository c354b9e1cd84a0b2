// Deletes branches whose time has come, by an ordinary apply. Never a protected one, the default
// branch, or one with a child that stays.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/project_context.h"

namespace lb::engine {

// What to delete now, children before parents; nullopt if nothing. Pure.
std::optional<ChangeSet> expired_branches(const Project& project, WallTime now);

// The background thread. Looks every second; the clock is the engine's.
class ExpirationThread {
public:
    explicit ExpirationThread(Context& context);
    ~ExpirationThread();
    ExpirationThread(const ExpirationThread&) = delete;
    ExpirationThread& operator=(const ExpirationThread&) = delete;

private:
    void run();
    void delete_expired();
    // Removes the lines of deleted branches whose time to be had back is over.
    void remove_gone();

    Context& context_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace lb::engine
