#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cli/protocol.h"

namespace lb::cli {
namespace {

void write_to(std::FILE* stream, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stream);  // failures stick; finish() asks
}

bool is_colour_welcome(ColourWish wish, int descriptor) {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    if (no_colour != nullptr && *no_colour != '\0') return false;
    if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
    return wish == ColourWish::kIfTerminal && isatty(descriptor) == 1;
}

}  // namespace

Output::Output(OutputFormat format, Verbosity verbosity, ColourWish colour)
    : format_(format),
      verbosity_(verbosity),
      has_colour_(is_colour_welcome(colour, STDOUT_FILENO)),
      has_error_colour_(is_colour_welcome(colour, STDERR_FILENO)),
      has_progress_(verbosity == Verbosity::kNormal && isatty(STDERR_FILENO) == 1) {}

void Output::text(std::string_view text) { write_to(stdout, text); }

void Output::document(const Json& json) { write_to(stdout, json.dump(2) + "\n"); }

void Output::json_line(const Json& json) {
    write_to(stdout, json.dump() + "\n");
    std::fflush(stdout);  // readers wait for each line
}

void Output::notice(std::string_view line) {
    if (verbosity_ == Verbosity::kQuiet) return;
    error_text(std::string(line) + "\n");
}

void Output::error_text(std::string_view text) {
    std::fflush(stdout);  // in the order in which it was said
    write_to(stderr, text);
}

void Output::error(const Error& error) {
    if (!is_json()) return error_text(to_text(error));
    Json json = to_json(error);
    for (const Json::Member& attachment : *attachments_.if_object()) {
        json.set(attachment.first, attachment.second);
    }
    json_line(json);
}

void Output::attach_to_error(std::string key, Json value) {
    attachments_.set(key, std::move(value));
}

Status Output::finish() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return ok();
    return system_error(ErrorCode::kIo, "cannot write to stdout", errno);
}

}  // namespace lb::cli
