// LB_ASSERT: a condition that only a bug in lb can break. Stays on in release builds: a store must
// stop before it writes something wrong. LB_DASSERT is for hot loops and debug builds only.
#pragma once

namespace lb {

// Prints the condition with its place to stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace lb

#define LB_ASSERT(condition)                                        \
    do {                                                            \
        if (__builtin_expect(!(condition), 0)) {                    \
            ::lb::assertion_failed(#condition, __FILE__, __LINE__); \
        }                                                           \
    } while (false)

#ifdef NDEBUG
#define LB_DASSERT(condition) static_cast<void>(sizeof(condition))
#else
#define LB_DASSERT(condition) LB_ASSERT(condition)
#endif
