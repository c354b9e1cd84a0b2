#include "engine/process_starter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "base/assert.h"

namespace lb::engine {

namespace {

using Job = std::packaged_task<void()>;

class StartQueue {
public:
    StartQueue() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { LB_ASSERT(wake_ >= 0); }

    void claim() {
        std::lock_guard lock(mutex_);
        LB_ASSERT(!has_thread_);
        has_thread_ = true;
    }

    void run(const std::function<void()>& work) {
        Job job(work);
        std::future<void> done = job.get_future();
        {
            std::lock_guard lock(mutex_);
            jobs_.push_back(std::move(job));
            if (!std::exchange(has_thread_, true)) {
                std::thread([this] { serve(-1); }).detach();
            }
        }
        uint64_t one = 1;
        static_cast<void>(!::write(wake_, &one, sizeof one));
        done.wait();
    }

    void serve(int end) {
        std::array<pollfd, 2> events = {{{wake_, POLLIN, 0}, {end, POLLIN, 0}}};
        for (;;) {
            events[1].revents = 0;  // poll() leaves it as it was when a signal comes
            ::poll(events.data(), events.size(), -1);
            uint64_t count = 0;
            static_cast<void>(!::read(wake_, &count, sizeof count));
            run_jobs();
            if (end >= 0 && events[1].revents != 0) return;
        }
    }

private:
    void run_jobs() {
        std::unique_lock lock(mutex_);
        while (!jobs_.empty()) {
            Job job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            lock.lock();
        }
    }

    const int wake_;
    std::mutex mutex_;
    std::deque<Job> jobs_;
    bool has_thread_ = false;
};

// Never destroyed: its thread may outlast main(). A forked copy of us has no such thread, and gets
// a queue of its own.
StartQueue& queue() {
    static std::mutex mutex;
    static StartQueue* queue = nullptr;
    static pid_t owner = 0;
    std::lock_guard lock(mutex);
    if (owner != ::getpid()) queue = std::make_unique<StartQueue>().release();
    owner = ::getpid();
    return *queue;
}

}  // namespace

void run_on_starter_thread(const std::function<void()>& work) { queue().run(work); }
void become_starter_thread() { queue().claim(); }
void serve_process_starts(int end) { queue().serve(end); }

}  // namespace lb::engine
