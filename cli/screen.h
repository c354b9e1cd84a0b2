// Screen: the whole terminal for a live view, and keys without Enter, until it is destroyed.
#pragma once

#include <chrono>
#include <string_view>

namespace lb::cli {

class Screen {
public:
    Screen();
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    // Stdin and stdout are a terminal.
    static bool is_possible();

    // Replaces what is shown.
    void show(std::string_view text);
    // Rows of the terminal; 24 if it does not say.
    size_t rows() const;
    // Waits; true once the user wants to end: q, Q, Ctrl-C or the end of input.
    bool is_ended_within(std::chrono::milliseconds time);
};

}  // namespace lb::cli
