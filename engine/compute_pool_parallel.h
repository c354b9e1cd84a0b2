// Runs work on several threads at once, never more than a given number, and waits for all of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace lb::engine {

inline void for_each_in_parallel(size_t count, size_t threads_max,
                                 const std::function<void(size_t)>& work) {
    if (count == 0) return;
    std::atomic<size_t> next = 0;
    auto run = [&] {
        for (size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> threads;  // joined when they go out of scope
    for (size_t i = 1; i < std::min(count, threads_max); ++i) threads.emplace_back(run);
    run();
}

}  // namespace lb::engine
