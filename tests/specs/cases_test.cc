// Golden cases: tests/specs/cases/NNN-name/spec.toml, with the files of spec.d beside it and the
// values of the files "variables" and "environment", must give expected.txt, which holds the
// rendered diagnostics, or what was read where there are none. LB_SNAP_UPDATE=1 rewrites
// expected.txt.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "tests/specs/case_files.h"
#include "tests/specs/spec_text.h"

namespace lb::specs {
namespace {

std::map<std::string, std::string> assignments(const std::filesystem::path& path) {
    std::map<std::string, std::string> values;
    if (!std::filesystem::exists(path)) return values;
    for (const std::string& line : split(read_file(path), '\n')) {
        size_t equals = line.find('=');
        if (equals != std::string::npos) values[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return values;
}

// spec.toml and spec.d/*.toml; "variables" and "environment" have lines NAME=VALUE.
SpecSource source_of(const std::filesystem::path& directory) {
    SpecSource source{.files = {{"spec.toml", read_file(directory / "spec.toml")}}};
    std::vector<std::string> names;
    if (std::filesystem::exists(directory / "spec.d")) {
        for (const auto& entry : std::filesystem::directory_iterator(directory / "spec.d")) {
            names.push_back(cat("spec.d/", entry.path().filename().string()));
        }
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names)
        source.files.push_back({name, read_file(directory / name)});
    source.variables = assignments(directory / "variables");
    source.environment = [values = assignments(directory / "environment")](
                             const std::string& name) -> std::optional<std::string> {
        auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
    return source;
}

std::string outcome(const std::filesystem::path& directory) {
    SpecSource source = source_of(directory);
    std::map<std::string, std::string> sources;
    for (const SourceFile& file : source.files) sources.emplace(file.name, file.text);
    DiagnosticSink sink;
    std::optional<ProjectSpec> spec = read_spec(source, sink);
    EXPECT_EQ(spec.has_value(), !sink.has_errors());
    std::string out = render_diagnostics(sink.sorted(), sources, Colour::kNever);
    if (!spec) return out;
    return out + (out.empty() ? "" : "\n") + describe(*spec);
}

TEST(SpecCases, GiveWhatTheyExpect) {
    bool is_update = std::getenv("LB_SNAP_UPDATE") != nullptr;
    std::vector<std::filesystem::path> cases = case_directories();
    ASSERT_FALSE(cases.empty());
    for (const std::filesystem::path& directory : cases) {
        SCOPED_TRACE(directory.filename());
        std::string actual = outcome(directory);
        std::filesystem::path expected_file = directory / "expected.txt";
        if (is_update) {
            write_file(expected_file, actual);
            continue;
        }
        ASSERT_TRUE(std::filesystem::exists(expected_file))
            << "run LB_SNAP_UPDATE=1 specs_cases_test and look at the new file";
        EXPECT_EQ(actual, read_file(expected_file))
            << "if this is right: LB_SNAP_UPDATE=1 specs_cases_test";
    }
}

// No text of a secret may reach a terminal. In the cases, every secret contains "hunter2".
TEST(SpecCases, ShowNoSecret) {
    for (const std::filesystem::path& directory : case_directories()) {
        std::string actual = outcome(directory);
        EXPECT_EQ(actual.find("hunter2"), std::string::npos) << directory.filename() << "\n"
                                                             << actual;
    }
}

TEST(SpecExamples, AreValid) {
    size_t count = 0;
    std::filesystem::path examples = source_directory() / "specs/examples";
    for (const auto& entry : std::filesystem::directory_iterator(examples)) {
        if (entry.path().extension() != ".toml") continue;
        ++count;
        std::string text = read_file(entry.path());
        DiagnosticSink sink;
        EXPECT_TRUE(read_spec(text, entry.path().filename(), sink).has_value());
        EXPECT_EQ(
            render_diagnostics(sink.sorted(), {{entry.path().filename(), text}}, Colour::kNever),
            "");
    }
    EXPECT_GE(count, 2U);
}

}  // namespace
}  // namespace lb::specs
