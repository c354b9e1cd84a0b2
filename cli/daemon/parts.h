// Everything a running daemon has, and how it is opened, closed, and left to the next image of the
// process (docs/daemon.md).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "cli/daemon/api.h"
#include "cli/daemon/daemon.h"
#include "cli/daemon/damage_log.h"
#include "cli/daemon/handover.h"
#include "cli/daemon/handover_state.h"
#include "cli/http_server.h"
#include "engine/engine.h"
#include "store/fuse_transport.h"
#include "store/scrub.h"
#include "store/store.h"

namespace lb::cli {

// In the order in which they are opened.
struct Parts {
    std::optional<HomeLock> lock = {};
    std::unique_ptr<DamageLog> damage_log = {};
    std::unique_ptr<store::Store> store = {};
    std::unique_ptr<store::Scrubber> scrubber = {};
    std::unique_ptr<store::FuseTransport> transport = {};
    std::unique_ptr<engine::Engine> engine = {};
    std::unique_ptr<Api> api = {};
    std::unique_ptr<HttpServer> server = {};
};

struct DaemonHooks {
    std::function<void()> request_stop;  // must not block
    HandoverDesk* desk = nullptr;
};

void log_line(std::string_view text);

// The daemon of one home. Its functions are for one thread.
class DaemonParts {
public:
    DaemonParts(const DaemonOptions& options, DaemonHooks hooks)
        : options_(options), hooks_(std::move(hooks)) {}

    // Opens everything. With `state` it goes on where an earlier image of the process stopped; if
    // that cannot be, computes are ended, and everything is opened as after a crash.
    Status open(const std::optional<Result<HandoverState>>& state);
    // Closes whatever is open, all of it whatever fails; the first error counts.
    Status close();

    // Brings everything to rest and closes the store, so that the new image can go on. After an
    // error everything is as it was, but for the socket: kHandoverRefused, kBusy. After one of
    // closing the store `is_lost()`: there is nothing to go on with.
    Result<Execution> hand_over(const std::string& program);
    bool is_lost() const { return is_lost_; }
    // After a hand-over that did not come about and was answered.
    Status serve_again();

    // The lock is freed by the kernel when the process has ended: who waits for it then knows that
    // the process is gone, too.
    void keep_lock_until_exit() { std::move(*parts_.lock).keep_until_exit(); }
    void free_lock() { parts_.lock.reset(); }

private:
    Status open_anew();
    Status take_over(const HandoverState& state);
    void give_up(const HandoverState& state);
    Status open_store(const std::vector<store::OpenInode>& open_inodes);
    void start_scrubber();
    Status start_server(std::optional<int> listener);
    store::FuseOptions fuse_options() const;
    engine::EngineOptions engine_options() const;

    Result<int> rest(HandoverState& state);

    const DaemonOptions& options_;
    const DaemonHooks hooks_;
    ComputeUser user_ = {};
    Parts parts_;
    HandoverOutcome outcome_ = {};
    int listener_ = -1;  // from the beginning of a hand-over to its end
    bool is_lost_ = false;
};

}  // namespace lb::cli
