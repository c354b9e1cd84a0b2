#include "tests/engine/crash_points.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

#include "base/assert.h"

namespace lb::engine {

namespace {

constexpr const char* kKindVariable = "LB_CRASH_POINT_KIND";
constexpr const char* kNumberVariable = "LB_CRASH_POINT";
constexpr const char* kCountsFile = "/crash-points";

std::atomic<bool> is_counting = false;
std::array<std::atomic<int>, kCrashPointKinds> counts{};
int wanted_kind = -1;
int wanted_number = 0;
thread_local bool is_applying_thread = false;

int number_of(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? 0 : std::atoi(text);
}

// A statement of libpq: a simple query, or the parse of an extended one.
bool is_statement(const void* bytes, size_t size) {
    if (!is_counting || size < 5) return false;
    char first = *static_cast<const char*>(bytes);
    return first == 'Q' || first == 'P';
}

template <class Function>
Function* next_of(const char* name) {
    void* found = ::dlsym(RTLD_NEXT, name);
    LB_ASSERT(found != nullptr);
    return reinterpret_cast<Function*>(found);
}

}  // namespace

std::string_view to_text(CrashPoint kind) {
    switch (kind) {
        case CrashPoint::kStep: return "journal step";
        case CrashPoint::kSync: return "sync of a file of the store";
        case CrashPoint::kCommitWrite: return "write of a commit frame";
        case CrashPoint::kStatement: return "SQL statement, before it is sent";
        case CrashPoint::kStatementSent: return "SQL statement, while it runs";
    }
    return "";
}

void begin_crash_points() {
    wanted_kind = number_of(kKindVariable);
    wanted_number = number_of(kNumberVariable);
    is_applying_thread = true;
    is_counting = true;
}

void end_crash_points(const std::string& directory) {
    is_counting = false;
    std::ofstream out(directory + kCountsFile);
    for (const std::atomic<int>& count : counts) out << count.load() << "\n";
}

void pass_crash_point(CrashPoint kind) {
    if (!is_counting) return;
    int number = ++counts[static_cast<size_t>(kind)];
    if (static_cast<int>(kind) == wanted_kind && number == wanted_number) {
        ::kill(::getpid(), SIGKILL);
    }
}

void kill_children_at(CrashPoint kind, int number) {
    ::setenv(kKindVariable, std::to_string(static_cast<int>(kind)).c_str(), 1);
    ::setenv(kNumberVariable, std::to_string(number).c_str(), 1);
}

CrashPointCounts counts_in(const std::string& directory) {
    CrashPointCounts result{};
    std::ifstream in(directory + kCountsFile);
    for (int& count : result) LB_ASSERT(in >> count);
    return result;
}

}  // namespace lb::engine

using lb::engine::CrashPoint;
using lb::engine::pass_crash_point;

extern "C" {

int fdatasync(int descriptor) {
    static auto* next = lb::engine::next_of<int(int)>("fdatasync");
    pass_crash_point(CrashPoint::kSync);
    return next(descriptor);
}

int fsync(int descriptor) {
    static auto* next = lb::engine::next_of<int(int)>("fsync");
    pass_crash_point(CrashPoint::kSync);
    return next(descriptor);
}

ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t offset) {
    static auto* next = lb::engine::next_of<ssize_t(int, const iovec*, int, off_t)>("pwritev");
    if (lb::engine::is_applying_thread) pass_crash_point(CrashPoint::kCommitWrite);
    return next(descriptor, pieces, count, offset);
}

ssize_t send(int descriptor, const void* bytes, size_t size, int flags) {
    static auto* next = lb::engine::next_of<ssize_t(int, const void*, size_t, int)>("send");
    bool is_sql = lb::engine::is_statement(bytes, size);
    if (is_sql) pass_crash_point(CrashPoint::kStatement);
    ssize_t sent = next(descriptor, bytes, size, flags);
    if (is_sql) pass_crash_point(CrashPoint::kStatementSent);
    return sent;
}

}  // extern "C"
