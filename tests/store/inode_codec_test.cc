#include "store/inode_codec.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "store/hidden_names.h"

namespace lb::store {
namespace {

InodeRecord sample() {
    InodeRecord inode{.data = first_data(InodeId{77}), .parent = InodeId{3}};
    inode.attributes = {.inode = InodeId{77},
                        .type = FileType::kSymlink,
                        .mode = 0640,
                        .link_count = 2,
                        .size_bytes = 5,
                        .modified_at = WallTime(std::chrono::nanoseconds(123456789)),
                        .changed_at = WallTime(std::chrono::nanoseconds(-5))};
    inode.symlink_target = "a/b/c";
    return inode;
}

TEST(InodeCodec, AttributesSurvive) {
    Bytes bytes = encode_inode(sample());
    auto decoded = decode_inode(InodeId{77}, bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(encode_inode(*decoded), bytes);
    EXPECT_EQ(decoded->attributes.inode, InodeId{77});
    EXPECT_EQ(decoded->attributes.type, FileType::kSymlink);
    EXPECT_EQ(decoded->attributes.mode, 0640U);
    EXPECT_EQ(decoded->attributes.link_count, 2U);
    EXPECT_EQ(decoded->attributes.changed_at.time_since_epoch().count(), -5);
    EXPECT_EQ(decoded->symlink_target, "a/b/c");
}

TEST(InodeCodec, EveryShorterPayloadIsRefused) {
    Bytes bytes = encode_inode(sample());
    for (size_t size = 0; size < bytes.size(); size++) {
        EXPECT_FALSE(decode_inode(InodeId{77}, ByteView(bytes).first(size))) << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_inode(InodeId{77}, bytes));
}

TEST(InodeCodec, UnknownTypesAndImpossibleSizesAreRefused) {
    Bytes bytes = encode_inode(sample());
    bytes[0] = std::byte{4};
    EXPECT_FALSE(decode_inode(InodeId{77}, bytes));
    InodeRecord large = sample();
    large.attributes.size_bytes = kFileMaxBytes + 1;
    EXPECT_FALSE(decode_inode(InodeId{77}, encode_inode(large)));
}

TEST(InodeCodec, DirentsLinesAndNotesSurvive) {
    Bytes dirent = encode_dirent({InodeId{9}, FileType::kDirectory, "base"});
    auto decoded_dirent = decode_dirent(dirent);
    ASSERT_TRUE(decoded_dirent);
    EXPECT_EQ(decoded_dirent->child, InodeId{9});
    EXPECT_EQ(decoded_dirent->name, "base");
    EXPECT_FALSE(decode_dirent(encode_dirent({InodeId{9}, FileType::kFile, ".."})));
    EXPECT_FALSE(decode_dirent(encode_dirent({InodeId{9}, FileType::kFile, ""})));

    auto line = decode_line(encode_line({LineId{4}, Position{1234}}));
    ASSERT_TRUE(line);
    EXPECT_EQ(line->parent, LineId{4});
    EXPECT_EQ(line->fork_position, Position{1234});

    Bytes present = encode_note({"key", "value"});
    EXPECT_EQ(decode_note(present)->value, "value");
    Bytes absent = encode_note({"key", std::nullopt});
    EXPECT_EQ(decode_note(absent)->value, std::nullopt);
    Bytes empty = encode_note({"key", ""});
    EXPECT_EQ(decode_note(empty)->value, "");
    absent.push_back(std::byte{1});
    EXPECT_FALSE(decode_note(absent));
}

RC_GTEST_PROP(InodeCodecProperty, WhatDecodesEncodesToTheSameBytes, (std::vector<uint8_t> raw)) {
    ByteView bytes = std::as_bytes(std::span(raw));
    if (auto inode = decode_inode(InodeId{5}, bytes)) {
        RC_ASSERT(encode_inode(*inode) == Bytes(bytes.begin(), bytes.end()));
    }
    if (auto dirent = decode_dirent(bytes)) {
        RC_ASSERT(encode_dirent(*dirent) == Bytes(bytes.begin(), bytes.end()));
    }
    if (auto note = decode_note(bytes)) {
        RC_ASSERT(encode_note(*note) == Bytes(bytes.begin(), bytes.end()));
    }
}

TEST(Names, WhatCouldLeadOutOfADirectoryIsRefused) {
    EXPECT_TRUE(is_valid_name("base"));
    EXPECT_TRUE(is_valid_name("..."));
    EXPECT_TRUE(is_valid_name(std::string(255, 'x')));
    for (std::string_view name : {"", ".", "..", "a/b", "/"}) EXPECT_FALSE(is_valid_name(name));
    EXPECT_FALSE(is_valid_name(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_valid_name(std::string(256, 'x')));
}

TEST(Names, OnlyServerFilesAreHidden) {
    using enum DirectoryRole;
    EXPECT_TRUE(is_hidden_when_inherited(kRoot, "postmaster.pid"));
    EXPECT_TRUE(is_hidden_when_inherited(kRoot, "postmaster.opts"));
    EXPECT_FALSE(is_hidden_when_inherited(kOther, "postmaster.pid"));
    EXPECT_FALSE(is_hidden_when_inherited(kRoot, "postmaster.pid.bak"));
    EXPECT_TRUE(is_hidden_when_inherited(kOther, "pgsql_tmp"));
    EXPECT_TRUE(is_hidden_when_inherited(kOther, "pgsql_tmp4711.0"));
    EXPECT_TRUE(is_hidden_when_inherited(kStatisticsTemporary, "global.stat"));
    EXPECT_FALSE(is_hidden_when_inherited(kRoot, "pg_stat_tmp"));
    EXPECT_FALSE(is_hidden_when_inherited(kRoot, "PG_VERSION"));
}

}  // namespace
}  // namespace lb::store
