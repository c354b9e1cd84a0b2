// Files of the source tree, for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace lb::specs {

inline std::filesystem::path source_directory() { return LB_SOURCE_DIR; }

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file.good()) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    EXPECT_TRUE(file.good()) << path;
}

// tests/specs/cases/*, sorted.
inline std::vector<std::filesystem::path> case_directories() {
    std::vector<std::filesystem::path> found;
    std::filesystem::path cases = source_directory() / "tests/specs/cases";
    for (const auto& entry : std::filesystem::directory_iterator(cases)) {
        if (entry.is_directory()) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace lb::specs
