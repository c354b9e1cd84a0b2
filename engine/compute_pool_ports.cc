#include "engine/compute_pool_ports.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.h"

namespace lb::engine {

namespace {

Error bad_address(const std::string& address, std::string_view why) {
    return Error{.code = ErrorCode::kComputeStartFailed,
                 .message = cat("cannot listen on address ", quoted(address), ": ", why),
                 .help = "set listen_addresses to addresses of this machine"};
}

Status check_one(const std::string& address, uint16_t port, const addrinfo& candidate) {
    int file =
        ::socket(candidate.ai_family, candidate.ai_socktype | SOCK_CLOEXEC, candidate.ai_protocol);
    if (file < 0) return ok();  // a protocol that this kernel lacks; PostgreSQL passes over it too
    int yes = 1;
    ::setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (candidate.ai_family == AF_INET6) {
        ::setsockopt(file, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    int failed = ::bind(file, candidate.ai_addr, candidate.ai_addrlen) == 0 ? 0 : errno;
    ::close(file);
    if (failed == 0) return ok();
    if (failed == EADDRINUSE) {
        return Error{.code = ErrorCode::kPortInUse,
                     .message = cat("port ", port, " of ", quoted(address), " is in use"),
                     .help = "choose another port, or leave it out and lb finds a free one"};
    }
    return bad_address(address, system_error(ErrorCode::kIo, "bind", failed).message);
}

}  // namespace

Status check_port_is_free(const std::vector<std::string>& addresses, uint16_t port) {
    std::string service = std::to_string(port);
    for (const std::string& address : addresses) {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_PASSIVE;
        addrinfo* found = nullptr;
        const char* host = address == "*" ? nullptr : address.c_str();
        int failed = ::getaddrinfo(host, service.c_str(), &hints, &found);
        if (failed != 0) return bad_address(address, ::gai_strerror(failed));
        std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
        for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
            LB_TRY(check_one(address, port, *one));
        }
    }
    return ok();
}

}  // namespace lb::engine
