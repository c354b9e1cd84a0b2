#include "cli/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/text.h"
#include "cli/terminal.h"

namespace lb::cli {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // alternate screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEndOfLine = "\x1b[K";
constexpr std::string_view kEndOfScreen = "\x1b[J";

termios settings_before;

void write_out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

}  // namespace

Screen::Screen() {
    tcgetattr(STDIN_FILENO, &settings_before);
    termios raw = settings_before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C stays a signal
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    write_out(kEnter);
}

Screen::~Screen() {
    write_out(kLeave);
    tcsetattr(STDIN_FILENO, TCSANOW, &settings_before);
}

bool Screen::is_possible() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

void Screen::show(std::string_view text) {
    std::string out(kHome);
    for (const std::string& line : split(text, '\n')) out += cat(line, kEndOfLine, "\r\n");
    write_out(out + std::string(kEndOfScreen));
}

size_t Screen::rows() const {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

bool Screen::is_ended_within(std::chrono::milliseconds time) {
    auto end = std::chrono::steady_clock::now() + time;
    for (;;) {
        if (InterruptGuard::count() > 0) return true;
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
        if (poll(&input, 1, static_cast<int>(left.count())) <= 0) continue;
        char key = 0;
        ssize_t count = read(STDIN_FILENO, &key, 1);
        if (count == 0 || (count == 1 && (key == 'q' || key == 'Q'))) return true;
    }
}

}  // namespace lb::cli
