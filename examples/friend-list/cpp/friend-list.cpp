// A friend-list server with a hot standby.
//
//   friend-list --agent /run/hsctl/friends.sock --listen 9000
//
// Clients speak lines: `ADD alice bob`, `DEL alice bob`, `LIST alice`, `COUNT`, `PING`. The lists live in this
// process' memory. What makes it a pair is its agent, which speaks the Redis protocol on a unix socket:
//   - a change is written to the agent before the client gets its OK: one key for each (user, friend), so that
//     changes made at the same time cannot undo each other;
//   - on the slave the same program follows the log `hs:log` and keeps its memory warm;
//   - told on `hs:role` that it is master now, it reads what is left of the log, says HS READY, and serves.
// One thread, one poll loop, nothing shared.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "agent-connection.hpp"

namespace {

constexpr std::size_t kLineLimit = 1024;
constexpr int kTickMs = 50;  // of heartbeats to the agent, and of tries to reach it

// The memory that has to survive.
class FriendLists {
 public:
  static std::string key(std::string_view user, std::string_view name) {
    return "friend:" + std::string(user) + ":" + std::string(name);
  }

  void apply(std::string_view key, bool present) {
    const auto first = key.find(':'), second = key.find(':', first + 1);
    if (key.substr(0, first) != "friend" || second == key.npos) return;
    const std::string user(key.substr(first + 1, second - first - 1)), name(key.substr(second + 1));
    if (present) {
      count_ += lists_[user].insert(name).second;
    } else if (auto list = lists_.find(user); list != lists_.end()) {
      count_ -= list->second.erase(name);
      if (list->second.empty()) lists_.erase(list);
    }
  }

  std::string list(const std::string &user) const {
    std::string line = "FRIENDS";
    if (auto list = lists_.find(user); list != lists_.end())
      for (const auto &name : list->second) line += ' ' + name;
    return line;
  }

  std::size_t count() const { return count_; }

 private:
  std::map<std::string, std::set<std::string>> lists_;
  std::size_t count_ = 0;
};

struct Client {
  explicit Client(int fd) : fd(fd) {}
  ~Client() { close(fd); }
  Client(const Client &) = delete;

