// Finding specs and reading secrets.
#include "cli/spec_file.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "specs/spec_reader.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

using specs::SecretReference;

class SpecFileTest : public ::testing::Test {
protected:
    void SetUp() override { previous_ = std::filesystem::current_path(); }
    void TearDown() override { std::filesystem::current_path(previous_); }

    tests::TemporaryDirectory directory_;
    std::filesystem::path previous_;
};

TEST_F(SpecFileTest, IsSearchedUpwards) {
    std::filesystem::create_directories(directory_.path("a/b"));
    std::filesystem::current_path(directory_.path("a/b"));
    EXPECT_FALSE(find_spec_file("").has_value());
    tests::write_file(directory_.path("lb.toml"), "");
    EXPECT_EQ(find_spec_file(""), "../../lb.toml");
    tests::write_file(directory_.path("a/b/lb.toml"), "");
    EXPECT_EQ(find_spec_file(""), "lb.toml");
    EXPECT_EQ(find_spec_file("other.toml"), "other.toml");
}

TEST_F(SpecFileTest, SecretsOfTheEnvironment) {
    SecretReference reference{
        .kind = SecretReference::Kind::kEnvironment, .name = "LB_TEST_SECRET", .span = {}};
    unsetenv("LB_TEST_SECRET");
    EXPECT_EQ(read_secret(reference, ".").error().code, ErrorCode::kSecretMissing);
    setenv("LB_TEST_SECRET", "", 1);
    EXPECT_EQ(read_secret(reference, ".").error().code, ErrorCode::kSecretMissing);
    setenv("LB_TEST_SECRET", "s3cret\n", 1);
    EXPECT_EQ(LB_MUST(read_secret(reference, ".")), "s3cret\n");
    unsetenv("LB_TEST_SECRET");
}

TEST_F(SpecFileTest, SecretsOfFiles) {
    SecretReference reference{
        .kind = SecretReference::Kind::kFile, .name = "secrets/app", .span = {}};
    EXPECT_EQ(read_secret(reference, directory_.path()).error().code, ErrorCode::kSecretMissing);
    std::filesystem::create_directory(directory_.path("secrets"));
    tests::write_file(directory_.path("secrets/app"), "s3cret\n");
    EXPECT_EQ(LB_MUST(read_secret(reference, directory_.path())), "s3cret");
    tests::write_file(directory_.path("secrets/app"), "\n");
    EXPECT_EQ(read_secret(reference, directory_.path()).error().code, ErrorCode::kSecretMissing);
}

TEST_F(SpecFileTest, MistakesAreCounted) {
    tests::write_file(directory_.path("lb.toml"), "[project]\nname = \"UPPER\"\nnmae = 1\n");
    Output output(OutputFormat::kJson, Verbosity::kQuiet, ColourWish::kNever);
    Result<specs::ProjectSpec> spec = read_spec_file(directory_.path("lb.toml"), {}, output);
    ASSERT_FALSE(spec.is_ok());
    EXPECT_EQ(spec.error().code, ErrorCode::kInvalidSpec);
    EXPECT_NE(spec.error().message.find("2 errors"), std::string::npos) << spec.error().message;
    EXPECT_EQ(read_spec_file(directory_.path("absent.toml"), {}, output).error().code,
              ErrorCode::kIo);
}

TEST_F(SpecFileTest, HasMoreFilesBesideIt) {
    const std::string spec = directory_.path("lb.toml");
    tests::write_file(spec, "[project]\nname = \"shop\"\n");
    EXPECT_EQ(LB_MUST(spec_file_paths(spec)), std::vector<std::string>{spec});
    std::filesystem::create_directory(directory_.path("lb.d"));
    tests::write_file(directory_.path("lb.d/b.toml"), "[branches.b]\n");
    tests::write_file(directory_.path("lb.d/a.toml"), "[branches.a]\nparent = \"b\"\n");
    tests::write_file(directory_.path("lb.d/.hidden.toml"), "wrong");
    tests::write_file(directory_.path("lb.d/README.md"), "wrong");
    EXPECT_EQ(LB_MUST(spec_file_paths(spec)),
              (std::vector<std::string>{spec, directory_.path("lb.d/a.toml"),
                                        directory_.path("lb.d/b.toml")}));
    CheckedSpec checked = LB_MUST(check_spec_file(spec, {}));
    ASSERT_TRUE(checked.spec);
    EXPECT_EQ(checked.spec->find_branch("a")->span.file, directory_.path("lb.d/a.toml"));
    EXPECT_EQ(checked.sources.size(), 3U);
}

