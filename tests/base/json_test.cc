#include "base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
    for (const std::string& text :
         {std::string(""), std::string("{"), std::string("{\"a\":1,\"a\":2}"), std::string("1 2"),
          std::string("\"\xff\""), deep, std::string("{'a':1}"), std::string("[1,]"),
          std::string("nan"), std::string("1e999")}) {
        auto parsed = Json::parse(text);
        ASSERT_FALSE(parsed.is_ok()) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::kBadRequest);
    }
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
