#include "store/fuse_helper.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"

extern char** environ;

namespace lb::store {

namespace {

constexpr const char* kHelper = "fusermount3";
constexpr int kHelperSocket = 3;  // its descriptor in the helper

std::string read_to_end(int descriptor) {
    std::string text;
    std::array<char, 512> buffer;
    for (;;) {
        ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<size_t>(count));
    }
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (char& character : text) {
        if (character == '\n') character = ' ';
    }
    return text;
}

// The descriptor that the helper passes with a one-byte message; -1 if it sent none.
int receive_descriptor(int socket) {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t count;
    do {
        count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return -1;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

std::vector<std::string> helper_environment() {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        variables.emplace_back(*variable);
    }
    variables.push_back(cat("_FUSE_COMMFD=", kHelperSocket));
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

HelperResult run_fuse_helper(std::vector<std::string> arguments) {
    HelperResult result;
    std::array<int, 2> sockets{};
    std::array<int, 2> pipes{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) return result;
    Descriptor ours(sockets[0]);
    Descriptor theirs(sockets[1]);
    if (::pipe2(pipes.data(), O_CLOEXEC) != 0) return result;
    Descriptor output(pipes[0]);
    Descriptor output_end(pipes[1]);

    arguments.insert(arguments.begin(), kHelper);
    std::vector<std::string> variables = helper_environment();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output_end.number(), STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs.number(), kHelperSocket);
    pid_t helper = -1;
    int failure = ::posix_spawnp(&helper, kHelper, &actions, nullptr, pointers(arguments).data(),
                                 pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) return result;

    result.is_started = true;
    theirs.reset();
    output_end.reset();
    result.connection = Descriptor(receive_descriptor(ours.number()));
    result.output = read_to_end(output.number());
    int status = 0;
    while (::waitpid(helper, &status, 0) < 0 && errno == EINTR) {
    }
    result.is_success = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return result;
}

}  // namespace lb::store
