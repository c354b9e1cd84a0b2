#include "engine/process_feed.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/process_descriptor.h"

namespace lb::engine {

namespace {

constexpr size_t kKeptBytes = 64 * 1024;
constexpr int kTickMs = 100;

struct Ends {
    Descriptor ours;
    Descriptor theirs;
};

// A socket, not a pipe: writing to one whose reader is gone need not raise SIGPIPE.
Result<Ends> make_socket() {
    std::array<int, 2> ends;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return system_error(ErrorCode::kIo, "cannot make a socket", errno);
    }
    return Ends{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<Ends> make_pipe() {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return system_error(ErrorCode::kIo, "cannot make a pipe", errno);
    }
    return Ends{Descriptor(ends[0]), Descriptor(ends[1])};
}

class Feed {
public:
    explicit Feed(FeedOptions options) : options_(std::move(options)) {}

    Result<FeedResult> run() {
        LB_TRY(start());
        Status fed = ok();
        while (fed.is_ok() && (output_.is_open() || error_output_.is_open())) fed = step();
        if (!fed.is_ok()) ::kill(pid_, SIGKILL);
        input_.close();
        while (::waitpid(pid_, &result_.wait_status, 0) < 0 && errno == EINTR) {
        }
        if (!fed.is_ok()) return std::move(fed).error();
        return std::move(result_);
    }

private:
    Status start() {
        Ends output = LB_TRY(make_pipe());
        Ends error_output = LB_TRY(make_pipe());
        Ends input;
        if (options_.next_chunk) {
            input = LB_TRY(make_socket());
            options_.process.input = input.theirs.get();
        }
        options_.process.output = output.theirs.get();
        options_.process.error_output = error_output.theirs.get();
        pid_ = LB_TRY(spawn_process(options_.process));
        input_ = std::move(input.ours);
        output_ = std::move(output.ours);
        error_output_ = std::move(error_output.ours);
        return ok();
    }

    Status step() {
        if (input_.is_open() && pending_.empty()) {
            pending_ = LB_TRY(options_.next_chunk());
            sent_ = 0;
            if (pending_.empty()) input_.close();
        }
        std::array<pollfd, 3> waiting = {pollfd{input_.get(), POLLOUT, 0},
                                         pollfd{output_.get(), POLLIN, 0},
                                         pollfd{error_output_.get(), POLLIN, 0}};
        if (::poll(waiting.data(), waiting.size(), kTickMs) < 0 && errno != EINTR) {
            return system_error(ErrorCode::kIo, "cannot wait for a program", errno);
        }
        if (waiting[0].revents != 0) send_pending();
        if (waiting[1].revents != 0) {
            receive(output_, result_.output);
            if (result_.output.size() > kKeptBytes) {
                result_.output.erase(0, result_.output.size() - kKeptBytes);
            }
        }
        if (waiting[2].revents != 0) {
            receive(error_output_, result_.error_output);
            if (result_.error_output.size() > kKeptBytes) result_.error_output.resize(kKeptBytes);
        }
        if (options_.on_tick) options_.on_tick();
        return ok();
    }

    void send_pending() {
        ssize_t sent = ::send(input_.get(), pending_.data() + sent_, pending_.size() - sent_,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            // The program has ended, and its output says why.
            if (errno != EAGAIN && errno != EINTR) input_.close();
            return;
        }
        sent_ += static_cast<size_t>(sent);
        if (sent_ == pending_.size()) pending_.clear();
    }

    static void receive(Descriptor& from, std::string& to) {
        std::array<char, 4096> buffer;
        ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
        if (count > 0) {
            to.append(buffer.data(), static_cast<size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            from.close();
        }
    }

    FeedOptions options_;
    FeedResult result_;
    pid_t pid_ = 0;
    Descriptor input_;
    Descriptor output_;
    Descriptor error_output_;
    std::string pending_;
    size_t sent_ = 0;
};

}  // namespace

Result<FeedResult> feed_program(FeedOptions options) { return Feed(std::move(options)).run(); }

}  // namespace lb::engine
