// Clients at a steady rate, each with one request over a connection of its own (tcp) or from a socket of its own (udp),
// to the servers of answer.cpp, or over TCP of examples/friend-list, round robin over the places:
//
//   ask PER_SECOND tcp/10.0.0.100/9000 udp/fd77::101/9000 ...
//
// Requests are begun by the clock, whether or not earlier ones were answered; what was due while this program had no
// processor is begun at once afterwards. Prints
//   first PLACE OUTCOME          the outcome is a server's name (PONG of a friend-list), or what went wrong
//   second NUMBER COUNT          requests begun in the second that is over
// A line on its standard input makes it begin no more; when all requests have their outcome it prints an object of JSON
// (`Report` in ../load.ts), and ends.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "socket.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Who waits longer has been forgotten: a SYN that had to wait is sent for the sixth time after 31 seconds.
constexpr auto kPatience = std::chrono::seconds(40);
// Input of this program, among the numbers of requests.
constexpr std::uint64_t kInput = std::numeric_limits<std::uint64_t>::max();

long long in_ms(Clock::duration time) { return std::chrono::duration_cast<milliseconds>(time).count(); }

struct Request {
  Socket socket;
  std::size_t place;
  Clock::time_point begun;
  bool asked;
  std::string heard{};
};

// What became of the requests to a place.
struct Tally {
  std::map<std::string, long> outcomes;
  Clock::time_point last_answer = Clock::now();
  Clock::duration longest_wait{}, longest_silence{};
};

class Load {
 public:
  Load(double per_second, std::vector<Place> places)
      : interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / per_second))),
        places_(std::move(places)),
        tallies_(places_.size()) {
    watch(epoll_.fd(), STDIN_FILENO, EPOLLIN, kInput);
  }

  void run() {
    while (!stopped_ || !requests_.empty()) {
      if (!stopped_) begin_due();
      forget_late();
      epoll_event events[256];
      const int count = epoll_wait(epoll_.fd(), events, 256, wait_ms());
      for (int i = 0; i < count; ++i) {
        if (events[i].data.u64 == kInput)
          stop();
        else
          attend(events[i].data.u64);
      }
    }
    report();
  }

 private:
  void begin_due() {
    const auto now = Clock::now();
    for (; start_ + std::chrono::seconds(second_) <= now; ++second_) {
      std::printf("second %ld %ld\n", second_, in_second_);
      std::fflush(stdout);
      in_second_ = 0;
    }
    for (; due() <= now; ++begun_, ++in_second_) begin(now);
  }

  Clock::time_point due() const { return start_ + interval_ * static_cast<long>(begun_); }

  void begin(Clock::time_point now) {
    const auto index = begun_ % places_.size();
    const Place &place = places_[index];
    Request request{Socket(place.open()), index, now, !place.tcp};
    const int fd = request.socket.fd();
    if (fd < 0 || (connect(fd, place.where(), place.length) != 0 && errno != EINPROGRESS)) return count_failed(index);
    if (!place.tcp && send(fd, "?", 1, 0) != 1) return count_failed(index);
    watch(epoll_.fd(), fd, place.tcp ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN, begun_);
    requests_.emplace(begun_, std::move(request));
  }

  void forget_late() {
    while (!requests_.empty() && Clock::now() - requests_.begin()->second.begun >= kPatience) {
      count(requests_.begin()->second.place, "timeout");
      requests_.erase(requests_.begin());
    }
  }

  int wait_ms() const {
    const auto now = Clock::now();
    auto until = stopped_ ? now + kPatience : due();
    if (!requests_.empty()) until = std::min(until, requests_.begin()->second.begun + kPatience);
    return static_cast<int>(std::max(0LL, in_ms(until - now + milliseconds(1) - Clock::duration(1))));
  }

  void attend(std::uint64_t id) {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return;
    if (hear(found->second)) requests_.erase(found);
  }

  // Whether the request has its outcome, which was counted.
  bool hear(Request &request) {
    const int fd = request.socket.fd();
    if (!request.asked && send(fd, "PING\n", 5, MSG_NOSIGNAL) != 5) return count_failed(request.place), true;
    request.asked = true;
    char buffer[256];
    const auto size = recv(fd, buffer, sizeof buffer, 0);
    if (size < 0 && errno == EAGAIN) return false;
    if (size < 0) return count_failed(request.place), true;
    if (size == 0) return count(request.place, "closed"), true;
    request.heard.append(buffer, static_cast<std::size_t>(size));
    const auto name = name_in(request);
    if (name.empty()) return false;
    count_answered(request, name);
    return true;
  }

  // Who answered; over TCP both before and after it was asked. Empty if that is not known yet.
  std::string name_in(const Request &request) const {
    std::string_view heard = request.heard;
    const std::string_view begin = "name ", last = "\nheard PING\n";
    if (heard == "PONG\n") return "PONG";
    if (!heard.starts_with(begin)) return "";
    heard.remove_prefix(begin.size());
    if (!places_[request.place].tcp) return std::string(heard);
    if (!heard.ends_with(last)) return "";
    heard.remove_suffix(last.size());
    return std::string(heard);
  }

  void count(std::size_t place, const std::string &outcome) {
    if (++tallies_[place].outcomes[outcome] > 1) return;
    std::printf("first %s %s\n", places_[place].text.c_str(), outcome.c_str());
    std::fflush(stdout);
  }

  void count_failed(std::size_t place) { count(place, strerrorname_np(errno)); }

  void count_answered(const Request &request, const std::string &name) {
    count(request.place, name);
    auto &tally = tallies_[request.place];
    const auto now = Clock::now();
    tally.longest_wait = std::max(tally.longest_wait, now - request.begun);
    tally.longest_silence = std::max(tally.longest_silence, now - tally.last_answer);
    tally.last_answer = now;
  }

  void stop() {
    stopped_ = true;
    epoll_ctl(epoll_.fd(), EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
  }

  void report() const {
    std::putchar('{');
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const Tally &tally = tallies_[i];
      std::printf("%s\"%s\":{\"longestWaitMs\":%lld,\"longestSilenceMs\":%lld,\"outcomes\":{", i ? "," : "",
                  places_[i].text.c_str(), in_ms(tally.longest_wait), in_ms(tally.longest_silence));
      const char *separator = "";
      for (const auto &[outcome, number] : tally.outcomes) {
        std::printf("%s\"%s\":%ld", separator, outcome.c_str(), number);
        separator = ",";
      }
      std::printf("}}");
    }
    std::puts("}");
  }

  const Clock::duration interval_;
  const std::vector<Place> places_;
  const Clock::time_point start_ = Clock::now();
  Socket epoll_{make_epoll()};
  std::vector<Tally> tallies_;
  std::map<std::uint64_t, Request> requests_;  // under way, oldest first
  std::uint64_t begun_ = 0;
  long second_ = 1, in_second_ = 0;
  bool stopped_ = false;
};

}  // namespace

int main(int argc, char **argv) {
  try {
    const double per_second = argc < 3 ? 0 : std::atof(argv[1]);
    if (per_second <= 0) throw std::runtime_error("usage: ask PER_SECOND PLACE...");
    allow_many_sockets();
    Load(per_second, {argv + 2, argv + argc}).run();
  } catch (const std::exception &error) {
    std::fprintf(stderr, "ask: %s\n", error.what());
    return 1;
  }
}
