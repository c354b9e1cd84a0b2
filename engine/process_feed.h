// Running a program to its end while feeding its input and watching what it prints.
#pragma once

#include <functional>
#include <string>

#include "engine/process_spawn.h"

namespace lb::engine {

struct FeedOptions {
    // Without `next_chunk`, process.input is the program's input. The outputs are collected.
    ProcessOptions process;
    // The next bytes for the program; empty at the end. An error ends the program (SIGKILL: it
    // must not take the end of its input for the end of the file) and is returned.
    std::function<Result<std::string>()> next_chunk = {};
    // Called now and then.
    std::function<void()> on_tick = {};
};

struct FeedResult {
    int wait_status = 0;
    std::string output;        // the newest 64 KiB
    std::string error_output;  // the oldest 64 KiB: the first error is the one that counts
};

// A program that ends before it has read everything is no error here. Errors: kIo, `next_chunk`'s.
Result<FeedResult> feed_program(FeedOptions options);

}  // namespace lb::engine
