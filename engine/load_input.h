// The file that is loaded: opened, measured and recognised by its contents, not by its name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/process_descriptor.h"

namespace lb::engine {

enum class LoadFormat {
    kScript,            // plain SQL
    kArchive,           // pg_dump -Fc, -Ft: readable from a stream
    kArchiveDirectory,  // pg_dump -Fd
};

// Recognises the format of a file by its first bytes. Errors: kLoadFailed for what neither psql nor
// pg_restore reads (compressed files, UTF-16 ...), saying what it is and how to make it readable.
Result<LoadFormat> recognise(std::string_view start, const std::string& name);

class LoadInput {
public:
    // `file` "-": standard input. Errors: kNotFound, kIo, kLoadFailed.
    static Result<LoadInput> open(const std::string& file);

    const std::string& name() const { return name_; }  // for messages
    LoadFormat format() const { return format_; }
    bool is_regular_file() const { return is_regular_file_; }
    uint64_t size_bytes() const { return size_bytes_; }  // 0: unknown
    // The first bytes, which read() will give again.
    std::string_view start() const { return start_; }

    // The next bytes; empty at the end. Errors: kIo.
    Result<std::string> read();
    uint64_t read_bytes() const { return read_bytes_; }

    // For a program that reads a regular file by itself: the descriptor, positioned at the start.
    Result<int> rewound_descriptor();
    // How far whoever shares the descriptor has read.
    uint64_t shared_offset_bytes() const;

private:
    Status open_file(const std::string& file);
    Status read_start();

    std::string name_;
    LoadFormat format_ = LoadFormat::kScript;
    bool is_regular_file_ = false;
    uint64_t size_bytes_ = 0;
    Descriptor descriptor_;
    std::string start_;
    bool is_start_given_ = false;
    uint64_t read_bytes_ = 0;
};

}  // namespace lb::engine
