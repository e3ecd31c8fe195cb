// What both programs of the load need: places, as `tcp/10.0.0.100/9000`, and sockets that are closed when nobody has them.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

[[noreturn]] inline void fail(const std::string &what) { throw std::system_error(errno, std::generic_category(), what); }

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

struct Place {
  std::string text;
  bool tcp;
  sockaddr_storage address{};
  socklen_t length;

  explicit Place(std::string place) : text(std::move(place)), tcp(text.starts_with("tcp/")) {
    const auto first = text.find('/'), last = text.rfind('/');
    const std::string host = text.substr(first + 1, last - first - 1);
    std::uint16_t port = 0;
    std::from_chars(text.data() + last + 1, text.data() + text.size(), port);
    auto &v4 = reinterpret_cast<sockaddr_in &>(address);
    auto &v6 = reinterpret_cast<sockaddr_in6 &>(address);
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      length = sizeof v4;
    } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      length = sizeof v6;
    } else {
      throw std::runtime_error("not a place: " + text);
    }
  }

  const sockaddr *where() const { return reinterpret_cast<const sockaddr *>(&address); }

  // -1 with errno if there is none to be had.
  int open() const { return socket(address.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }
};

// As many sockets as the machine allows: clients that wait have one each.
inline void allow_many_sockets() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
}

inline int make_epoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) fail("epoll_create1");
  return fd;
}

inline void watch(int epoll, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}
