#include "engine/wal_page.h"

#include <gtest/gtest.h>

#include <array>

namespace lb::engine {
namespace {

using Page = std::array<std::byte, kWalPageBytes>;

Page page_of(uint64_t start, uint16_t flags, uint32_t remaining) {
    Page page{};
    store_little_endian(page.data(), uint16_t{0xD110});
    store_little_endian(page.data() + 2, flags);
    store_little_endian(page.data() + 4, uint32_t{1});
    store_little_endian(page.data() + 8, start);
    store_little_endian(page.data() + 16, remaining);
    if ((flags & 2) != 0) store_little_endian(page.data() + 32, uint32_t{16} << 20);
    return page;
}

Lsn end_of(const Page& page) { return wal_page_end(*decode_wal_page(page), page); }

TEST(WalFileName, IsThatOfPostgres) {
    auto name = parse_wal_file_name("0000000100000002000000FE");
    ASSERT_TRUE(name);
    EXPECT_EQ(to_text(*name), "0000000100000002000000FE");
    EXPECT_EQ(name->start(uint64_t{16} << 20), Lsn{0x2FE000000});
    EXPECT_EQ(WalFileName::of(1, Lsn{0x2FE000001}, uint64_t{16} << 20), *name);
    for (const char* text : {"", "0000000100000002000000F", "0000000100000002000000fe",
                             "00000001.history", "archive_status"}) {
        EXPECT_FALSE(parse_wal_file_name(text)) << text;
    }
}

TEST(WalPage, RecordsAreFollowedToTheirEnd) {
    Page page = page_of(0x1000000, 2, 0);
    EXPECT_EQ(end_of(page), Lsn{0x1000000 + 40});
    store_little_endian(page.data() + 40, uint32_t{114});
    EXPECT_EQ(end_of(page), Lsn{0x1000000 + 160});
    store_little_endian(page.data() + 160, uint32_t{9000});  // goes on behind the page
    EXPECT_EQ(end_of(page), Lsn{0x1000000 + 160});

    Page continued = page_of(0x1002000, 1, 100);
    EXPECT_EQ(end_of(continued), Lsn{0x1002000 + 24 + 104});
    EXPECT_EQ(end_of(page_of(0x1002000, 1, 20'000)), Lsn{0x1002000});
}

TEST(WalPage, WhatIsNoneIsNone) {
    EXPECT_FALSE(decode_wal_page(Page{}));
    EXPECT_FALSE(decode_wal_page({}));
    EXPECT_FALSE(decode_wal_page(page_of(0x1000001, 0, 0)));
}

}  // namespace
}  // namespace lb::engine
