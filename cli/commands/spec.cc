// lb validate, lb fmt, lb explain, lb schema: what works on specs alone, without a daemon.
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/error_meaning.h"
#include "cli/line_diff.h"
#include "cli/replace_file.h"
#include "cli/session.h"
#include "cli/spec_file.h"
#include "cli/text_file.h"
#include "specs/explain.h"
#include "specs/format_spec.h"
#include "specs/json_schema.h"
#include "specs/spec_reader.h"

namespace lb::cli {
namespace {

std::string counted(size_t count, std::string_view thing) {
    return cat(count, " ", thing, count == 1 ? "" : "s");
}

Json validation_json(const CheckedSpec& checked) {
    Json json = Json::object();
    json.set("format_version", "1.0");
    json.set("valid", checked.spec.has_value());
    Json files = Json::array();
    for (const auto& [name, text] : checked.sources) files.push(name);
    json.set("files", std::move(files));
    json.set("content_hash", checked.spec ? Json(checked.spec->content_hash) : Json());
    json.set("error_count", uint64_t{checked.error_count()});
    json.set("warning_count", uint64_t{checked.diagnostics.size() - checked.error_count()});
    json.set("diagnostics", diagnostics_json(checked.diagnostics));
    return json;
}

std::string validation_summary(const CheckedSpec& checked) {
    size_t errors = checked.error_count();
    size_t warnings = checked.diagnostics.size() - errors;
    if (errors > 0) {
        return cat(checked.path, " has ", counted(errors, "error"),
                   warnings == 0 ? "" : cat(" and ", counted(warnings, "warning")), "\n");
    }
    return cat(checked.path, " is valid",
               warnings == 0 ? "" : cat(", with ", counted(warnings, "warning")), "\n");
}

Error unknown_code(const std::string& wanted) {
    return {.code = ErrorCode::kUsage,
            .message = cat("there is no code ", quoted(wanted)),
            .help = "codes look like LB0102; an error shows its own in brackets"};
}

// "LB0102", "lb102" or "102" to "LB0102"; any other text stays.
std::string full_code(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (text.starts_with("LB")) text.erase(0, 2);
    return cat("LB", std::string(text.size() < 4 ? 4 - text.size() : 0, '0'), text);
}

struct FormatWish {
    bool is_check = false;
    bool has_diff = false;
};

// "-" is stdin. Returns whether the form was another one.
Result<bool> format_file(const std::string& path, FormatWish wish, Output& output) {
    const bool is_input = path == "-";
    const std::string name = is_input ? "stdin" : path;
    std::string text = LB_TRY(read_text_file(is_input ? "/dev/stdin" : path, specs::kSpecMaxBytes));
    specs::DiagnosticSink sink;
    std::optional<std::string> formatted = specs::format_spec(text, name, sink);
    if (!formatted) {
        if (output.is_json()) {
            output.attach_to_error("diagnostics", diagnostics_json(sink.sorted()));
        } else {
            print_diagnostics(sink.sorted(), {{name, text}}, output);
        }
        return Error{.code = ErrorCode::kInvalidSpec,
                     .message = cat(name, " is no TOML and was left alone"),
                     .help = "correct it and run the command again"};
    }
    const bool is_other = *formatted != text;
    if (wish.has_diff) output.text(line_diff(name, text, *formatted));
    if (wish.is_check || wish.has_diff) return is_other;
    if (is_input) {
        output.text(*formatted);
    } else if (is_other) {
        LB_TRY(replace_file(path, *formatted));
    }
    return is_other;
}

}  // namespace

Result<ExitCode> run_validate(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    const GivenVariables variables = LB_TRY(given_variables(arguments.list("var")));
    CheckedSpec checked = LB_TRY(check_spec_file(LB_TRY(session.spec_path()), variables));
    if (output.is_json()) {
        output.document(validation_json(checked));
    } else {
        print_diagnostics(checked.diagnostics, checked.sources, output);
        output.text(validation_summary(checked));
    }
    return checked.spec ? ExitCode::kOk : ExitCode::kSpecInvalid;
}

Result<ExitCode> run_fmt(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    const FormatWish wish{.is_check = arguments.has("check"), .has_diff = arguments.has("diff")};
    std::vector<std::string> paths = arguments.list("file");
    if (paths.empty()) paths = LB_TRY(spec_file_paths(LB_TRY(session.spec_path())));
    Json changed = Json::array();
    for (const std::string& path : paths) {
        if (!LB_TRY(format_file(path, wish, output))) continue;
        changed.push(path);
        bool is_listed = !wish.has_diff && (wish.is_check || path != "-");
        if (is_listed && !output.is_json()) output.text(path + "\n");
    }
    const bool has_changed = !changed.if_array()->empty();
    if (output.is_json() && !wish.has_diff && paths != std::vector<std::string>{"-"}) {
        Json json = Json::object();
        json.set(wish.is_check ? "not_formatted" : "formatted", std::move(changed));
        output.document(json);
    }
    return wish.is_check && has_changed ? ExitCode::kError : ExitCode::kOk;
}

Result<ExitCode> run_explain(const Arguments& arguments, Output& output) {
    const std::string code = full_code(arguments.text("code"));
    const ErrorCode number = code_from_name(code);
    const auto* explanation = specs::find_explanation(static_cast<uint16_t>(number));
    const std::string_view meaning = meaning_of(number);
    if (code_name(number) != code || (explanation == nullptr && meaning.empty())) {
        return unknown_code(arguments.text("code"));
    }
    if (output.is_json()) {
        Json json = Json::object();
        json.set("code", code);
        json.set("title", explanation ? explanation->title : meaning);
        json.set("text", explanation ? explanation->text : "");
        json.set("example", explanation ? explanation->example : "");
        json.set("fix", explanation ? explanation->fix : "");
        output.document(json);
    } else if (explanation != nullptr) {
        output.text(specs::to_text(*explanation));
    } else {
        output.text(cat(code, ": ", meaning, "\n\nA command that ends with it has exit code ",
                        static_cast<int>(exit_code(number)), ".\n"));
    }
    return ExitCode::kOk;
}

Result<ExitCode> run_schema(const Arguments&, Output& output) {
    output.document(specs::json_schema());
    return ExitCode::kOk;
}

}  // namespace lb::cli
