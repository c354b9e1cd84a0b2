// resolve_secrets(): verifiers from references, unchanged passwords are no change, and what is
// missing is named completely.
#include <gtest/gtest.h>

#include <map>

#include "base/scram.h"
#include "base/text.h"
#include "specs/spec_reader.h"

namespace lb::specs {
namespace {

constexpr std::string_view kText =
    "[project]\n"
    "name = \"shop\"\n"
    "[roles.app]\n"
    "login = true\n"
    "password = { env = \"APP_PASSWORD\" }\n"
    "[roles.owner]\n"
    "login = true\n"
    "password = { file = \"owner.password\" }\n"
    "[roles.readers]\n";

ProjectSpec spec_with_passwords() {
    DiagnosticSink sink;
    std::optional<ProjectSpec> spec = read_spec(kText, "lb.toml", sink);
    EXPECT_TRUE(spec.has_value());
    return *spec;
}

ProjectState live_with(const std::string& role, const std::string& verifier) {
    RoleState state{.name = role};
    state.attributes.password_verifier = verifier;
    BranchState branch;
    branch.name = "main";
    branch.is_observed = true;
    branch.roles = {state};
    ProjectState live;
    live.exists = true;
    live.branches = {branch};
    return live;
}

// Secrets by the name of their reference.
auto reader_of(std::map<std::string, std::string> secrets) {
    return [secrets](const SecretReference& reference) -> Result<std::string> {
        auto at = secrets.find(reference.name);
        if (at == secrets.end()) {
            return Error{.code = ErrorCode::kSecretMissing,
                         .message = "is not set",
                         .help = cat("export ", reference.name, "=...")};
        }
        return at->second;
    };
}

TEST(ResolveSecrets, FillsInVerifiers) {
    ProjectSpec spec = spec_with_passwords();
    auto read = reader_of({{"APP_PASSWORD", "one"}, {"owner.password", "two"}});
    ASSERT_TRUE(resolve_secrets(spec, {}, read).is_ok());
    EXPECT_TRUE(scram_verifier_matches(spec.roles[0].attributes.password_verifier, "one"));
    EXPECT_TRUE(scram_verifier_matches(spec.roles[1].attributes.password_verifier, "two"));
    EXPECT_EQ(spec.roles[2].attributes.password_verifier, "");
}

TEST(ResolveSecrets, TellsTheReferencesApart) {
    ProjectSpec spec = spec_with_passwords();
    std::vector<SecretReference::Kind> kinds;
    ASSERT_TRUE(resolve_secrets(spec, {}, [&](const SecretReference& reference) {
                    kinds.push_back(reference.kind);
                    return Result<std::string>(std::string("x"));
                }).is_ok());
    EXPECT_EQ(kinds,
              (std::vector{SecretReference::Kind::kEnvironment, SecretReference::Kind::kFile}));
}

TEST(ResolveSecrets, KeepsTheLiveVerifierOfAnUnchangedPassword) {
    std::string verifier = LB_MUST(make_scram_verifier("one"));
    ProjectState live = live_with("app", verifier);
    ProjectSpec spec = spec_with_passwords();
    auto read = reader_of({{"APP_PASSWORD", "one"}, {"owner.password", "one"}});
    ASSERT_TRUE(resolve_secrets(spec, live, read).is_ok());
    EXPECT_EQ(spec.roles[0].attributes.password_verifier, verifier);
    EXPECT_NE(spec.roles[1].attributes.password_verifier, verifier);  // another role's salt
}

TEST(ResolveSecrets, ReplacesTheVerifierOfAChangedPassword) {
    std::string verifier = LB_MUST(make_scram_verifier("old"));
    ProjectSpec spec = spec_with_passwords();
    auto read = reader_of({{"APP_PASSWORD", "new"}, {"owner.password", "two"}});
    ASSERT_TRUE(resolve_secrets(spec, live_with("app", verifier), read).is_ok());
    EXPECT_NE(spec.roles[0].attributes.password_verifier, verifier);
    EXPECT_TRUE(scram_verifier_matches(spec.roles[0].attributes.password_verifier, "new"));
}

TEST(ResolveSecrets, DoesNotTrustAStateThatWasNotObserved) {
    std::string verifier = LB_MUST(make_scram_verifier("one"));
    ProjectState live = live_with("app", verifier);
    live.branches[0].is_observed = false;
    ProjectSpec spec = spec_with_passwords();
    auto read = reader_of({{"APP_PASSWORD", "one"}, {"owner.password", "two"}});
    ASSERT_TRUE(resolve_secrets(spec, live, read).is_ok());
    EXPECT_NE(spec.roles[0].attributes.password_verifier, verifier);
}

TEST(ResolveSecrets, NamesEveryMissingSecret) {
    ProjectSpec spec = spec_with_passwords();
    Status status = resolve_secrets(spec, {}, reader_of({}));
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().code, ErrorCode::kSecretMissing);
    EXPECT_EQ(to_text(status.error()),
              "error[LB0505]: password of role \"app\" (lb.toml:5:20): environment variable "
              "APP_PASSWORD: is not set\n"
              "  password of role \"owner\" (lb.toml:8:21): file \"owner.password\": is not set\n"
              "help: export APP_PASSWORD=...\n");
}

TEST(ResolveSecrets, NamesAReferenceOnce) {
    ProjectSpec spec = spec_with_passwords();
    Status status = resolve_secrets(spec, {}, [](const SecretReference& reference) {
        return Result<std::string>(
            Error{.code = ErrorCode::kIo, .message = cat("cannot read ", reference.name)});
    });
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().code, ErrorCode::kSecretMissing);
    EXPECT_EQ(status.error().message,
              "password of role \"app\" (lb.toml:5:20): cannot read APP_PASSWORD");
}

