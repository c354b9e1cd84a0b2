#include "cli/daemon/handover.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/json.h"
#include "base/text.h"
#include "cli/daemon/environment.h"
#include "cli/daemon/handover_state.h"
#include "engine/process_child.h"
#include "store/format.h"

namespace lb::cli {
namespace {

constexpr std::chrono::seconds kAnswerPatience{10};
constexpr size_t kAnswerMaxBytes = 4096;

Error refused(std::string message) {
    return {.code = ErrorCode::kHandoverRefused,
            .message = std::move(message),
            .help =
                "lb stop ends the daemon and its computes; the next command of the other lb "
                "starts its own"};
}

// What the program prints for `version --json`.
Result<std::string> ask_version(const Successor& successor) {
    int output = memfd_create("lb-version", MFD_CLOEXEC);
    if (output < 0) return system_error(ErrorCode::kIo, "cannot make a memory file", errno);
    engine::ProcessOptions options{
        .arguments = {cat("/proc/self/fd/", successor.program), "version", "--json"},
        .environment = daemon_environment(),
        .output = output,
        .death_signal = SIGKILL};
    auto program = engine::ChildProcess::start(options, [](const engine::ChildProcess*, int) {});
    bool has_answered = program && (*program)->wait_for(kAnswerPatience);
    if (program && !has_answered) (*program)->send_signal(SIGKILL);
    std::string text(kAnswerMaxBytes, '\0');
    ssize_t count = pread(output, text.data(), text.size(), 0);
    close(output);
    if (!program) return std::move(program).error();
    if (!has_answered) return refused(cat(quoted(successor.path), " does not tell its version"));
    text.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return text;
}

Result<std::string> check_answer(const std::string& path, std::string_view text) {
    Result<Json> document = Json::parse(text);
    Result<std::string> version = document ? document->text_at("version") : document.error();
    if (!version) return refused(cat(quoted(path), " is no lb"));
    Result<uint64_t> handover_format = document->unsigned_at("handover_format");
    Result<uint64_t> store_format = document->unsigned_at("store_format");
    if (!handover_format || *handover_format != kHandoverFormat) {
        return refused(cat("lb ", *version, " (", path, ") cannot take over from this daemon"));
    }
    if (!store_format || *store_format < store::kFormatVersion) {
        return refused(cat("lb ", *version, " (", path, ") does not read this store"));
    }
    return version;
}

Error stopping() {
    return {.code = ErrorCode::kHandoverRefused, .message = "the daemon is stopping"};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

Result<Successor> find_successor(const std::string& path) {
    Successor successor{.program = open(path.c_str(), O_RDONLY | O_CLOEXEC), .path = path};
    if (successor.program < 0) {
        int code = errno;
        Error error = refused(cat("cannot open ", quoted(path)));
        return system_error(error.code, error.message, code);
    }
    Result<std::string> answer = ask_version(successor);
    Result<std::string> version = answer ? check_answer(path, *answer) : answer;
    if (!version) {
        close(successor.program);
        Error error = std::move(version).error();
        error.code = ErrorCode::kHandoverRefused;
        return error;
    }
    successor.version = *std::move(version);
    return successor;
}

Error execute(const Execution& execution) {
    std::vector<std::string> words = execution.arguments;
    std::vector<std::string> variables = daemon_environment();
    std::vector<char*> arguments = pointers_to(words);
    std::vector<char*> environment = pointers_to(variables);
    for (int descriptor : execution.descriptors) fcntl(descriptor, F_SETFD, 0);
    execveat(execution.successor.program, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
    Error error = system_error(ErrorCode::kHandoverRefused,
                               cat("cannot execute ", quoted(execution.successor.path)), errno);
    execve("/proc/self/exe", arguments.data(), environment.data());
    return error;
}

Error HandoverDesk::ask(std::string program) {
    std::unique_lock lock(mutex_);
    if (is_closed_) return stopping();
    if (std::exchange(is_busy_, true)) {
        return {.code = ErrorCode::kBusy, .message = "another hand-over is under way"};
    }
    program_ = std::move(program);
    answer_.reset();
    wake_();
    answered_.wait(lock, [this] { return answer_.has_value(); });
    is_busy_ = false;
    return *answer_;
}

std::optional<std::string> HandoverDesk::take() {
    std::lock_guard lock(mutex_);
    return std::exchange(program_, std::nullopt);
}

void HandoverDesk::refuse(Error error) {
    std::lock_guard lock(mutex_);
    if (!is_busy_) return;
    answer_ = std::move(error);
    answered_.notify_all();
}

void HandoverDesk::close() {
    {
        std::lock_guard lock(mutex_);
        is_closed_ = true;
    }
    refuse(stopping());
}

}  // namespace lb::cli
