// The server and the client, over a real socket.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/text.h"
#include "cli/http_client.h"
#include "cli/http_server.h"
#include "cli/version.h"
#include "tests/cli/support.h"

namespace lb::cli {
namespace {

using namespace std::chrono_literals;

HttpResponse echo(const HttpRequest& request) {
    return {.status = 200,
            .body = cat(request.method, " ", request.target, " ", request.client_version, " ",
                        request.body)};
}

class HttpTest : public ::testing::Test {
protected:
    std::unique_ptr<HttpServer> start(HttpHandler handler, size_t body_max_bytes = 1 << 20) {
        return LB_MUST(HttpServer::start(
            {.socket_path = socket_path_, .body_max_bytes = body_max_bytes}, std::move(handler)));
    }
    HttpCall call(std::string method, std::string target, std::string body = {}) const {
        return {.socket_path = socket_path_,
                .method = std::move(method),
                .target = std::move(target),
                .body = std::move(body)};
    }

    tests::TemporaryDirectory directory_;
    std::string socket_path_ = directory_.path("lb.sock");
};

TEST_F(HttpTest, CarriesMethodTargetVersionAndBody) {
    auto server = start(echo);
    HttpReply reply = LB_MUST(http_call(call("POST", "/v1/a%2Fb?observe=1&x", "body\0with nul")));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, cat("POST /v1/a%2Fb?observe=1&x ", version(), " body"));
    EXPECT_EQ(LB_MUST(http_call(call("GET", "/v1/../etc"))).body,
              cat("GET /v1/../etc ", version(), " "));
}

TEST_F(HttpTest, SocketIsPrivate) {
    auto server = start(echo);
    struct stat attributes {};
    ASSERT_EQ(stat(socket_path_.c_str(), &attributes), 0);
    EXPECT_EQ(attributes.st_mode & 0777, 0600u);
}

TEST_F(HttpTest, StaleSocketIsReplaced) {
    tests::write_file(socket_path_, "");
    auto server = start(echo);
    EXPECT_EQ(LB_MUST(http_call(call("GET", "/"))).status, 200);
}

TEST_F(HttpTest, NobodyThereIsAnError) {
    Result<HttpReply> reply = http_call(call("GET", "/v1/version"));
    ASSERT_FALSE(reply.is_ok());
    EXPECT_EQ(reply.error().code, ErrorCode::kDaemonUnreachable);
}

TEST_F(HttpTest, LargeBodiesArriveWhole) {
    auto server = start(
        [](const HttpRequest& request) {
            return HttpResponse{.body = std::to_string(request.body.size())};
        },
        64 << 20);
    EXPECT_EQ(LB_MUST(http_call(call("POST", "/", std::string(20 << 20, 'x')))).body,
              std::to_string(20 << 20));
}

TEST_F(HttpTest, TooLargeBodiesAreRefusedAndAnswered) {
    std::atomic<int> handled = 0;
    auto server = start(
        [&](const HttpRequest&) {
            ++handled;
            return HttpResponse{};
        },
        1000);
    EXPECT_EQ(LB_MUST(http_call(call("POST", "/", std::string(1000, 'x')))).status, 200);
    HttpReply reply = LB_MUST(http_call(call("POST", "/", std::string(1 << 20, 'x'))));
    EXPECT_EQ(reply.status, 413);
    EXPECT_NE(reply.body.find("LB0606"), std::string::npos);
    EXPECT_EQ(handled, 1);
}

TEST_F(HttpTest, StreamsLinesAsTheyCome) {
    std::atomic<int> seen = 0;
    auto server = start([&](const HttpRequest&) {
        return HttpResponse{.stream = [&](const LineSink& send) {
            for (int line = 0; line < 5; ++line) {
                send(cat("line ", line));
                // The next one only after the client has seen this one.
                while (seen <= line) std::this_thread::sleep_for(1ms);
            }
        }};
    });
    HttpCall streamed = call("POST", "/");
    std::vector<std::string> lines;
    streamed.on_line = [&](std::string_view line) {
        lines.emplace_back(line);
        ++seen;
    };
    EXPECT_EQ(LB_MUST(http_call(streamed)).status, 200);
    EXPECT_EQ(join(lines, ","), "line 0,line 1,line 2,line 3,line 4");
}

TEST_F(HttpTest, LongLinesAreNotCut) {
    const std::string long_line(300'000, 'x');
    auto server = start([&](const HttpRequest&) {
        return HttpResponse{.stream = [&](const LineSink& send) {
            send(long_line);
            send("end");
        }};
    });
    HttpCall streamed = call("POST", "/");
    std::vector<std::string> lines;
    streamed.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    LB_MUST(http_call(streamed));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0], long_line);
}

