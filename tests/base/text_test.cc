#include "base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/ids.h"

namespace lb {
namespace {

using std::chrono::seconds;

TEST(Text, CatTakesTextAndNumbers) {
    EXPECT_EQ(cat("a", 1, 'b', std::string("c"), uint64_t{18446744073709551615U}),
              "a1bc18446744073709551615");
}

TEST(Text, QuotedEscapes) { EXPECT_EQ(quoted("a\"b\\c\n\x01"), R"("a\"b\\c\n\x01")"); }

TEST(Text, FormatBytes) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1023 B");
    EXPECT_EQ(format_bytes(65536), "64.0 KiB");
    EXPECT_EQ(format_bytes((uint64_t{1} << 20) - 1), "1.0 MiB");
    EXPECT_EQ(format_bytes(uint64_t{1288490189}), "1.2 GiB");
    EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(Text, ParseDuration) {
    EXPECT_EQ(parse_duration("7d"), seconds(604800));
    EXPECT_EQ(parse_duration("1d12h"), seconds(129600));
    EXPECT_EQ(parse_duration("2w"), seconds(1209600));
    EXPECT_EQ(parse_duration("0s"), seconds(0));
    for (const char* text : {"", "d", "7", "-1d", "7 d", "12h1d", "1d1d", "1.5h", "99999999999999d",
                             "200000d", "7D", "7days"}) {
        EXPECT_FALSE(parse_duration(text).has_value()) << text;
    }
}

RC_GTEST_PROP(Text, DurationsRoundTrip, ()) {
    auto duration = seconds(*rc::gen::inRange<int64_t>(0, int64_t{36500} * 86400));
    RC_ASSERT(parse_duration(format_short_duration(duration)) == duration);
}

TEST(Text, ParseTime) {
    auto time = parse_time("2026-04-12T09:30:00Z");
    ASSERT_TRUE(time.has_value());
    EXPECT_EQ(time->time_since_epoch(), seconds(1775986200));
    EXPECT_EQ(parse_time("2026-04-12T11:30:00+02:00"), time);
    EXPECT_EQ(*parse_time("2026-04-12T09:30:00.25Z") - *time, std::chrono::milliseconds(250));
    for (const char* text :
         {"", "2026-04-12", "2026-04-12T09:30:00", "2026-02-30T00:00:00Z", "2026-04-12T24:00:00Z",
          "2026-04-12T09:30:00Zx", "2026-04-12T09:30:00.Z", "2026-4-12T09:30:00Z",
          "1969-01-01T00:00:00Z", "2026-04-12T09:30:00+2:00"}) {
        EXPECT_FALSE(parse_time(text).has_value()) << text;
    }
}

RC_GTEST_PROP(Text, TimesRoundTrip, ()) {
    WallTime time{seconds(*rc::gen::inRange<int64_t>(0, 7258118400))};
    RC_ASSERT(parse_time(format_time(time)) == time);
}

TEST(Text, NearestFindsLikelyMisspellings) {
    std::vector<std::string_view> keys = {"protected", "parent", "ttl", "expire_time"};
    EXPECT_EQ(nearest("protcted", keys), "protected");
    EXPECT_EQ(nearest("paretn", keys), "parent");
    EXPECT_EQ(nearest("tll", keys), "ttl");
    EXPECT_EQ(nearest("colour", keys), "");
    EXPECT_EQ(nearest(std::string(100000, 'a'), keys), "");
}

TEST(Text, Utf8) {
    EXPECT_TRUE(is_utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x90\x98"));
    for (const char* text : {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                             "\xe2\x82", "\xff"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

}  // namespace
}  // namespace lb
