// Long random lives of a store on a disk in memory, in one thread and in virtual time: what
// store_script.h can do - files, branches, deletes, full disks, restarts, faults while it recovers,
// power cuts that drop and tear what was not synced - against the oracle. The same seed is the
// same life.
//
//   LB_SIMULATION_SECONDS=600   how long (default 5)
//   LB_SEED=...                 one life, to repeat a failure
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>

#include "base/text.h"
#include "tests/store/store_script.h"

namespace lb::store {
namespace {

std::optional<uint64_t> number_from(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return {};
    return std::strtoull(text, nullptr, 10);
}

constexpr int kScriptSize = 250;  // on average about 190 steps
constexpr int kReclaimScriptSize = 150;

// How many steps the life had.
size_t live(uint64_t seed) {
    Focus focus = seed % 2 == 0 ? Focus::kFiles : Focus::kReclaim;
    int size = focus == Focus::kFiles ? kScriptSize : kReclaimScriptSize;
    std::vector<Step> script =
        script_generator(WithPowerCuts::kYes, focus)(rc::Random(seed), size).value();
    IndexKind index = seed / 2 % 4 == 0 ? IndexKind::kRocksdb : IndexKind::kMemory;
    CacheKind cache = seed % 3 == 0 ? CacheKind::kNone : CacheKind::kDefault;
    try {
        ScriptRunner(index, cache).run(script);
    } catch (const rc::detail::CaseResult& failure) {
        ADD_FAILURE() << "LB_SEED=" << seed << ": " << failure.description;
    }
    return script.size();
}

TEST(StoreSimulation, LongLives) {
    if (auto seed = number_from("LB_SEED")) {
        live(*seed);
        return;
    }
    auto end = std::chrono::steady_clock::now() +
               std::chrono::seconds(number_from("LB_SIMULATION_SECONDS").value_or(5));
    uint64_t seed = std::random_device{}();
    uint64_t first = seed;
    size_t step_count = 0;
    while (std::chrono::steady_clock::now() < end && !HasFailure()) step_count += live(seed++);
    std::printf("%lu lives from LB_SEED=%lu on, %zu steps\n", seed - first, first, step_count);
}

}  // namespace
}  // namespace lb::store