TEST(ResolveSecrets, RefusesAnEmptyPassword) {
    ProjectSpec spec = spec_with_passwords();
    auto read = reader_of({{"APP_PASSWORD", ""}, {"owner.password", "two"}});
    Status status = resolve_secrets(spec, {}, read);
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.error().code, ErrorCode::kSecretMissing);
    EXPECT_NE(status.error().message.find("APP_PASSWORD"), std::string::npos);
    EXPECT_NE(status.error().help, "");
}

TEST(ResolveSecrets, MakesAPasswordOnceAndNeverReplacesIt) {
    DiagnosticSink sink;
    auto spec = read_spec(
        "[project]\nname = \"shop\"\n[roles.app]\nlogin = true\n"
        "password = { generate = true, file = \"app.password\" }\n",
        "lb.toml", sink);
    ASSERT_TRUE(spec.has_value());
    auto not_there = [](const SecretReference&) -> Result<std::string> {
        return Error{.code = ErrorCode::kNotFound, .message = "not there"};
    };
    int made = 0;
    auto make = [&made](const SecretReference& reference) -> Result<std::string> {
        EXPECT_EQ(reference.name, "app.password");
        ++made;
        return std::string("made by lb");
    };
    ProjectSpec first = *spec;
    ASSERT_TRUE(resolve_secrets(first, {}, not_there, make).is_ok());
    const std::string verifier = first.roles.at(0).attributes.password_verifier;
    EXPECT_TRUE(scram_verifier_matches(verifier, "made by lb"));
    EXPECT_EQ(made, 1);
    // The file is on another machine.
    ProjectSpec later = *spec;
    ASSERT_TRUE(resolve_secrets(later, live_with("app", verifier), not_there, make).is_ok());
    EXPECT_EQ(later.roles.at(0).attributes.password_verifier, verifier);
    EXPECT_EQ(made, 1);
    ProjectSpec without = *spec;
    EXPECT_EQ(resolve_secrets(without, {}, not_there).error().code, ErrorCode::kSecretMissing);
}

}  // namespace
}  // namespace lb::specs
