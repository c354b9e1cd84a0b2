#include "cli/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "base/text.h"
#include "cli/protocol.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

constexpr unsigned kConnectionMax = 64;
constexpr size_t kStreamChunkBytes = 64 << 10;

// A request while its body arrives.
struct IncomingRequest {
    HttpRequest request;
    bool is_too_large = false;
};

// Lines on their way from the thread that makes them to the connection that sends them.
class LineStream {
public:
    explicit LineStream(std::function<void(const LineSink&)> produce)
        : producer_([this, produce = std::move(produce)] {
              produce([this](std::string line) { push(std::move(line)); });
              std::lock_guard lock(mutex_);
              is_complete_ = true;
              changed_.notify_all();
          }) {}
    ~LineStream() { producer_.join(); }
    LineStream(const LineStream&) = delete;
    LineStream& operator=(const LineStream&) = delete;

    // Waits for bytes; 0 at the end.
    size_t read(char* out, size_t size) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !pending_.empty() || is_complete_; });
        size_t count = std::min(size, pending_.size());
        std::memcpy(out, pending_.data(), count);
        pending_.erase(0, count);
        return count;
    }

private:
    void push(std::string line) {
        std::lock_guard lock(mutex_);
        pending_ += line;
        pending_ += '\n';
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string pending_;
    bool is_complete_ = false;
    std::thread producer_;  // last: it uses the others
};

ssize_t read_stream(void* stream, uint64_t, char* out, size_t size) {
    size_t count = static_cast<LineStream*>(stream)->read(out, size);
    return count == 0 ? MHD_CONTENT_READER_END_OF_STREAM : static_cast<ssize_t>(count);
}

void delete_stream(void* stream) { delete static_cast<LineStream*>(stream); }

// Our own decoder works on the raw target, where %2F and / are not the same.
size_t keep_escapes(void*, MHD_Connection*, char* text) { return std::strlen(text); }

MHD_Result append_argument(void* target, MHD_ValueKind, const char* key, const char* value) {
    std::string& text = *static_cast<std::string*>(target);
    text += text.find('?') == std::string::npos ? '?' : '&';
    text += key;
    if (value != nullptr) text += cat("=", std::string_view(value));
    return MHD_YES;
}

bool is_allowed_peer(MHD_Connection* connection) {
    const MHD_ConnectionInfo* info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == nullptr) return false;
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

HttpResponse error_response(int status, ErrorCode code, std::string message) {
    return {.status = status,
            .body = to_json(Error{.code = code, .message = std::move(message)}).dump()};
}

MHD_Result send(MHD_Connection* connection, HttpResponse response) {
    MHD_Response* answer = nullptr;
    std::string content_type = std::move(response.content_type);
    if (response.stream) {
        content_type = "application/x-ndjson";
        auto stream = std::make_unique<LineStream>(std::move(response.stream));
        answer = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamChunkBytes, read_stream,
                                                   stream.get(), delete_stream);
        if (answer != nullptr) static_cast<void>(stream.release());
    } else {
        answer = MHD_create_response_from_buffer(response.body.size(), response.body.data(),
                                                 MHD_RESPMEM_MUST_COPY);
    }
    if (answer == nullptr) return MHD_NO;
    MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, content_type.c_str());
    MHD_add_response_header(answer, std::string(kVersionHeader).c_str(),
                            std::string(version()).c_str());
    MHD_Result result =
        MHD_queue_response(connection, static_cast<unsigned>(response.status), answer);
    MHD_destroy_response(answer);
    return result;
}

class HttpServerImpl final : public HttpServer {
public:
    HttpServerImpl(HttpServerOptions options, HttpHandler handler)
        : options_(std::move(options)), handler_(std::move(handler)) {}
    ~HttpServerImpl() override { stop(); }

    Status listen();

    int quiesce() override {
        is_socket_open_ = false;
        return MHD_quiesce_daemon(daemon_);
    }

    bool wait_until_idle(size_t request_count, std::chrono::milliseconds patience) override {
        std::unique_lock lock(mutex_);
        return idle_.wait_for(lock, patience, [&] { return active_count_ <= request_count; });
    }

    void close_socket() override {
        if (!std::exchange(is_socket_open_, false)) return;
        unlink(options_.socket_path.c_str());
        MHD_socket listener = MHD_quiesce_daemon(daemon_);
        if (listener != MHD_INVALID_SOCKET) close(listener);
    }

    void stop() override {
        if (daemon_ == nullptr) return;
        close_socket();
        // libmicrohttpd would cut the connections; their clients are to get their answers first.
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return active_count_ == 0; });
        lock.unlock();
        MHD_stop_daemon(std::exchange(daemon_, nullptr));
    }