// What a spec says does not depend on how and where it says it.
TEST_F(SpecFileTest, ContentHashIsOfTheContent) {
    auto hash_of = [&](const std::string& name) {
        return LB_MUST(check_spec_file(directory_.path(name), {})).spec.value().content_hash;
    };
    std::filesystem::create_directory(directory_.path("two.d"));
    tests::write_file(directory_.path("two.toml"), "[project]\nname = \"shop\"\n[branches.b]\n");
    tests::write_file(directory_.path("two.d/x.toml"), "[branches.a]\nparent = \"b\"  # so\n");
    tests::write_file(directory_.path("one.toml"),
                      "branches = { a = { parent = 'b' }, b = {} }\nproject.name = \"shop\"\n");
    tests::write_file(directory_.path("other.toml"),
                      "branches = { a = { parent = 'b' }, c = {}, b = {} }\n"
                      "project.name = \"shop\"\n");
    EXPECT_EQ(hash_of("one.toml"), hash_of("two.toml"));
    EXPECT_NE(hash_of("one.toml"), hash_of("other.toml"));
}

TEST_F(SpecFileTest, FilesThatCannotBeReadAreNamed) {
    const std::string spec = directory_.path("lb.toml");
    tests::write_file(spec, "[project]\nname = \"shop\"\n");
    auto message = [&] {
        Result<CheckedSpec> checked = check_spec_file(spec, {});
        return checked.is_ok() ? std::string("ok") : checked.error().message;
    };
    EXPECT_EQ(message(), "ok");
    std::filesystem::create_symlink("nowhere", directory_.path("lb.d"));
    EXPECT_NE(message().find("lb.d\": No such file"), std::string::npos) << message();
    std::filesystem::remove(directory_.path("lb.d"));
    tests::write_file(directory_.path("lb.d"), "");
    EXPECT_NE(message().find("lb.d\": Not a directory"), std::string::npos) << message();
    std::filesystem::remove(directory_.path("lb.d"));
    std::filesystem::create_directories(directory_.path("lb.d/x.toml"));
    EXPECT_NE(message().find("x.toml\": Is a directory"), std::string::npos) << message();
    std::filesystem::remove(directory_.path("lb.d/x.toml"));
    std::filesystem::create_symlink("nowhere", directory_.path("lb.d/y.toml"));
    EXPECT_NE(message().find("y.toml\": No such file"), std::string::npos) << message();
    std::filesystem::remove(directory_.path("lb.d/y.toml"));
    tests::write_file(directory_.path("lb.d/z.toml"), std::string(specs::kSpecMaxBytes + 1, '#'));
    EXPECT_NE(message().find("z.toml\" is larger"), std::string::npos) << message();
    tests::write_file(directory_.path("lb.d/z.toml"), "a = \"\xff\"\n");
    CheckedSpec checked = LB_MUST(check_spec_file(spec, {}));
    ASSERT_EQ(checked.diagnostics.size(), 1U);
    EXPECT_EQ(checked.diagnostics[0].code, 106);
    EXPECT_EQ(checked.diagnostics[0].span.file, directory_.path("lb.d/z.toml"));
}

TEST_F(SpecFileTest, VariablesAreGivenOnceEach) {
    EXPECT_EQ(LB_MUST(given_variables({"a=1", "b=x=y", "c="})),
              (GivenVariables{{"a", "1"}, {"b", "x=y"}, {"c", ""}}));
    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{"a"}, {"=1"}, {"a=1", "a=2"}}) {
        EXPECT_EQ(given_variables(wrong).error().code, ErrorCode::kUsage);
    }
    EXPECT_EQ(given_variables({"hunter2"}).error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace lb::cli
