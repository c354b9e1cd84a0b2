// fusermount3: the setuid program through which an ordinary user mounts and unmounts.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace lb::store {

// Owns a file descriptor.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : number_(other.take()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        reset();
        number_ = other.take();
        return *this;
    }

    int number() const { return number_; }
    int take() { return std::exchange(number_, -1); }
    void reset() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

private:
    int number_ = -1;
};

struct HelperResult {
    bool is_started = false;  // false: not installed, or no resources
    bool is_success = false;
    std::string output = {};     // what it wrote to stderr, on one line
    Descriptor connection = {};  // the descriptor that it sent; -1 if none
};

// Runs fusermount3 with these arguments and waits for it.
HelperResult run_fuse_helper(std::vector<std::string> arguments);

}  // namespace lb::store