private:
    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                                 const char* method, const char* http_version,
                                 const char* upload_data, size_t* upload_size, void** context);
    static void on_completed(void* self, MHD_Connection* connection, void** context,
                             MHD_RequestTerminationCode code);

    MHD_Result begin(MHD_Connection* connection, const char* url, const char* method,
                     void** context);
    void receive(IncomingRequest& incoming, std::string_view piece) const;
    HttpResponse answer(MHD_Connection* connection, const IncomingRequest& incoming) const;

    HttpServerOptions options_;
    HttpHandler handler_;
    MHD_Daemon* daemon_ = nullptr;
    bool is_socket_open_ = false;
    std::mutex mutex_;
    std::condition_variable idle_;
    size_t active_count_ = 0;  // requests between begin() and on_completed()
};

MHD_Result HttpServerImpl::begin(MHD_Connection* connection, const char* url, const char* method,
                                 void** context) {
    auto incoming = std::make_unique<IncomingRequest>();
    incoming->request.method = method;
    incoming->request.target = url;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, append_argument,
                              &incoming->request.target);
    const char* client_version = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                             std::string(kVersionHeader).c_str());
    if (client_version != nullptr) incoming->request.client_version = client_version;
    *context = incoming.release();
    std::lock_guard lock(mutex_);
    ++active_count_;
    return MHD_YES;
}

// Keeps no more than the limit in memory, but reads to the end, so that the client reads the
// answer.
void HttpServerImpl::receive(IncomingRequest& incoming, std::string_view piece) const {
    std::string& body = incoming.request.body;
    if (body.size() + piece.size() > options_.body_max_bytes) {
        incoming.is_too_large = true;
        body.clear();
    }
    if (!incoming.is_too_large) body += piece;
}

HttpResponse HttpServerImpl::answer(MHD_Connection* connection,
                                    const IncomingRequest& incoming) const {
    if (!is_allowed_peer(connection)) {
        return error_response(403, ErrorCode::kRefused, "this home belongs to another user");
    }
    if (incoming.is_too_large) {
        return error_response(
            413, ErrorCode::kBadRequest,
            cat("the request is larger than ", format_bytes(options_.body_max_bytes)));
    }
    return handler_(incoming.request);
}

MHD_Result HttpServerImpl::on_request(void* self, MHD_Connection* connection, const char* url,
                                      const char* method, const char*, const char* upload_data,
                                      size_t* upload_size, void** context) {
    auto* server = static_cast<HttpServerImpl*>(self);
    if (*context == nullptr) return server->begin(connection, url, method, context);
    auto* incoming = static_cast<IncomingRequest*>(*context);
    if (*upload_size > 0) {
        server->receive(*incoming, std::string_view(upload_data, *upload_size));
        *upload_size = 0;
        return MHD_YES;
    }
    return send(connection, server->answer(connection, *incoming));
}

void HttpServerImpl::on_completed(void* self, MHD_Connection*, void** context,
                                  MHD_RequestTerminationCode) {
    auto* server = static_cast<HttpServerImpl*>(self);
    if (*context == nullptr) return;
    delete static_cast<IncomingRequest*>(std::exchange(*context, nullptr));
    std::lock_guard lock(server->mutex_);
    --server->active_count_;
    server->idle_.notify_all();
}

Error start_failure(const std::string& path) {
    return system_error(ErrorCode::kDaemonStartFailed, cat("cannot listen on ", quoted(path)),
                        errno);
}

Result<int> bind_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    LB_ASSERT(path.size() < sizeof(address.sun_path));  // find_home() has checked
    std::memcpy(address.sun_path, path.data(), path.size());
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return start_failure(path);
    unlink(path.c_str());
    // Nobody can connect before listen(), so the mode is right in time.
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        chmod(path.c_str(), 0600) != 0 || ::listen(listener, SOMAXCONN) != 0) {
        Error error = start_failure(path);
        close(listener);
        return error;
    }
    return listener;
}

Status HttpServerImpl::listen() {
    int listener =
        options_.listener ? *options_.listener : LB_TRY(bind_socket(options_.socket_path));
    is_socket_open_ = true;
    daemon_ = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, 0, nullptr,
        nullptr, &HttpServerImpl::on_request, this, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, kConnectionMax, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
        nullptr, MHD_OPTION_NOTIFY_COMPLETED, &HttpServerImpl::on_completed, this, MHD_OPTION_END);
    if (daemon_ != nullptr) return ok();
    Error error = start_failure(options_.socket_path);
    close(listener);
    unlink(options_.socket_path.c_str());
    return error;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      HttpHandler handler) {
    auto server = std::make_unique<HttpServerImpl>(options, std::move(handler));
    LB_TRY(server->listen());
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace lb::cli
