#include "tests/engine/sql_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/assert.h"
#include "base/text.h"

namespace lb::engine::testing {

namespace {

constexpr int kPollMs = 20;

sockaddr_un address_of(const SqlTarget& target) {
    std::string path = cat(target.socket_directory, "/.s.PGSQL.", target.port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    LB_ASSERT(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

bool send_all(int socket, const char* data, size_t size) {
    while (size > 0) {
        ssize_t sent = ::send(socket, data, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        data += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

// The server's messages, cut at their borders: type, length with itself, contents.
class MessageStream {
public:
    void append(const char* data, size_t size) { buffer_.append(data, size); }
    // The next whole message; empty if there is none yet.
    std::string next() {
        if (buffer_.size() < 5) return "";
        uint32_t length = 0;
        for (size_t i = 1; i < 5; ++i) length = length << 8 | static_cast<uint8_t>(buffer_[i]);
        if (buffer_.size() < size_t{1} + length) return "";
        std::string message = buffer_.substr(0, size_t{1} + length);
        buffer_.erase(0, message.size());
        return message;
    }

private:
    std::string buffer_;
};

}  // namespace

SqlProxy::SqlProxy(const SqlTarget& server, std::function<bool(int)> on_statement)
    : server_(server), on_statement_(std::move(on_statement)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = address_of(target());
    LB_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    LB_ASSERT(::listen(listener_, 8) == 0);
    acceptor_ = std::thread([this] { accept_connections(); });
}

SqlProxy::~SqlProxy() {
    is_stopping_ = true;
    acceptor_.join();
    ::close(listener_);
}

SqlTarget SqlProxy::target() const {
    SqlTarget target = server_;
    target.socket_directory = directory_.path();
    return target;
}

void SqlProxy::accept_connections() {
    bool is_first = true;
    while (!is_stopping_) {
        pollfd waiting{listener_, POLLIN, 0};
        if (::poll(&waiting, 1, kPollMs) <= 0) continue;
        int client = ::accept(listener_, nullptr, nullptr);
        if (client < 0) continue;
        connections_.emplace_back([this, client, is_first] { serve(client, is_first); });
        is_first = false;
    }
    for (std::thread& connection : connections_) connection.join();
}

void SqlProxy::serve(int client, bool is_first) {
    int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = address_of(server_);
    bool is_open = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    MessageStream messages;
    int statements = -1;  // the first "ready" ends the start of the session
    std::array<char, 64 * 1024> buffer;
    while (is_open && !is_stopping_) {
        std::array<pollfd, 2> waiting = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
        if (::poll(waiting.data(), waiting.size(), kPollMs) < 0) break;
        if (waiting[0].revents != 0) {
            ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
            is_open = count > 0 && send_all(server, buffer.data(), static_cast<size_t>(count));
        }
        if (is_open && waiting[1].revents != 0) {
            ssize_t count = ::recv(server, buffer.data(), buffer.size(), 0);
            if (count <= 0) break;
            messages.append(buffer.data(), static_cast<size_t>(count));
            for (std::string next = messages.next(); is_open && !next.empty();
                 next = messages.next()) {
                bool is_ready = next[0] == 'Z';
                if (is_ready && is_first && ++statements > 0) is_open = on_statement_(statements);
                if (is_open) is_open = send_all(client, next.data(), next.size());
            }
        }
    }
    ::close(server);
    ::close(client);
}

}  // namespace lb::engine::testing