TEST_F(HttpTest, CancelledClientsLeaveAndTheWorkGoesOn) {
    std::atomic<bool> is_finished = false;
    std::atomic<bool> is_left = false;
    auto server = start([&](const HttpRequest&) {
        return HttpResponse{.stream = [&](const LineSink& send) {
            send("begun");
            while (!is_left) std::this_thread::sleep_for(1ms);
            for (int line = 0; line < 1000; ++line) send("more");
            is_finished = true;
        }};
    });
    HttpCall streamed = call("POST", "/");
    std::atomic<bool> has_begun = false;
    streamed.on_line = [&](std::string_view) { has_begun = true; };
    streamed.is_cancelled = [&] { return has_begun.load(); };
    Result<HttpReply> reply = http_call(streamed);
    ASSERT_FALSE(reply.is_ok());
    EXPECT_EQ(reply.error().code, ErrorCode::kInterrupted);
    is_left = true;
    server->stop();
    EXPECT_TRUE(is_finished);
}

TEST_F(HttpTest, ManyClientsAtOnce) {
    auto server = start(echo);
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int client = 0; client < 16; ++client) {
        clients.emplace_back([&, client] {
            for (int request = 0; request < 20; ++request) {
                std::string body = cat(client, "-", request);
                HttpReply reply = LB_MUST(http_call(call("POST", "/", body)));
                if (reply.body == cat("POST / ", version(), " ", body)) ++answered;
            }
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(answered, 320);
}

TEST_F(HttpTest, StopWaitsForAnswersUnderWay) {
    std::atomic<bool> is_begun = false;
    auto server = start([&](const HttpRequest&) {
        is_begun = true;
        std::this_thread::sleep_for(100ms);
        return HttpResponse{.body = "answer"};
    });
    std::thread client([&] { EXPECT_EQ(LB_MUST(http_call(call("GET", "/"))).body, "answer"); });
    while (!is_begun) std::this_thread::sleep_for(1ms);
    server->stop();
    client.join();
    EXPECT_FALSE(std::filesystem::exists(socket_path_));
}

// Sends bytes as they are and returns what comes back.
std::string raw_exchange(const std::string& path, std::string_view bytes) {
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    shutdown(descriptor, SHUT_WR);
    std::string answer;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = read(descriptor, buffer, sizeof(buffer))) > 0) {
        answer.append(buffer, static_cast<size_t>(count));
    }
    close(descriptor);
    return answer;
}

TEST_F(HttpTest, SurvivesWhatIsNoHttp) {
    auto server = start(echo);
    for (std::string_view bytes :
         {std::string_view("\0\0\0\0", 4), std::string_view("GET\r\n\r\n"),
          std::string_view("GET / HTTP/9.9\r\n\r\n"),
          std::string_view("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
          std::string_view("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort"),
          std::string_view("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz")}) {
        raw_exchange(socket_path_, bytes);
        EXPECT_EQ(LB_MUST(http_call(call("GET", "/"))).status, 200);
    }
    EXPECT_NE(raw_exchange(socket_path_, "GET /raw HTTP/1.0\r\n\r\n").find("GET /raw"),
              std::string::npos);
}

}  // namespace
}  // namespace lb::cli
