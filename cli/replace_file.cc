#include "cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/text.h"

namespace lb::cli {
namespace {

Error cannot_write(const std::string& path, int system_errno) {
    return system_error(ErrorCode::kIo, cat("cannot write ", lb::quoted(path)), system_errno);
}

// Returns errno, 0 for success.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        ssize_t count = write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        text.remove_prefix(static_cast<size_t>(count));
    }
    return 0;
}

// Takes the old file's place in everything but its text.
int fill(int descriptor, const struct stat& old, std::string_view text) {
    // Of another owner's file only root can keep the owner; the text matters more.
    bool is_owner_kept = fchown(descriptor, old.st_uid, old.st_gid) == 0;
    mode_t mode = old.st_mode & (is_owner_kept ? 07777 : 0777);
    if (fchmod(descriptor, mode) != 0) return errno;
    if (int failure = write_all(descriptor, text); failure != 0) return failure;
    return fsync(descriptor) == 0 ? 0 : errno;
}

void sync_directory(const std::filesystem::path& directory) {
    int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

}  // namespace

Status replace_file(const std::string& path, std::string_view text) {
    std::error_code failure;
    std::filesystem::path target = std::filesystem::canonical(path, failure);
    if (failure) return cannot_write(path, failure.value());
    // The directory may be writable where the file is not meant to be.
    struct stat old {};
    if (stat(target.c_str(), &old) != 0 || access(target.c_str(), W_OK) != 0) {
        return cannot_write(path, errno);
    }
    std::string temporary =
        (target.parent_path() / cat(".", target.filename().native(), ".lb-XXXXXX")).native();
    int descriptor = mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) return cannot_write(path, errno);
    int written = fill(descriptor, old, text);
    close(descriptor);
    if (written == 0 && rename(temporary.c_str(), target.c_str()) != 0) written = errno;
    if (written != 0) {
        unlink(temporary.c_str());
        return cannot_write(path, written);
    }
    sync_directory(target.parent_path());
    return ok();
}

Status write_private_file(const std::string& path, std::string_view text) {
    std::filesystem::path target(path);
    std::filesystem::path directory =
        target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
    std::string temporary =
        (directory / cat(".", target.filename().native(), ".lb-XXXXXX")).native();
    int descriptor = mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
    if (descriptor < 0) return cannot_write(path, errno);
    int written = write_all(descriptor, text);
    if (written == 0 && fsync(descriptor) != 0) written = errno;
    close(descriptor);
    if (written == 0 && rename(temporary.c_str(), path.c_str()) != 0) written = errno;
    if (written != 0) {
        unlink(temporary.c_str());
        return cannot_write(path, written);
    }
    sync_directory(directory);
    return ok();
}

}  // namespace lb::cli
