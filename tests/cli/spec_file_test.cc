// Finding specs and reading secrets.
#include "cli/spec_file.h"

#include <gtest/gtest.h>

#include <cstdlib>

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
    Result<specs::ProjectSpec> spec = read_spec_file(directory_.path("lb.toml"), output);
    ASSERT_FALSE(spec.is_ok());
    EXPECT_EQ(spec.error().code, ErrorCode::kInvalidSpec);
    EXPECT_NE(spec.error().message.find("2 errors"), std::string::npos) << spec.error().message;
    EXPECT_EQ(read_spec_file(directory_.path("absent.toml"), output).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace lb::cli
