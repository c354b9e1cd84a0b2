// A test that applies one spec after another to the project "shop".
#pragma once

#include "base/text.h"
#include "tests/cli/e2e_support.h"

namespace lb::tests {

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class ApplyTest : public ShellTest {
protected:
    // `tables`: what comes after [project] in the spec.
    void write(const std::string& tables) {
        shell().write_spec(cat("[project]\nname = \"shop\"\n", tables));
    }
    void apply(const std::string& tables, const std::string& options = {}) {
        write(tables);
        shell().must(cat("PW=secret-word lb apply --auto-approve ", options));
    }
};

}  // namespace lb::tests
