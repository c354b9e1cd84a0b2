#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/run.h"

int main(int argument_count, char** arguments) {
    // Our own code throws nothing; the standard library does when memory is gone.
    try {
        std::vector<std::string> words(arguments + (argument_count > 0 ? 1 : 0),
                                       arguments + argument_count);
        return static_cast<int>(lb::cli::run(words));
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "error[LB0001]: %s\n", exception.what());
        return static_cast<int>(lb::ExitCode::kError);
    }
}
