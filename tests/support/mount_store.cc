// mount_store: serves a store by hand, for experiments and for the scripts in tests/ and bench/.
//
//   mount_store STORE_DIRECTORY MOUNT_DIRECTORY [USER [direct]]
//
// Opens or creates the store, makes a root line if it has none, mounts, prints "ready LINE" and
// serves until SIGTERM, SIGINT or "quit". Files show USER as their owner (default: who runs it).
// "direct": without the kernel's page cache.
// Commands, one per line on standard input, each answered by one line:
//
//   fork LINE [POSITION]    "line N": a new line from LINE, at its head or at POSITION
//   delete LINE             "deleted"
//   position                "position N"
//   statistics              counters of store and transport
//   quit
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "base/text.h"
#include "store/fuse_transport.h"
#include "store/store.h"

namespace lb::store {
namespace {

struct Served {
    std::unique_ptr<Store> store;
    std::unique_ptr<FuseTransport> transport;
};

std::string answer_statistics(const Served& served) {
    StoreStatistics store = served.store->statistics();
    FuseStatistics fuse = served.transport->statistics();
    return cat("requests=", fuse.request_count, " split_writes=", fuse.split_write_count,
               " joined_writes=", fuse.joined_write_count, " syncs=", store.syncs.count(),
               " block_reads=", store.block_reads, " block_writes=", store.block_writes,
               " log_bytes=", store.log_bytes);
}

Result<std::string> answer(Served& served, const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    uint64_t number = 0;
    uint64_t position = kHead.value();
    words >> verb >> number;
    if (verb == "fork") {
        if (uint64_t given = 0; words >> given) position = given;
        LineId line = served.store->reserve_line();
        LB_TRY(served.store->commit(
            {.create = {{.line = line, .parent = LineId{number}, .at = Position{position}}}}));
        return cat("line ", line.value());
    }
    if (verb == "delete") {
        LB_TRY(served.store->commit({.remove = {LineId{number}}}));
        served.transport->forget_line(LineId{number});
        return std::string("deleted");
    }
    if (verb == "position") return cat("position ", served.store->position().value());
    if (verb == "statistics") return answer_statistics(served);
    return Error{.code = ErrorCode::kUsage, .message = cat("unknown command ", quoted(verb))};
}

Result<Served> start(const std::string& store_directory, FuseOptions options) {
    Served served;
    served.store = LB_TRY(Store::open({.directory = store_directory}));
    options.on_failure = [](const Error& error) { std::cerr << to_text(error) << std::flush; };
    if (served.store->lines().empty()) {
        LineId line = served.store->reserve_line();
        LB_TRY(served.store->commit({.create = {{.line = line}}}));
    }
    served.transport = LB_TRY(FuseTransport::mount(*served.store, std::move(options)));
    return served;
}

// Until a signal arrives or somebody says "quit".
void serve_commands(Served& served, int signals) {
    std::string text;
    pollfd inputs[2] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        ::poll(inputs, 2, -1);
        if (inputs[0].revents != 0) return;
        if (inputs[1].revents == 0) continue;
        char buffer[512];
        ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (count <= 0) inputs[1].fd = -1;  // no more commands; the signal ends it
        if (count > 0) text.append(buffer, static_cast<size_t>(count));
        for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
            std::string command = text.substr(0, end);
            if (command == "quit") return;
            Result<std::string> reply = answer(served, command);
            std::cout << (reply ? *reply : to_text(reply.error())) << std::endl;
        }
    }
}

int run(int count, char** arguments) {
    if (count < 3 || count > 5) {
        std::cerr << "usage: mount_store STORE_DIRECTORY MOUNT_DIRECTORY [USER [direct]]\n";
        return static_cast<int>(ExitCode::kUsage);
    }
    FuseOptions options{.mount_directory = arguments[2], .uid = ::getuid(), .gid = ::getgid()};
    if (count == 5) options.cache = FuseCache::kNone;
    if (count >= 4) {
        const passwd* user = ::getpwnam(arguments[3]);
        if (user == nullptr) {
            std::cerr << "no such user: " << arguments[3] << "\n";
            return static_cast<int>(ExitCode::kUsage);
        }
        options.uid = user->pw_uid;
        options.gid = user->pw_gid;
    }
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, nullptr);
    int signals = ::signalfd(-1, &ending, SFD_CLOEXEC);

    Result<Served> served = start(arguments[1], std::move(options));
    if (!served) {
        std::cerr << to_text(served.error());
        return static_cast<int>(exit_code(served.error().code));
    }
    std::cout << "ready " << served->store->lines().front().line.value() << std::endl;
    serve_commands(*served, signals);
    Status unmounted = served->transport->unmount();
    Status closed = served->store->close();
    for (const Status* status : {&unmounted, &closed}) {
        if (!*status) std::cerr << to_text(status->error());
    }
    return unmounted && closed ? 0 : 1;
}

}  // namespace
}  // namespace lb::store

int main(int count, char** arguments) { return lb::store::run(count, arguments); }
