// Talking to a person at a terminal, and Ctrl-C.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lb::cli {

// True if somebody can be asked: stdin and stderr are terminals.
bool can_ask();

// Prints `question` to stderr and reads one line. Errors: kInterrupted for Ctrl-C and end of input.
Result<std::string> ask(std::string_view question);
// True for y and yes.
Result<bool> ask_yes_no(std::string_view question);

// While one of these exists, Ctrl-C (SIGINT) and SIGTERM are counted instead of ending the process.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    static int count();
};

Error interrupted_error();

}  // namespace lb::cli
