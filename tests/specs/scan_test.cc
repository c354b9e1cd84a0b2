// The lexical scans: which text is hidden, and which keys are too deep.
#include <gtest/gtest.h>

#include "base/text.h"
#include "specs/internal/secrets.h"
#include "specs/internal/toml_scanner.h"
#include "specs/internal/utf8.h"

namespace lb::specs {
namespace {

// `text` with each hidden range as "*".
std::string hidden(std::string_view text) {
    std::string out;
    size_t at = 0;
    for (const TextRange& range : find_secrets(text)) {
        out += cat(text.substr(at, range.begin - at), "*");
        at = range.end;
    }
    return out + std::string(text.substr(at));
}

TEST(FindSecrets, HidesValuesOfSecretKeys) {
    EXPECT_EQ(hidden("password = \"x\"\nlogin = true\n"), "password = *\nlogin = true\n");
    EXPECT_EQ(hidden("PassWord='x' # y\n"), "PassWord=*\n");
    EXPECT_EQ(hidden("pasword = 1"), "pasword = *");
    EXPECT_EQ(hidden("db_pwd = 1\napi_token = 2\nclient_secret = 3\npass = 4"),
              "db_pwd = *\napi_token = *\nclient_secret = *\npass = *");
    EXPECT_EQ(hidden("\"pass\\u0077ord\" = \"x\""), "\"pass\\u0077ord\" = *");
    EXPECT_EQ(hidden("app.password.plain = \"x\""), "app.password.plain = *");
    EXPECT_EQ(hidden("password = \"\"\"\na\nb\"\"\" # c\nlogin = 1"), "password = *\nlogin = 1");
    EXPECT_EQ(hidden("password = [\n\"a\",\n\"b\"]\nlogin = 1"), "password = *\nlogin = 1");
}

TEST(FindSecrets, ShowsReferencesAndEverythingElse) {
    for (std::string_view text :
         {"password = { env = \"APP_PASSWORD\" }\n", "password = {file='a/b.txt'} # c\n",
          "password.env = \"APP_PASSWORD\"", "[roles.app.password]\nfile = \"x\"\n",
          "app = { password = { env = \"X\" }, login = true }\n", "bypass_row_security = true",
          "[roles.password]\nlogin = true", "port = 5433\nparent = \"main\"", "password = ",
          "# password = \"x\"\n", "x = 'password = y'\n", "[branches.passport]\nttl = \"1d\""}) {
        EXPECT_EQ(hidden(text), text);
    }
}

TEST(FindSecrets, HidesReferencesThatMayBePasswords) {
    EXPECT_EQ(hidden("password = { env = \"s3cret!\" }"), "password = *");
    EXPECT_EQ(hidden("password = { env = \"A\", plain = \"x\" }"), "password = *");
    EXPECT_EQ(hidden("password = { plain = \"x\" }"), "password = *");
    EXPECT_EQ(hidden("password = { env = \"A\" } x"), "password = *");
    EXPECT_EQ(hidden("password.env = \"\"\"A\"\"\""), "password.env = *");
    EXPECT_EQ(hidden("[roles.app.password]\nenv = \"A\"\nplain = 'x'\n[roles.b]\nlogin = 1"),
              "[roles.app.password]\nenv = \"A\"\nplain = *\n[roles.b]\nlogin = 1");
}

TEST(FindSecrets, HidesInBrokenText) {
    EXPECT_EQ(hidden("password = \"x\"y\"\nlogin = 1"), "password = *\nlogin = 1");
    EXPECT_EQ(hidden("password = \"x\nlogin = 1"), "password = *\nlogin = 1");
    EXPECT_EQ(hidden("a = \"\"\"b\npassword = 'x'"), "a = *");
    EXPECT_EQ(hidden("a = \"\"\"b\npassword = \"\"\"x\"\"\""), "a = \"\"\"b\npassword = *");
    EXPECT_EQ(hidden("a = [\n[roles.app.password]\nplain = 1"),
              "a = [\n[roles.app.password]\nplain = *");
    EXPECT_EQ(hidden("a = \"\"\"b\npassword = \"\"\"\nx\n\"\"\"\nlogin = 1"),
              "a = \"\"\"b\npassword = *");
    EXPECT_EQ(hidden("= password = x"), "= password = *");
    EXPECT_EQ(hidden("password = [ \"x\"\nlogin = 1"), "password = *");
}

size_t too_deep_at(std::string_view text) { return find_excess(text).key_parts_at; }

TEST(FindExcess, CountsThePartsOfEachKeyByItself) {
    constexpr size_t kNone = std::string_view::npos;
    EXPECT_EQ(too_deep_at("a.b = 1\nx = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, "
                          "1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]"),
              kNone);
    EXPECT_EQ(too_deep_at("a = \".................\" # ................."), kNone);
    EXPECT_EQ(too_deep_at("a='''\n.................'''''\n"), kNone);
    EXPECT_EQ(too_deep_at("a = \"\\\".................\""), kNone);
    EXPECT_EQ(too_deep_at("a . \"b\" . c.d.e.f.g.h.i.j.k.l.m.n.o.p"), kNone);
    EXPECT_EQ(too_deep_at("a . \"b\" . c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"), 37U);
    EXPECT_NE(too_deep_at("x = { a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q = 1 }"), kNone);
}

TEST(FindExcess, CountsTables) {
    constexpr size_t kNone = std::string_view::npos;
    std::string text;
    for (size_t i = 0; i < kTablesMax / 3; ++i) text += "[a]\n[[b]]\nx.y = [[1.5]]\nz = 1\n";
    EXPECT_EQ(find_excess(text).tables_at, kNone);
    EXPECT_EQ(find_excess(cat(text, "[a]")).tables_at, text.size());
    EXPECT_EQ(find_excess(cat(text, "a.b = 1")).tables_at, text.size() + 4);
}

TEST(FindBareNonAscii, SkipsStringsAndComments) {
    EXPECT_EQ(find_bare_non_ascii("a = \"é\" # é\n\"é\".'é' = \"\"\"\né\"\"\"\n"),
              std::string::npos);
    EXPECT_EQ(find_bare_non_ascii("a\xc2\xa0= \"é\""), 1U);
    EXPECT_EQ(find_bare_non_ascii("é = 1"), 0U);
    EXPECT_EQ(find_bare_non_ascii(""), std::string::npos);
}

TEST(Utf8, DecodesAndSurvives) {
    EXPECT_EQ(decode_code_point("a", 0).value, 'a');
    EXPECT_EQ(decode_code_point("é", 0).value, 0xe9U);
    EXPECT_EQ(decode_code_point("語", 0).value, 0x8a9eU);
    EXPECT_EQ(decode_code_point("👩", 0).value, 0x1f469U);
    for (std::string_view text :
         {"\xff", "\xc3", "\xe8\xaa", "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
        EXPECT_FALSE(decode_code_point(text, 0).is_valid);
        EXPECT_EQ(decode_code_point(text, 0).size_bytes, 1U);
        EXPECT_EQ(find_invalid_utf8(cat("é", text)), 2U);
    }
    EXPECT_EQ(find_invalid_utf8("aé語👩"), std::string_view::npos);
}

}  // namespace
}  // namespace lb::specs