  int fd;
  std::string in, out;
  bool waiting = false;  // for the agent, before the next request is looked at
  bool ended = false;    // no further requests will come
  bool broken = false;
};

bool is_name(std::string_view word) {
  return !word.empty() && word.size() <= 64 &&
         std::ranges::all_of(word, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const auto end = std::min(line.find(' '), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

class Server {
 public:
  Server(std::string agent_socket, std::uint16_t port) : agent_socket_(std::move(agent_socket)), listener_(listen_on(port)) {}

  [[noreturn]] void run() {
    for (;;) {
      try {
        turn();
      } catch (const AgentLost &lost) {
        if (session_) std::fprintf(stderr, "lost the agent: %s\n", lost.what());
        leave_agent();
      }
    }
  }

 private:
  // The three connections to the agent: one for requests, which also stands for this process being alive, one that is
  // told of role changes, and one that waits for the next records of the log.
  struct Session {
    explicit Session(const std::string &socket) : app(socket), news(socket), feed(socket) {}
    AgentConnection app, news, feed;
  };

  static int listen_on(std::uint16_t port) {
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 || listen(fd, 1024) != 0)
      throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
    return fd;
  }

  // --- the loop

  void turn() {
    tick();
    std::vector<pollfd> polled{{listener_, POLLIN, 0}};
    if (session_)
      for (auto *connection : {&session_->app, &session_->news, &session_->feed}) polled.push_back(connection->prepare());
    const auto first_client = polled.size();
    std::vector<std::shared_ptr<Client>> present;
    for (auto &[fd, client] : clients_) {
      present.push_back(client);
      const bool reads = client->out.empty() && !client->waiting && !client->ended;
      polled.push_back({fd, static_cast<short>(reads ? POLLIN : client->out.empty() ? 0 : POLLOUT), 0});
    }
    if (poll(polled.data(), polled.size(), kTickMs) < 0 && errno != EINTR) throw std::runtime_error(std::strerror(errno));

    for (std::size_t i = first_client; i < polled.size(); ++i)
      if (polled[i].revents) attend(*present[i - first_client], polled[i].revents);
    if (polled[0].revents) accept_clients();
    if (session_) {
      AgentConnection *connections[] = {&session_->app, &session_->news, &session_->feed};
      for (std::size_t i = 1; i < first_client; ++i)
        if (polled[i].revents & ~POLLOUT) connections[i - 1]->read();
    }
    for (auto &client : present) settle(client);
  }

  // An agent that hears nothing for some heartbeats takes this process for hung.
  void tick() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_tick_) return;
    next_tick_ = now + std::chrono::milliseconds(kTickMs);
    if (session_)
      session_->app.request({"PING"}, [](const redisReply &) {});
    else
      join_agent();
  }

  void accept_clients() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto client = clients_[fd] = std::make_shared<Client>(fd);
      attend(*client, POLLIN);  // its request has often come with it
      settle(client);
    }
  }

  void attend(Client &client, short events) {
    if (events & (POLLERR | POLLHUP)) client.broken = true;
    if (!(events & POLLIN) || client.ended) return;
    char buffer[4096];
    const auto size = ::read(client.fd, buffer, sizeof buffer);
    if (size > 0) client.in.append(buffer, static_cast<std::size_t>(size));
    if (size == 0) client.ended = true;
    if (size < 0 && errno != EAGAIN) client.broken = true;
  }

  // Takes the client's next requests as far as possible, sends what is to be sent, and lets go of those who are done.
  void settle(const std::shared_ptr<Client> &client) {
    for (std::size_t end; !client->waiting && (end = client->in.find('\n')) != std::string::npos;) {
      auto line = client->in.substr(0, end);
      client->in.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      handle(client, split(line));
    }
    if (client->in.size() > kLineLimit && !client->waiting) client->broken = true;
    if (!client->out.empty()) {
      const auto size = ::send(client->fd, client->out.data(), client->out.size(), MSG_NOSIGNAL);
      if (size > 0) client->out.erase(0, static_cast<std::size_t>(size));
      if (size < 0 && errno != EAGAIN) client->broken = true;
    }
    if (client->broken || (client->ended && !client->waiting && client->out.empty())) clients_.erase(client->fd);
  }

  // --- requests of clients

  void handle(const std::shared_ptr<Client> &client, const std::vector<std::string> &words) {
    const auto command = words.empty() ? "" : words[0];
    const bool names_good = std::all_of(words.begin() + !words.empty(), words.end(), is_name);
    if (command == "PING" && words.size() == 1) return answer(*client, "PONG");
    if ((command == "ADD" || command == "DEL") && words.size() == 3 && names_good)
      return change(client, FriendLists::key(words[1], words[2]), command == "ADD");
    if (command == "LIST" && words.size() == 2 && names_good)
      return look(client, [this, user = words[1]] { return lists_.list(user); });
    if (command == "COUNT" && words.size() == 1)
      return look(client, [this] { return "COUNT " + std::to_string(lists_.count()); });
    answer(*client, "ERR use ADD user friend, DEL user friend, LIST user, COUNT or PING");
  }

  // Writes to the agent first: its reply means that the slave holds the change as well.
  void change(const std::shared_ptr<Client> &client, const std::string &key, bool present) {
    const auto done = [this, key, present, reign = reign_] {
      if (reign == reign_) lists_.apply(key, present);  // else this is a slave by now, whose memory the log tells
      return std::string("OK");
    };
    if (present)
      ask(client, {"SET", key, "1"}, done);
    else
      ask(client, {"DEL", key}, done);
  }

  // Reads come from memory, once the agent's word says that this node is still the one that serves. The news that its
  // reign is over may come first, by the other connection: then the memory is another one.
  void look(const std::shared_ptr<Client> &client, std::function<std::string()> result) {
    ask(client, {"HS", "SERVES", std::to_string(epoch_)}, [this, reign = reign_, result = std::move(result)] {
      return reign == reign_ ? result() : std::string("NO this is not the master any more");
    });
  }

  void ask(const std::shared_ptr<Client> &client, std::initializer_list<std::string_view> words,
           std::function<std::string()> result) {
    if (!serving_) return answer(*client, "NO this is not the master");
    client->waiting = true;
    session_->app.request(words, [this, client, result = std::move(result)](const redisReply &reply) {
      client->waiting = false;
      if (is_error(reply) && text(reply).starts_with("MISCONF"))
        client->broken = true;  // the agent's disk failed: nobody knows whether the change will last
      else
        answer(*client, is_error(reply) ? "NO " + std::string(text(reply)) : result());
      settle(client);
    });
  }

  static void answer(Client &client, const std::string &line) { client.out += line + '\n'; }

  // --- the agent

  void join_agent() {
    session_.emplace(agent_socket_);
    session_->app.request({"HS", "APP"}, [](const redisReply &) {});
    session_->news.subscribe("hs:role", [this](const redisReply &reply) { learn_role(reply); });
    follow();
  }

  // Whether a waiting change was made is unknown: such clients get no answer at all.
  void leave_agent() {
    session_.reset();
    end_reign();
    std::erase_if(clients_, [](const auto &entry) { return entry.second->waiting; });
  }

  void end_reign() {
    epoch_ = 0;
    ++reign_;
    serving_ = false;
    forget();
  }

  void forget() {
    lists_ = {};
    position_ = "0-0";
    seq_ = 0;
  }

  // The channel tells the present role at once, and every later one: `master 7 a`, `slave 7 a`, `none 7 -`.
  void learn_role(const redisReply &push) {
    if (push.elements != 3 || text(*push.element[0]) != "message") return;
    const auto words = split(text(*push.element[2]));
    if (words.size() != 3 || words[0] != "master") return step_down();
    const auto epoch = std::stoll(words[1]);
    if (epoch == epoch_) return;
    epoch_ = epoch;
    serving_ = false;
    // Answered when nothing in the log is in doubt any more.
    session_->app.request({"XLEN", "hs:log"}, [this, reign = ++reign_](const redisReply &) { take_over(reign); });
  }

  // Reads what is left of the log, then says that it is ready: only then do clients come.
  void take_over(unsigned reign) {
    if (reign != reign_) return;  // already over
    session_->app.request({"XREAD", "STREAMS", "hs:log", position_}, [this, reign](const redisReply &reply) {
      if (reign != reign_) return;
      if (apply(reply)) return take_over(reign);
      session_->app.request({"HS", "READY", std::to_string(epoch_)}, [this, reign](const redisReply &answer) {
        if (reign != reign_ || is_error(answer)) return;
        serving_ = true;
        std::printf("serving in epoch %lld with %zu entries\n", epoch_, lists_.count());
      });
    });
  }

  // A master writes without reading the log. As slave it begins anew, from what the log now says.
  void step_down() {
    if (epoch_ == 0) return;
    end_reign();
    session_->feed = AgentConnection(agent_socket_);
    follow();
  }

  void follow() {
    session_->feed.request({"XREAD", "BLOCK", "0", "STREAMS", "hs:log", position_}, [this](const redisReply &reply) {
      if (epoch_ != 0) return;  // as master it knows the changes before the log tells them
      apply(reply);
      follow();
    });
  }

  // Takes records of the log that are not known yet; false if there are none.
  bool apply(const redisReply &reply) {
    if (is_error(reply)) {  // FORKED: what was read is not what the log now says
      forget();
      return true;
    }
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements == 0) return false;
    const auto &entries = *reply.element[0]->element[1];
    for (std::size_t i = 0; i < entries.elements; ++i) {
      const auto id = text(*entries.element[i]->element[0]);
      const auto seq_text = id.substr(id.find('-') + 1);
      unsigned long long seq = 0;
      std::from_chars(seq_text.data(), seq_text.data() + seq_text.size(), seq);
      if (seq <= seq_) continue;  // `follow` and `take_over` may both bring it
      seq_ = seq;
      position_ = id;
      apply_record(*entries.element[i]->element[1]);
    }
    return entries.elements > 0;
  }

  void apply_record(const redisReply &fields) {
    std::map<std::string_view, std::string_view> field;
    for (std::size_t i = 0; i + 1 < fields.elements; i += 2) field[text(*fields.element[i])] = text(*fields.element[i + 1]);
    lists_.apply(field["key"], field["op"] == "set");
  }

  std::string agent_socket_;
  int listener_;
  std::map<int, std::shared_ptr<Client>> clients_;
  std::optional<Session> session_;
  FriendLists lists_;
  std::string position_ = "0-0";  // in the log, as its id
  unsigned long long seq_ = 0;    // the same, as a number
  long long epoch_ = 0;           // of which this is, or is becoming, master; 0 for none
  unsigned reign_ = 0;            // rises when that begins or ends, so that late replies are known as such
  bool serving_ = false;
  std::chrono::steady_clock::time_point next_tick_{};
};

}  // namespace

int main(int argc, char **argv) try {
  std::string agent, port;
  for (int i = 1; i + 1 < argc; i += 2) (argv[i] == std::string("--agent") ? agent : port) = argv[i + 1];
  if (agent.empty() || port.empty()) {
    std::fprintf(stderr, "usage: %s --agent SOCKET --listen PORT\n", argv[0]);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::signal(SIGPIPE, SIG_IGN);
  Server(agent, static_cast<std::uint16_t>(std::stoul(port))).run();
} catch (const std::exception &error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
