// A generous ceiling on reading a spec of 10,000 branches; `./dev bench` measures more closely.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <ctime>

#include "base/text.h"
#include "specs/spec_reader.h"

namespace lb::specs {
namespace {

// What sanitizers cost is not what is measured here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSlowBuild = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kIsSlowBuild = true;
#else
constexpr bool kIsSlowBuild = false;
#endif
#else
constexpr bool kIsSlowBuild = false;
#endif

std::string large_spec() {
    std::string text = "[project]\nname = \"shop\"\n";
    for (int i = 0; i < 9'999; ++i) {
        text += cat("\n[branches.\"feature/branch-", i, "\"]\nparent = \"main\"\nttl = \"14d\"\n");
        if (i % 10 == 0) text += "compute = { min_cu = 0.5 }\n";
    }
    return text;
}

// Of this process: other work on the machine must not fail the test.
std::chrono::nanoseconds cpu_time() {
    timespec now = {};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

int64_t peak_kib() {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(ReadSpecSpeed, TenThousandBranches) {
    if (kIsSlowBuild) GTEST_SKIP() << "not measured with sanitizers";
    std::string text = large_spec();
    int64_t before_kib = peak_kib();
    auto best = std::chrono::nanoseconds::max();
    for (int run = 0; run < 5; ++run) {
        DiagnosticSink sink;
        std::chrono::nanoseconds start = cpu_time();
        std::optional<ProjectSpec> spec = read_spec(text, "lb.toml", sink);
        best = std::min(best, cpu_time() - start);
        ASSERT_TRUE(spec.has_value());
        ASSERT_EQ(spec->branches.size(), 10'000U);
    }
    RecordProperty("best", format_duration(best));
    std::printf("10,000 branches (%s): %s, %lld KiB\n", format_bytes(text.size()).c_str(),
                format_duration(best).c_str(), static_cast<long long>(peak_kib() - before_kib));
    EXPECT_LT(best, std::chrono::milliseconds(300));
    EXPECT_LT(peak_kib() - before_kib, 48 * 1024);
}

}  // namespace
}  // namespace lb::specs
