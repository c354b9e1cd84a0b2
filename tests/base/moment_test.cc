#include "base/model/moment.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

std::string canonical(std::string_view text) {
    auto moment = parse_moment(text);
    return moment ? to_text(*moment) : "none";
}

TEST(Moment, HasOneCanonicalText) {
    EXPECT_EQ(canonical(""), "");
    EXPECT_EQ(canonical("position:42"), "position:42");
    EXPECT_EQ(canonical("0/16b3748"), "0/16B3748");
    EXPECT_EQ(canonical("00000000/016B3748"), "0/16B3748");
    EXPECT_EQ(canonical("FF/FFFFFFFF"), "FF/FFFFFFFF");
    EXPECT_EQ(canonical("2026-04-12T11:30:00+02:00"), "2026-04-12T09:30:00Z");
    EXPECT_EQ(canonical("2026-04-12T09:30:00.250000Z"), "2026-04-12T09:30:00.25Z");
    for (const char* text : {"", "position:1", "1/2", "2026-04-12T09:30:00.000000001Z"}) {
        EXPECT_EQ(canonical(text), text);
    }
}

TEST(Moment, RefusesWhatNamesNone) {
    for (const char* text :
         {"now", "yesterday", "2026-04-12", "2026-04-12T09:30:00", "position:", "position:0",
          "position:-1", "position:9223372036854775808", "position:1 ", "/", "0/", "/1", "0/1/2",
          "0/100000000", "0x1/2", "0/-1", "git:4f2c1e9", " 0/1"}) {
        EXPECT_FALSE(parse_moment(text)) << text;
    }
}

}  // namespace
}  // namespace lb
