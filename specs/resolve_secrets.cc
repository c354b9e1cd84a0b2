#include <cstring>

#include <algorithm>

#include "base/scram.h"
#include "base/text.h"
#include "specs/spec_reader.h"

namespace lb::specs {

namespace {

// Wipes the text when it leaves the scope, however it does.
class SecretGuard {
public:
    explicit SecretGuard(std::string& secret) : secret_(secret) {}
    ~SecretGuard() { explicit_bzero(secret_.data(), secret_.size()); }
    SecretGuard(const SecretGuard&) = delete;
    SecretGuard& operator=(const SecretGuard&) = delete;

private:
    std::string& secret_;
};

std::string to_text(const SecretReference& reference) {
    switch (reference.kind) {
        case SecretReference::Kind::kEnvironment:
            return cat("environment variable ", reference.name);
        case SecretReference::Kind::kFile: return cat("file ", quoted(reference.name));
    }
    return {};
}

std::string live_verifier(const ProjectSpec& spec, const ProjectState& live,
                          std::string_view role) {
    const BranchState* branch = live.find_branch(spec.default_branch);
    if (branch == nullptr || !branch->is_observed) return {};
    auto at = std::find_if(branch->roles.begin(), branch->roles.end(),
                           [&](const RoleState& state) { return state.name == role; });
    return at == branch->roles.end() ? std::string() : at->attributes.password_verifier;
}

Result<std::string> verifier_for(std::string_view password, std::string live) {
    if (!live.empty() && scram_verifier_matches(live, password)) return live;
    return make_scram_verifier(password);
}

// "password of role "app" (lb.toml:7:20): environment variable APP_PASSWORD is not set"
std::string describe(const RoleSpec& role, const Error& error) {
    const Span& place = role.password->span;
    bool is_named = error.message.find(role.password->name) != std::string::npos;
    return cat("password of role ", quoted(role.name), " (", place.file, ":", place.line, ":",
               place.column, "): ", is_named ? "" : cat(to_text(*role.password), ": "),
               error.message);
}

}  // namespace

Status resolve_secrets(ProjectSpec& spec, const ProjectState& live, const SecretSource& read_secret,
                       const SecretSource& make_secret) {
    std::vector<std::string> problems;
    std::string help;
    for (RoleSpec& role : spec.roles) {
        if (!role.password) continue;
        Result<std::string> secret = read_secret(*role.password);
        Result<std::string> verifier = std::string();
        bool is_to_make = role.password->is_generated && make_secret && !secret.is_ok() &&
                          secret.error().code == ErrorCode::kNotFound;
        if (is_to_make) {
            // Its file may be on another machine: a password is made once and never replaced.
            role.attributes.password_verifier = live_verifier(spec, live, role.name);
            if (!role.attributes.password_verifier.empty()) continue;
            secret = make_secret(*role.password);
        }
        if (secret.is_ok()) {
            SecretGuard guard(secret.value());
            verifier = verifier_for(secret.value(), live_verifier(spec, live, role.name));
        } else {
            verifier = secret.error();
        }
        if (verifier.is_ok()) {
            role.attributes.password_verifier = std::move(verifier).value();
            continue;
        }
        problems.push_back(describe(role, verifier.error()));
        if (help.empty()) help = verifier.error().help;
    }
    if (problems.empty()) return ok();
    if (help.empty()) help = "set the variable or write the file, then run the command again";
    Error error{.code = ErrorCode::kSecretMissing, .message = problems.front(), .help = help};
    error.notes.assign(problems.begin() + 1, problems.end());
    return error;
}

}  // namespace lb::specs
