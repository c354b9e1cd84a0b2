// FuseSpin: whether it pays to look for the next request for some microseconds before sleeping.
//
// A program that works with files request by request (a bulk load, a commit) sends the next one a
// few microseconds after the last answer. Waking a thread up for it costs more than the request
// itself, above all in a virtual machine, where it means an interrupt to another processor. So the
// reader looks for a while first, as long as that has lately been worth it.
//
// For the thread that holds the baton.
#pragma once

#include <algorithm>
#include <chrono>

namespace lb::store {

class FuseSpin {
public:
    using Duration = std::chrono::steady_clock::duration;
    static constexpr std::chrono::microseconds kSpinTime{30};

    bool is_worth_it() const { return credit_ >= 0; }

    // What became of the last wait: how long it took until there was a request.
    void request_came_after(Duration waited, bool has_spun) {
        if (waited <= kSpinTime) {
            credit_ = std::min(credit_ + 1, kCreditMax);
        } else {
            // Time that was spun away in vain weighs more than a chance that was missed.
            credit_ = std::max(credit_ - (has_spun ? 2 : 1), -kCreditMax);
        }
    }

private:
    static constexpr int kCreditMax = 4;
    int credit_ = 0;
};

}  // namespace lb::store
