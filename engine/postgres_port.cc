#include "engine/postgres_port.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/text.h"
#include "engine/compute.h"
#include "engine/process_descriptor.h"
#include "engine/process_find.h"

namespace lb::engine {

namespace {

constexpr uint16_t kFirstPort = 54320;
constexpr uint16_t kPortCount = 8192;
static_assert(kFirstPort + kPortCount <= UINT16_MAX);

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<AddressList> resolve(const std::string& address, uint16_t port) {
    addrinfo wanted{};
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const char* node = address == "*" ? nullptr : address.c_str();
    int failure = ::getaddrinfo(node, std::to_string(port).c_str(), &wanted, &found);
    if (failure != 0) {
        return Error{.code = ErrorCode::kComputeStartFailed,
                     .message = cat("cannot resolve the listen address ", quoted(address), ": ",
                                    ::gai_strerror(failure)),
                     .help = "use an address of this machine, such as 127.0.0.1"};
    }
    return AddressList(found, &::freeaddrinfo);
}

// 0, or the errno with which listening fails.
int try_to_listen(const addrinfo& address) {
    Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, address.ai_protocol));
    if (!socket.is_open()) return errno;
    // As PostgreSQL does, so that connections in TIME_WAIT do not count.
    int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address.ai_family == AF_INET6) {
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0) return errno;
    return ::listen(socket.get(), 1) == 0 ? 0 : errno;
}

Result<bool> is_address_free(const std::string& address, uint16_t port) {
    AddressList list = LB_TRY(resolve(address, port));
    for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
        int failure = try_to_listen(*entry);
        if (failure == EADDRINUSE) return false;
        // "*" and "localhost" stand for IPv6 too, which a machine need not have.
        bool is_optional = entry->ai_family == AF_INET6 && address.find(':') == std::string::npos;
        if (failure != 0 && !is_optional) {
            Error error = system_error(ErrorCode::kComputeStartFailed,
                                       cat("cannot listen on ", address, " port ", port), failure);
            error.help = "set listen_addresses to addresses of this machine";
            return error;
        }
    }
    return true;
}

Result<bool> is_port_free(const std::vector<std::string>& addresses, uint16_t port) {
    for (const std::string& address : addresses) {
        if (!LB_TRY(is_address_free(address, port))) return false;
    }
    return true;
}

}  // namespace

Error port_in_use(uint16_t port) {
    std::string owner = describe_port_owner(port);
    return Error{.code = ErrorCode::kPortInUse,
                 .message = cat("port ", port, " is in use",
                                owner.empty() ? std::string() : cat(" by ", owner)),
                 .help = "end that process, or set another port for this compute"};
}

Status check_port_is_free(const std::vector<std::string>& addresses, uint16_t port) {
    if (!LB_TRY(is_port_free(addresses, port))) return port_in_use(port);
    return ok();
}

Result<uint16_t> choose_port(const std::vector<std::string>& addresses,
                             const std::vector<uint16_t>& taken) {
    // A port that is free now is taken only when the server starts. So that two homes that start at
    // the same time do not meet there, each process begins to look at a place of its own.
    auto offset = static_cast<uint32_t>(::getpid()) * 37 % kPortCount;
    for (uint32_t step = 0; step < kPortCount; ++step) {
        auto port = static_cast<uint16_t>(kFirstPort + (offset + step) % kPortCount);
        if (std::find(taken.begin(), taken.end(), port) != taken.end()) continue;
        if (LB_TRY(is_port_free(addresses, port))) return port;
    }
    return Error{
        .code = ErrorCode::kPortInUse,
        .message = cat("no free port from ", kFirstPort, " to ", kFirstPort + kPortCount - 1),
        .help = "stop computes that are not needed"};
}

}  // namespace lb::engine
