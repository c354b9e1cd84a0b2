#include "base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/text.h"

namespace lb {
namespace {

TEST(Json, KeepsOrderAndTypes) {
    std::string text = R"({"b":1,"a":[true,null,-2,1.5,"x"],"c":{}})";
    Json json = LB_MUST(Json::parse(text));
    EXPECT_EQ(json.dump(), text);
    EXPECT_EQ(LB_MUST(json.integer_at("b")), 1);
    EXPECT_EQ(LB_MUST(json.array_at("a"))->size(), 5U);
}

TEST(Json, RefusesWhatIsNotJson) {
    std::string deep(100, '[');
    for (const std::string& text : {std::string(""),
                                    std::string("{"),
                                    std::string("{\"a\":1,\"a\":2}"),
                                    std::string("1 2"),
                                    std::string("\"\xff\""),
                                    deep,
                                    std::string("{'a':1}"),
                                    std::string("[1,]"),
                                    std::string("nan"),
                                    std::string("1e999"),
                                    std::string("1\0", 2),
                                    std::string("[1\0]", 4),
                                    std::string(R"("\ud800")"),
                                    std::string(R"("\udc00")"),
                                    std::string(R"("\ud800\u0041")"),
                                    std::string(R"({"\udc00":1})"),
                                    std::string("01"),
                                    std::string("+1"),
                                    std::string("1."),
                                    std::string("[1]]"),
                                    std::string("tru"),
                                    std::string("\"\n\"")}) {
        auto parsed = Json::parse(text);
        ASSERT_FALSE(parsed.is_ok()) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::kBadRequest);
    }
}

TEST(Json, SaysWhereAndWhat) {
    auto message = [](std::string_view text) { return Json::parse(text).error().message; };
    EXPECT_EQ(message("{\"a\": 1,\n \"b\" 2}"),
              "JSON: line 2, column 6: Missing a colon after a name of object member.");
    EXPECT_EQ(message("{\"a\":{\"x\":1,\"y\":2,\"x\":3}}").substr(0, 15), "JSON: line 1, c");
    std::string many = "{";
    for (int i = 0; i < 100; i++) many += cat("\"key", i, "\":1,");
    EXPECT_NE(message(many + "\"key7\":2}").find("duplicate key \"key7\""), std::string::npos);
    EXPECT_TRUE(Json::parse(many + "\"key\":2}").is_ok());
}

TEST(Json, NumbersKeepTheirValues) {
    auto again = [](std::string_view text) { return LB_MUST(Json::parse(text)).dump(); };
    EXPECT_EQ(again("[9223372036854775807,-9223372036854775808,0,-0]"),
              "[9223372036854775807,-9223372036854775808,0,0]");
    EXPECT_EQ(LB_MUST(Json::parse("18446744073709551615")), Json(18446744073709551615.0));
    EXPECT_EQ(LB_MUST(Json::parse("0.1")), Json(0.1));
    EXPECT_EQ(LB_MUST(Json::parse("1e-999")), Json(0.0));
    EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Json, WritesWhatIsNoTextAsReplacements) {
    EXPECT_EQ(Json("a\xff\xc3\xa4\xc3").dump(), "\"a\uFFFD\u00e4\uFFFD\"");
    EXPECT_EQ(Json(std::string("\x01\0\x7f", 3)).dump(), "\"\\u0001\\u0000\x7f\"");
}

TEST(Json, AccessorsNameTheKey) {
    Json json = LB_MUST(Json::parse(R"({"name":7,"count":-1})"));
    EXPECT_EQ(json.text_at("name").error().message, "JSON: key \"name\" is not a text");
    EXPECT_EQ(json.text_at("nam").error().message, "JSON: key \"nam\" is missing");
    EXPECT_EQ(json.unsigned_at("count").error().message, "JSON: key \"count\" is negative");
}

RC_GTEST_PROP(Json, TextsRoundTrip, (const std::string& text)) {
    Json json = Json::object();
    json.set("text", text);
    auto parsed = Json::parse(json.dump());
    RC_ASSERT(parsed.is_ok());  // whatever the bytes: invalid UTF-8 is replaced
}

RC_GTEST_PROP(Json, NoTextCrashesTheParser, (const std::string& text)) {
    auto parsed = Json::parse(text);
    if (parsed.is_ok()) RC_ASSERT(LB_MUST(Json::parse(parsed->dump())) == *parsed);
}

}  // namespace
}  // namespace lb
