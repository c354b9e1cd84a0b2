#include "base/scram.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

TEST(Scram, MatchesItsOwnPasswordOnly) {
    std::string verifier = LB_MUST(make_scram_verifier("s3cret"));
    EXPECT_TRUE(scram_verifier_matches(verifier, "s3cret"));
    EXPECT_FALSE(scram_verifier_matches(verifier, "s3cret "));
    EXPECT_FALSE(scram_verifier_matches(verifier, ""));
    EXPECT_NE(verifier, LB_MUST(make_scram_verifier("s3cret")));  // salted
}

TEST(Scram, MatchesAVerifierThatPostgresMade) {
    // What PostgreSQL 15 stored for CREATE ROLE a PASSWORD 'pencil'.
    EXPECT_TRUE(scram_verifier_matches(
        "SCRAM-SHA-256$4096:PU+d4ptX9eK4pxq3vIbjNw==$6fH0cdY9tiEml52mjalr+/sKjyagsadQNse0"
        "NC1m0+U=:v7nW6cPxrxcD9h97mISTYKqHSAL/Hp7xQ/KtdZ0E1LM=",
        "pencil"));
}

TEST(Scram, NormalisesLikePostgres) {
    // SASLprep maps U+00A0 to a space and U+00AD to nothing.
    std::string verifier = LB_MUST(make_scram_verifier("a b"));
    EXPECT_TRUE(scram_verifier_matches(verifier,
                                       "a\xc2\xa0\xc2\xad"
                                       "b"));
}

TEST(Scram, RefusesMalformedVerifiersAndPasswords) {
    for (const char* text : {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096:$a:b",
                             "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$AA==:AA=="}) {
        EXPECT_FALSE(scram_verifier_matches(text, "pencil")) << text;
    }
    EXPECT_FALSE(make_scram_verifier("").is_ok());
    EXPECT_FALSE(make_scram_verifier(std::string_view("a\0b", 3)).is_ok());
}

}  // namespace
}  // namespace lb
