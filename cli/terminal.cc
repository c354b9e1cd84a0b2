#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace lb::cli {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;
struct sigaction previous_interrupt;
struct sigaction previous_termination;

void on_interrupt(int) { interrupt_count = interrupt_count + 1; }

}  // namespace

bool can_ask() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

Result<std::string> ask(std::string_view question) {
    InterruptGuard guard;  // so that Ctrl-C is an answer
    std::fwrite(question.data(), 1, question.size(), stderr);
    std::string line;
    while (true) {
        char c = 0;
        ssize_t count = read(STDIN_FILENO, &c, 1);
        if (count == 1 && c == '\n') return line;
        if (count <= 0) {  // end of input, or a signal that was not ignored
            std::fputc('\n', stderr);
            return interrupted_error();
        }
        line += c;
    }
}

Result<bool> ask_yes_no(std::string_view question) {
    std::string answer = LB_TRY(ask(question));
    return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes";
}

InterruptGuard::InterruptGuard() {
    interrupt_count = 0;
    struct sigaction action {};
    action.sa_handler = on_interrupt;  // no SA_RESTART: read() is to return
    sigaction(SIGINT, &action, &previous_interrupt);
    sigaction(SIGTERM, &action, &previous_termination);
}

InterruptGuard::~InterruptGuard() {
    sigaction(SIGINT, &previous_interrupt, nullptr);
    sigaction(SIGTERM, &previous_termination, nullptr);
}

int InterruptGuard::count() { return interrupt_count; }

Error interrupted_error() {
    return {.code = ErrorCode::kInterrupted, .message = "interrupted; nothing was applied"};
}

}  // namespace lb::cli
