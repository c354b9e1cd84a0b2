// Output: the one place that writes to stdout and stderr. Results go to stdout, everything else to
// stderr; with --json, stdout carries JSON only, errors included.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/result.h"

namespace lb::cli {

enum class OutputFormat { kText, kJson };
enum class Verbosity { kNormal, kQuiet };
enum class ColourWish { kIfTerminal, kNever };

class Output {
public:
    Output(OutputFormat format, Verbosity verbosity, ColourWish colour);

    bool is_json() const { return format_ == OutputFormat::kJson; }
    // Colours are for terminals, and not when NO_COLOR is set.
    bool has_colour() const { return has_colour_; }
    bool has_error_colour() const { return has_error_colour_; }
    // A progress display is worth drawing.
    bool has_progress() const { return has_progress_; }

    // Result text, as it is.
    void text(std::string_view text);
    // Result document, indented.
    void document(const Json& json);
    // One line of NDJSON.
    void json_line(const Json& json);
    // One line for people, on stderr; nothing with --quiet.
    void notice(std::string_view line);
    // Text for people, on stderr, as it is, whatever --quiet says.
    void error_text(std::string_view text);
    // An error, with what was attached to it. Attachments are members of the JSON document.
    void error(const Error& error);
    void attach_to_error(std::string key, Json value);

    // Writes out what is buffered. Errors: kIo (the disk behind stdout is full, or nobody reads).
    Status finish();

private:
    OutputFormat format_;
    Verbosity verbosity_;
    bool has_colour_ = false;
    bool has_error_colour_ = false;
    bool has_progress_ = false;
    Json attachments_ = Json::object();
};

}  // namespace lb::cli
