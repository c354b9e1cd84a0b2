// The thread that starts children which must not outlive us.
//
// Linux binds the death signal of a child to the thread that started it: it comes when that thread
// ends. exec() ends all threads but the one that calls it. So children that are to live exactly as
// long as this process, however often it executes a new image of itself (a hand-over,
// docs/daemon.md), are all started by the thread that calls exec(): the first one, which a daemon
// lends for this. Elsewhere (tests) a thread that never ends is made at the first use.
#pragma once

#include <functional>

namespace lb::engine {

// Runs `work` on that thread and waits until it is done. Thread-safe.
void run_on_starter_thread(const std::function<void()>& work);

// Makes the calling thread the one. Requires: nothing ran before; serve_process_starts() follows.
void become_starter_thread();
// Runs what comes until `end` (an eventfd) is readable.
void serve_process_starts(int end);

}  // namespace lb::engine
