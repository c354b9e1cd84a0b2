// The last part of an image's life, when it leaves everything to the next.
#include <unistd.h>

#include "base/text.h"
#include "cli/daemon/parts.h"

namespace lb::cli {
namespace {

using std::chrono::steady_clock;

// For what is under way: an apply, the start of a compute. Meanwhile new clients wait.
constexpr std::chrono::milliseconds kPatience{30'000};

Error busy() {
    return {.code = ErrorCode::kBusy,
            .message = "the daemon is at work on another request",
            .help = "try again when it is done"};
}

}  // namespace

Result<Execution> DaemonParts::hand_over(const std::string& program) {
    LB_TRY(parts_.transport->check_hand_over());
    Successor successor = LB_TRY(find_successor(program));
    log_line(cat("handing over to lb ", successor.version, " (", successor.path, ")"));
    listener_ = parts_.server->quiesce();
    HandoverState state{.lock = parts_.lock->descriptor(),
                        .listener = listener_,
                        .connection = parts_.transport->descriptor(),
                        .count = outcome_.count + 1};
    Result<int> file = rest(state);
    if (!file) {
        ::close(successor.program);
        return std::move(file).error();
    }
    Status closed = parts_.store->close();
    is_lost_ = !closed.is_ok();
    LB_TRY(std::move(closed));
    log_line("the store is closed");
    return Execution{.successor = successor,
                     .arguments = serve_arguments(options_, *file),
                     .descriptors = {*file, state.lock, state.listener, state.connection}};
}

// Step by step, so that an error can undo what was done: nobody works, nothing starts by itself,
// no program is answered. Returns the file with the state.
Result<int> DaemonParts::rest(HandoverState& state) {
    // The one that asks for the hand-over waits for its end.
    if (!parts_.server->wait_until_idle(1, kPatience)) return busy();
    state.computes = LB_TRY(parts_.engine->pause(kPatience));
    log_line("computes are left to themselves");
    parts_.scrubber.reset();
    state.paused_at_ns = std::chrono::nanoseconds(steady_clock::now().time_since_epoch()).count();
    parts_.transport->pause();
    state.mount = parts_.transport->hand_over();
    log_line("programs wait");
    Result<int> file = write_handover_file(state);
    if (file) return file;
    parts_.transport->resume();
    start_scrubber();
    parts_.engine->resume();
    return file;
}

Status DaemonParts::serve_again() {
    if (listener_ < 0) return ok();
    parts_.server->stop();
    return start_server(std::exchange(listener_, -1));
}

}  // namespace lb::cli
