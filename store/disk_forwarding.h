// A disk that hands everything on to another one, for those that change one thing of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "store/disk.h"

namespace lb::store {

class ForwardingDisk : public Disk {
public:
    explicit ForwardingDisk(Disk& disk) : disk_(disk) {}

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        return disk_.open(path, mode);
    }
    Status create_directory(const std::string& path) override {
        return disk_.create_directory(path);
    }
    Result<std::vector<std::string>> list(const std::string& directory) override {
        return disk_.list(directory);
    }
    Result<bool> exists(const std::string& path) override { return disk_.exists(path); }
    Status rename(const std::string& from, const std::string& to) override {
        return disk_.rename(from, to);
    }
    Status remove(const std::string& path) override { return disk_.remove(path); }
    Status sync_directory(const std::string& path) override { return disk_.sync_directory(path); }
    Result<uint64_t> free_bytes(const std::string& path) override { return disk_.free_bytes(path); }
    Clock& clock() override { return disk_.clock(); }

private:
    Disk& disk_;
};

}  // namespace lb::store
