// What the threads that serve a mount ask of the kernel.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace lb::store {

// Makes the scheduler prefer this thread when it wakes up (Linux 6.12 and newer; elsewhere nothing
// changes). A request is a few microseconds of work that a program waits for: behind other
// programs' slices of some milliseconds it would take a hundred times as long.
void ask_for_short_slices();

// Threads that wait in poll(2), and can be made to come back from it.
class InterruptibleThreads {
public:
    // Each runs `body`, with all signals blocked but the one that interrupts.
    void start(size_t count, const std::function<void()>& body);
    // Interrupts their system calls until all of them have returned, and joins them.
    void stop();

private:
    std::vector<std::thread> threads_;
    std::atomic<size_t> running_count_{0};
};

}  // namespace lb::store
