#include "engine/git_head.h"

#include <git2.h>

#include <memory>

#include "base/text.h"

namespace lb::engine {

namespace {

Error unreadable(const std::string& directory) {
    const git_error* last = git_error_last();
    std::string why = last == nullptr || last->message == nullptr ? "unknown error" : last->message;
    return Error{.code = ErrorCode::kGitFailed,
                 .message = cat("cannot read the git repository of ", quoted(directory), ": ", why),
                 .help = "`git status` in that directory tells more"};
}

void initialise() {
    static const int kReady = [] {
        int count = git_libgit2_init();
        // Whose repository it is matters to programs that run what its configuration says. Only
        // HEAD is read here.
        git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
        return count;
    }();
    static_cast<void>(kReady);
}

}  // namespace

Result<std::optional<std::string>> head_commit(const std::string& directory) {
    initialise();
    git_repository* opened = nullptr;
    int failed = git_repository_open_ext(&opened, directory.c_str(), 0, nullptr);
    std::unique_ptr<git_repository, decltype(&git_repository_free)> repository(
        opened, &git_repository_free);
    if (failed == GIT_ENOTFOUND) return std::optional<std::string>{};
    if (failed != 0) return unreadable(directory);
    git_oid commit;
    failed = git_reference_name_to_id(&commit, repository.get(), "HEAD");
    if (failed == GIT_ENOTFOUND) return std::optional<std::string>{};
    if (failed != 0) return unreadable(directory);
    char text[GIT_OID_HEXSZ + 1];
    git_oid_tostr(text, sizeof text, &commit);
    return std::optional<std::string>(text);
}

}  // namespace lb::engine
