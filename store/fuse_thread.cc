#include "store/fuse_thread.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>

namespace lb::store {

namespace {

constexpr std::chrono::microseconds kSlice{100};
constexpr std::chrono::milliseconds kBetweenInterrupts{1};
constexpr int kInterrupt = SIGUSR2;

// sched_setattr(2). The kernel's header cannot be included beside the C library's.
struct SchedulingAttributes {
    uint32_t size_bytes = sizeof(SchedulingAttributes);
    uint32_t policy = 0;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t runtime_ns = 0;  // for ordinary threads: the slice
    uint64_t deadline_ns = 0;
    uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

void on_interrupt(int) {}

// A poll(2) that waits returns EINTR.
void install_interrupt() {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    ::sigaction(kInterrupt, &action, nullptr);
}

}  // namespace

void ask_for_short_slices() {
    SchedulingAttributes attributes;
    // Keeps whatever else is set, a nice value above all.
    if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
    attributes.runtime_ns = static_cast<uint64_t>(std::chrono::nanoseconds(kSlice).count());
    static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

void InterruptibleThreads::start(size_t count, const std::function<void()>& body) {
    install_interrupt();
    sigset_t others;
    sigset_t before;
    sigfillset(&others);
    sigdelset(&others, kInterrupt);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    running_count_ = count;
    for (size_t i = 0; i < count; ++i) {
        threads_.emplace_back([this, body] {
            body();
            --running_count_;
        });
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void InterruptibleThreads::stop() {
    // Again and again: one that comes just before a thread's poll(2) does nothing.
    while (running_count_ > 0) {
        for (std::thread& thread : threads_) pthread_kill(thread.native_handle(), kInterrupt);
        std::this_thread::sleep_for(kBetweenInterrupts);
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

}  // namespace lb::store
