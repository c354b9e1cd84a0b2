// Random scripts on the store and on an oracle: files, branches at the head and in the past,
// deletes, restarts of every kind, power cuts.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "tests/store/store_script.h"

namespace lb::store {
namespace {

RC_GTEST_PROP(StoreModel, EveryLineEqualsTheOracle, ()) {
    auto script = *script_generator(WithPowerCuts::kNo);
    ScriptRunner(IndexKind::kMemory).run(script);
}

RC_GTEST_PROP(StoreModel, EveryLineEqualsTheOracleAfterPowerCuts, ()) {
    auto script = *script_generator(WithPowerCuts::kYes);
    ScriptRunner(IndexKind::kMemory).run(script);
}

RC_GTEST_PROP(StoreModel, EveryLineEqualsTheOracleWithoutCaches, ()) {
    auto script = *script_generator(WithPowerCuts::kYes);
    ScriptRunner(IndexKind::kMemory, CacheKind::kNone).run(script);
}

// Without caches every operation reads the index, so that it is up to date at a power cut, and
// ahead of what is left of the log.
RC_GTEST_PROP(StoreModel, EveryLineEqualsTheOracleWithTheRealIndex, (bool has_cache)) {
    auto script = *script_generator(WithPowerCuts::kYes);
    ScriptRunner(IndexKind::kRocksdb, has_cache ? CacheKind::kDefault : CacheKind::kNone)
        .run(script);
}

RC_GTEST_PROP(StoreModel, ReclaimTakesNothingThatIsNeeded, (bool has_cache)) {
    auto script = *script_generator(WithPowerCuts::kYes, Focus::kReclaim);
    ScriptRunner(IndexKind::kMemory, has_cache ? CacheKind::kDefault : CacheKind::kNone)
        .run(script);
}

RC_GTEST_PROP(StoreModel, ReclaimTakesNothingThatIsNeededWithTheRealIndex, (bool has_cache)) {
    auto script = *script_generator(WithPowerCuts::kYes, Focus::kReclaim);
    ScriptRunner(IndexKind::kRocksdb, has_cache ? CacheKind::kDefault : CacheKind::kNone)
        .run(script);
}

}  // namespace
}  // namespace lb::store
