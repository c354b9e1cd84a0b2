// A store in a temporary directory, with short words for what tests do with it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/store.h"

namespace lb::store {

class StoreFixture : public ::testing::Test {
protected:
    StoreFixture() {
        std::string pattern = (std::filesystem::temp_directory_path() / "lb-store-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        open();
    }
    ~StoreFixture() override {
        if (store_) LB_MUST(store_->close());
        store_.reset();
        std::filesystem::remove_all(directory_);
    }

    Store& store() { return *store_; }
    const std::string& directory() const { return directory_; }

    void open() {
        store_ = LB_MUST(Store::open(
            {.directory = directory_ + "/store", .spare_segments = 0, .segment_bytes = 16 << 20}));
    }
    void close() {
        LB_MUST(store_->close());
        store_.reset();
    }
    void reopen() {
        close();
        open();
    }
    void lose_index() {
        close();
        std::filesystem::remove_all(directory_ + "/store/index");
        open();
    }

    LineId new_root() {
        LineId line = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line}}}));
        return line;
    }
    LineId new_child(LineId parent, Position at = kHead) {
        LineId line = store_->reserve_line();
        LB_MUST(store_->commit({.create = {{.line = line, .parent = parent, .at = at}}}));
        return line;
    }
    FileAttributes must_create(LineId line, InodeId directory, const std::string& name,
                               FileType type = FileType::kFile) {
        return LB_MUST(store_->create(line, directory, name, {.type = type}));
    }
    InodeId inode_of_name(LineId line, const std::string& name) {
        return LB_MUST(store_->lookup(line, kRootInode, name)).inode;
    }
    bool has(LineId line, const std::string& name, InodeId directory = kRootInode) {
        return store_->lookup(line, directory, name).is_ok();
    }
    // Creates or replaces a file of the root directory.
    void put(LineId line, const std::string& name, const std::string& text) {
        InodeId inode =
            has(line, name) ? inode_of_name(line, name) : must_create(line, kRootInode, name).inode;
        LB_MUST(store_->set_attributes(line, inode, {.size_bytes = 0}));
        LB_MUST(store_->write(line, inode, 0, as_bytes(text)));
    }
    std::string bytes_of(LineId line, InodeId inode) {
        uint64_t size_bytes = LB_MUST(store_->attributes(line, inode)).size_bytes;
        Bytes bytes(size_bytes + 100, std::byte{0xEE});
        size_t count = LB_MUST(store_->read(line, inode, 0, bytes));
        EXPECT_EQ(count, size_bytes);
        return std::string(as_text(bytes).substr(0, count));
    }
    std::string content(LineId line, const std::string& name) {
        return bytes_of(line, inode_of_name(line, name));
    }

private:
    std::string directory_;
    std::unique_ptr<Store> store_;
};

}  // namespace lb::store
