// Servers that say a name, over each place of a node:
//
//   answer NAME tcp/10.0.0.11/9000 udp/fd77::101/9000 ...
//
// Over TCP `name NAME` to whoever connects, and `heard TEXT` for each text that comes; by UDP `name NAME` for each
// datagram. Prints `serving` once all places are open. The same words as test/traffic/net-peer.ts, for many clients.

#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "socket.hpp"

namespace {

class Server {
 public:
  Server(const std::string &name, const std::vector<Place> &places) : said_("name " + name) {
    for (const auto &place : places) open(place);
  }

  [[noreturn]] void run() {
    epoll_event events[64];
    for (;;) {
      const int count = epoll_wait(epoll_.fd(), events, 64, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = static_cast<int>(events[i].data.u64);
        if (clients_.contains(fd))
          hear(fd);
        else if (listeners_.at(fd).tcp)
          welcome(fd);
        else
          answer_datagrams(fd);
      }
    }
  }

 private:
  struct Listener {
    Socket socket;
    bool tcp;
  };

  void open(const Place &place) {
    Socket socket(place.open());
    const int fd = socket.fd(), on = 1;
    if (fd < 0) fail(place.text);
    if (place.tcp) {
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // for those that it will accept
    }
    if (bind(fd, place.where(), place.length) != 0 || (place.tcp && listen(fd, SOMAXCONN) != 0)) fail(place.text);
    watch(epoll_.fd(), fd, EPOLLIN, static_cast<std::uint64_t>(fd));
    listeners_.emplace(fd, Listener{std::move(socket), place.tcp});
  }

  void welcome(int listener) {
    for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      clients_.emplace(fd, Socket(fd));
      watch(epoll_.fd(), fd, EPOLLIN, static_cast<std::uint64_t>(fd));
      if (say(fd, said_ + '\n')) hear(fd);  // the first text has often come with it
    }
  }

  void hear(int fd) {
    char buffer[4096];
    const auto size = recv(fd, buffer, sizeof buffer, 0);
    if (size > 0)
      say(fd, "heard " + std::string(buffer, static_cast<std::size_t>(size)));
    else if (size == 0 || errno != EAGAIN)
      clients_.erase(fd);
  }

  bool say(int fd, const std::string &text) {
    const bool said = send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    if (!said) clients_.erase(fd);
    return said;
  }

  void answer_datagrams(int fd) {
    char buffer[4096];
    sockaddr_storage from{};
    for (socklen_t length; length = sizeof from,
         recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr *>(&from), &length) >= 0;)
      sendto(fd, said_.data(), said_.size(), 0, reinterpret_cast<sockaddr *>(&from), length);
  }

  const std::string said_;
  Socket epoll_{make_epoll()};
  std::map<int, Listener> listeners_;
  std::map<int, Socket> clients_;
};

}  // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 3) throw std::runtime_error("usage: answer NAME PLACE...");
    allow_many_sockets();
    Server server(argv[1], {argv + 2, argv + argc});
    std::puts("serving");
    std::fflush(stdout);
    server.run();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "answer: %s\n", error.what());
    return 1;
  }
}
