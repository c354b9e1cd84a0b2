// Hand-over, the parts that know of no daemon: whether a program can take over, who asks for it,
// and the step into the new image. docs/daemon.md tells the whole story.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace lb::cli {

// A program that was found able to take over, held open: whatever its path leads to later.
struct Successor {
    int program = -1;  // close-on-exec
    std::string path = {};
    std::string version = {};
};

// Runs `path version --json`. Errors: kHandoverRefused with what does not fit.
Result<Successor> find_successor(const std::string& path);

struct Execution {
    Successor successor;
    std::vector<std::string> arguments = {};
    std::vector<int> descriptors = {};  // that the new image inherits
};

// Becomes the successor, and if that cannot be executed, this program once more. Returns only if
// neither works. Requires: the calling thread is the starter thread (engine/process_starter.h).
Error execute(const Execution& execution);

// Where a request for a hand-over waits for what becomes of it.
class HandoverDesk {
public:
    // `wake`: called when there is something to take(); must not block.
    explicit HandoverDesk(std::function<void()> wake) : wake_(std::move(wake)) {}

    // Waits; returns only if the hand-over did not come about. Errors: kBusy while another waits.
    Error ask(std::string program);
    // The program of the request that waits.
    std::optional<std::string> take();
    void refuse(Error error);
    // Refuses the one that waits and all that come.
    void close();

private:
    const std::function<void()> wake_;
    std::mutex mutex_;
    std::condition_variable answered_;
    std::optional<std::string> program_;
    std::optional<Error> answer_;
    bool is_busy_ = false;
    bool is_closed_ = false;
};

}  // namespace lb::cli
