// Reclaims a store that nobody has open, as if hours had passed, and tells what is left.
//   reclaim_bench STORE_DIRECTORY HOURS...
// With a window of 30 days: after 2 hours the past has one position a second, after 26 one a
// minute. Last, with a window of 0: only what the branches show.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "store/disk_forwarding.h"
#include "store/store.h"

using namespace lb;
using namespace lb::store;

namespace {

class LaterClock final : public Clock {
public:
    explicit LaterClock(Clock& clock) : clock_(clock) {}
    WallTime now() override { return clock_.now() + later_; }
    void set_hours(int hours) { later_ = std::chrono::hours{hours}; }

private:
    Clock& clock_;
    std::chrono::nanoseconds later_{};
};

// The real disk in a later hour.
class LaterDisk final : public ForwardingDisk {
public:
    LaterDisk() : ForwardingDisk(posix_disk()) {}
    Clock& clock() override { return clock_; }
    void set_hours(int hours) { clock_.set_hours(hours); }

private:
    LaterClock clock_{posix_disk().clock()};
};

void reclaim(Store& store) {
    while (LB_MUST(store.reclaim_step())) {
    }
}

void print(const char* when, const Store& store, double seconds) {
    StoreStatistics now = store.statistics();
    std::printf("%s hot %lu cold %lu plain %lu seconds %.1f\n", when, now.log_bytes, now.cold_bytes,
                now.cold_plain_bytes, seconds);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 2) return 2;
    LaterDisk disk;
    auto store = LB_MUST(
        Store::open({.directory = arguments[1], .disk = &disk, .has_reclaim_thread = false}));
    print("now", *store, 0);
    if (argument_count == 2) return 0;
    store->set_restore_windows({.standard = std::chrono::hours{24 * 30}});
    for (int i = 2; i < argument_count; i++) {
        disk.set_hours(std::atoi(arguments[i]));
        auto began = std::chrono::steady_clock::now();
        reclaim(*store);
        std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        print(cat(arguments[i], "h").c_str(), *store, took.count());
    }
    store->set_restore_windows({.standard = std::chrono::hours{0}});
    disk.set_hours(std::atoi(arguments[argument_count - 1]) + 1);  // all is looked at again
    reclaim(*store);
    print("none", *store, 0);
    LB_MUST(store->close());
}
