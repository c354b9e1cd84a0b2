#include "cli/http_client.h"

#include <curl/curl.h>

#include <memory>

#include "base/text.h"
#include "cli/protocol.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

struct EasyDeleter {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct HeadersDeleter {
    void operator()(curl_slist* headers) const { curl_slist_free_all(headers); }
};

// What write_body() puts where. Lines are cut out of a streamed answer as they come.
struct Receiver {
    CURL* handle = nullptr;
    const HttpCall* call = nullptr;
    std::string body;

    bool is_stream() const {
        const char* type = nullptr;
        curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
        return type != nullptr && std::string_view(type) == "application/x-ndjson" &&
               call->on_line != nullptr;
    }

    void take_lines() {
        size_t start = 0;
        for (size_t end = body.find('\n'); end != std::string::npos; end = body.find('\n', start)) {
            call->on_line(std::string_view(body).substr(start, end - start));
            start = end + 1;
        }
        body.erase(0, start);
    }
};

size_t write_body(char* data, size_t, size_t size, void* receiver) {
    auto* self = static_cast<Receiver*>(receiver);
    self->body.append(data, size);
    if (self->is_stream()) self->take_lines();
    return size;
}

int check_cancelled(void* call, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto* self = static_cast<const HttpCall*>(call);
    return self->is_cancelled && self->is_cancelled() ? 1 : 0;
}

CURL* new_handle() {
    // No TLS here, so its libraries need not be set up.
    static const CURLcode is_ready = curl_global_init(CURL_GLOBAL_NOTHING);
    return is_ready == CURLE_OK ? curl_easy_init() : nullptr;
}

Error unreachable(const HttpCall& call, CURLcode code) {
    return {.code = ErrorCode::kDaemonUnreachable,
            .message = cat("no answer from the daemon on ", quoted(call.socket_path), ": ",
                           std::string_view(curl_easy_strerror(code))),
            .help = "lb logs --daemon shows what it was doing"};
}

void set_options(CURL* handle, const HttpCall& call, curl_slist* headers, Receiver& receiver) {
    curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, call.socket_path.c_str());
    curl_easy_setopt(handle, CURLOPT_URL, cat("http://lb", call.target).c_str());
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");  // whatever the environment says
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method != "GET") {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(call.body.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data());
    }
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &receiver);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, check_cancelled);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &call);
}

}  // namespace

Result<HttpReply> http_call(const HttpCall& call) {
    std::unique_ptr<CURL, EasyDeleter> handle(new_handle());
    if (handle == nullptr) {
        return Error{.code = ErrorCode::kInternal, .message = "libcurl cannot be set up"};
    }
    // "Expect:" empty: large bodies go out at once instead of waiting for a 100 Continue.
    std::unique_ptr<curl_slist, HeadersDeleter> headers(curl_slist_append(nullptr, "Expect:"));
    headers.reset(
        curl_slist_append(headers.release(), cat(kVersionHeader, ": ", version()).c_str()));
    headers.reset(curl_slist_append(headers.release(), "Content-Type: application/json"));
    Receiver receiver{.handle = handle.get(), .call = &call, .body = {}};
    set_options(handle.get(), call, headers.get(), receiver);
    CURLcode code = curl_easy_perform(handle.get());
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return Error{.code = ErrorCode::kInterrupted, .message = "interrupted"};
    }
    if (code != CURLE_OK) return unreachable(call, code);
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    return HttpReply{.status = static_cast<int>(status), .body = std::move(receiver.body)};
}

}  // namespace lb::cli
