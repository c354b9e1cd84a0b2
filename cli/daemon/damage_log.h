// DamageLog: writes into the daemon's log what damage programs and the scrubber met, with branch
// and file. Finding the names takes a moment, so that a thread of its own does it. What was told
// once is not told again.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/check.h"
#include "store/store.h"

namespace lb::cli {

class DamageLog {
public:
    explicit DamageLog(std::function<void(std::string_view line)> log_line)
        : log_line_(std::move(log_line)) {}
    ~DamageLog() { stop(); }
    DamageLog(const DamageLog&) = delete;
    DamageLog& operator=(const DamageLog&) = delete;

    // From any thread; kept until start() if it has not been called.
    void met(const store::DamageMet& damage);
    void found(const store::Problem& problem);

    // The store must stay until stop().
    void start(store::Store& store);
    void stop();

private:
    struct Entry {
        std::string what;
        LineId line;
        store::InodeId inode;
        uint64_t offset = 0;
        bool has_offset = false;
    };

    void add(Entry entry, std::string key);
    void run();
    std::string text_of(const Entry& entry);

    const std::function<void(std::string_view)> log_line_;
    store::Store* store_ = nullptr;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Entry> entries_;
    std::set<std::string> known_;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace lb::cli
