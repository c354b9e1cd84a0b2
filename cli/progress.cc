#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/protocol.h"

namespace lb::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRedrawInterval{50};
constexpr size_t kBarWidth = 24;

size_t terminal_columns() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

}  // namespace

Json event_line(std::string_view event) {
    Json line = Json::object();
    line.set("event", event);
    return line;
}

std::string bar(uint64_t done, uint64_t total, size_t width) {
    double share = total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
    auto filled = static_cast<size_t>(std::min(share, 1.0) * static_cast<double>(width));
    return cat("[", std::string(filled, '#'), std::string(width - filled, '-'), "]");
}

void ProgressDisplay::show(const engine::ProgressEvent& event) {
    if (output_.is_json()) {
        Json line = event_line("progress");
        const Json json = to_json(event);
        for (const Json::Member& member : *json.if_object()) line.set(member.first, member.second);
        return output_.json_line(line);
    }
    if (!output_.has_progress()) return;
    std::string line = event.message.empty() ? event.step : event.message;
    if (event.total > 0) {
        line = cat(bar(event.done, event.total, kBarWidth), " ", event.done, "/", event.total, " ",
                   line);
    }
    if (is_due()) draw(line);
}

void ProgressDisplay::show_bytes(std::string_view what, uint64_t done_bytes, uint64_t total_bytes) {
    if (output_.is_json() || !output_.has_progress() || !is_due()) return;
    double seconds = std::chrono::duration<double>(steady_clock::now() - started_).count();
    double rate = seconds > 0 ? static_cast<double>(done_bytes) / seconds : 0;
    std::string line = cat(what, " ", format_bytes(done_bytes));
    if (total_bytes > 0) {
        line = cat(what, " ", bar(done_bytes, total_bytes, kBarWidth), " ",
                   format_bytes(done_bytes), " of ", format_bytes(total_bytes));
    }
    if (seconds > 1 && rate > 0) {
        line += cat(", ", format_bytes(static_cast<uint64_t>(rate)), "/s");
        if (total_bytes > done_bytes) {
            auto left_s =
                static_cast<int64_t>(static_cast<double>(total_bytes - done_bytes) / rate);
            line += cat(", ", format_duration(std::chrono::seconds(left_s)), " left");
        }
    }
    draw(line);
}

bool ProgressDisplay::is_due() {
    auto now = steady_clock::now();
    if (now - drawn_at_ < kRedrawInterval) return false;
    drawn_at_ = now;
    return true;
}

void ProgressDisplay::draw(const std::string& line) {
    // Cut rather than wrapped: a wrapped line cannot be redrawn.
    output_.error_text(cat("\r\x1b[K", line.substr(0, terminal_columns() - 1)));
    is_drawn_ = true;
}

void ProgressDisplay::clear() {
    if (!is_drawn_) return;
    output_.error_text("\r\x1b[K");
    is_drawn_ = false;
}

}  // namespace lb::cli
