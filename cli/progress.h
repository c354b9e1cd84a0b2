// Showing how a long action goes on: one line that is redrawn on a terminal, NDJSON with --json,
// nothing elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/output.h"
#include "engine/engine.h"

namespace lb::cli {

class ProgressDisplay {
public:
    explicit ProgressDisplay(Output& output) : output_(output) {}
    ~ProgressDisplay() { clear(); }
    ProgressDisplay(const ProgressDisplay&) = delete;
    ProgressDisplay& operator=(const ProgressDisplay&) = delete;

    void show(const engine::ProgressEvent& event);
    // A bar of bytes with rate and remaining time; `total_bytes` 0 if unknown.
    void show_bytes(std::string_view what, uint64_t done_bytes, uint64_t total_bytes);
    // Takes the line off the terminal.
    void clear();

private:
    void draw(const std::string& line);
    bool is_due();

    Output& output_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point drawn_at_ = {};
    bool is_drawn_ = false;
};

// A line of NDJSON that says what it is about: {"event": "planned"}. docs/apply-events.schema.json.
Json event_line(std::string_view event);

// "[########----------------]": `width` characters between the brackets.
std::string bar(uint64_t done, uint64_t total, size_t width);

}  // namespace lb::cli
