// lb init: a commented lb.toml to begin with.
#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/model/names.h"
#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/spec_file.h"

namespace lb::cli {
namespace {

// What a directory's name becomes as a project's name: "My Shop" -> "my-shop".
std::string project_name_of(const std::filesystem::path& directory) {
    const std::string directory_name = directory.filename().native();
    std::string name;
    for (char c : directory_name) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 && byte < 128) {
            name += static_cast<char>(std::tolower(byte));
        } else if (!name.empty() && name.back() != '-') {
            name += '-';
        }
    }
    if (name.size() > 63) name.resize(63);
    while (!name.empty() && name.back() == '-') name.pop_back();
    if (name.empty()) name = "project";
    return name;
}

std::string spec_text(const std::string& name) {
    return cat(
        "# What lb apply makes of this project. docs/spec-reference.md explains every key.\n"
        "[project]\n"
        "name = ",
        lb::quoted(name),
        "\n"
        "pg_version = 15\n"
        "default_branch = \"main\"\n"
        "\n"
        "[branches.main]\n"
        "# protected = true            # refuse to delete it\n"
        "\n"
        "# A branch has all data of its parent as of the moment it is made, and costs\n"
        "# kilobytes.\n"
        "# [branches.staging]\n"
        "# parent = \"main\"\n"
        "# ttl = \"14d\"                # delete it after two weeks\n"
        "\n"
        "# Roles and databases are made on the default branch; its children inherit them.\n"
        "# [roles.app]\n"
        "# login = true\n"
        "# password = { env = \"APP_PASSWORD\" }  # where the password is, never the password\n"
        "\n"
        "[databases.app]\n"
        "# owner = \"app\"\n");
}

// Creates the file; never overwrites one.
Status write_new_file(const std::string& path, const std::string& text) {
    int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST) {
        return Error{.code = ErrorCode::kAlreadyExists,
                     .message = cat(lb::quoted(path), " exists already and is left alone"),
                     .help = "lb plan shows what it would do"};
    }
    if (descriptor < 0) {
        return system_error(ErrorCode::kIo, cat("cannot write ", lb::quoted(path)), errno);
    }
    ssize_t written = write(descriptor, text.data(), text.size());
    int write_errno = errno;
    close(descriptor);
    if (written == static_cast<ssize_t>(text.size())) return ok();
    unlink(path.c_str());
    return system_error(ErrorCode::kIo, cat("cannot write ", lb::quoted(path)), write_errno);
}

}  // namespace

Result<ExitCode> run_init(const Arguments& arguments, Output& output) {
    std::error_code failure;
    std::filesystem::path directory = arguments.text("directory", ".");
    std::filesystem::create_directories(directory, failure);
    std::filesystem::path absolute = std::filesystem::canonical(directory, failure);
    if (failure) {
        return system_error(ErrorCode::kIo, cat("cannot use ", lb::quoted(directory.native())),
                            failure.value());
    }
    std::string name = arguments.text("name", project_name_of(absolute));
    LB_TRY(check_project_name(name));
    std::string path = (directory / kSpecFileName).lexically_normal().native();
    LB_TRY(write_new_file(path, spec_text(name)));
    if (output.is_json()) {
        Json json = Json::object();
        json.set("path", path);
        json.set("project", name);
        output.document(json);
    } else {
        output.text(cat("wrote ", path, " for project ", name, "\n"));
        output.notice("next: lb plan shows what it would make, lb apply makes it");
    }
    return ExitCode::kOk;
}

}  // namespace lb::cli
