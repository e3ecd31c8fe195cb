// Talks to an hsctl agent, or to anything else that speaks the Redis protocol, from a poll loop: never blocks, sends
// what was requested in one turn of the loop with one write. Any server can be joined to its agent with this file.

#pragma once

#include <hiredis/hiredis.h>
#include <poll.h>

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct AgentLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::string_view text(const redisReply &reply) { return {reply.str, reply.len}; }
inline bool is_error(const redisReply &reply) { return reply.type == REDIS_REPLY_ERROR; }

// A connection to the agent. Requests leave in order, and each reply goes to the handler of its request.
class AgentConnection {
 public:
  using Handler = std::function<void(const redisReply &)>;

  explicit AgentConnection(const std::string &socket) : context_(redisConnectUnixNonBlock(socket.c_str())) {
    if (!context_ || context_->err) throw AgentLost(context_ ? context_->errstr : "out of memory");
  }

  void request(std::initializer_list<std::string_view> words, Handler handler) {
    std::vector<const char *> starts;
    std::vector<std::size_t> lengths;
    for (auto word : words) starts.push_back(word.data()), lengths.push_back(word.size());
    redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), starts.data(), lengths.data());
    handlers_.push_back(std::move(handler));
    unsent_ = true;
  }

  // From now on every reply goes to `handler`: a subscription.
  void subscribe(std::string_view channel, Handler handler) {
    request({"SUBSCRIBE", channel}, nullptr);
    handlers_.clear();
    pushed_ = std::move(handler);
  }

  // Sends all that was requested in this turn of the loop with one write; what to poll for.
  pollfd prepare() {
    int done = 1;
    if (unsent_ && redisBufferWrite(context_.get(), &done) != REDIS_OK) throw AgentLost(context_->errstr);
    unsent_ = !done;
    return {context_->fd, static_cast<short>(unsent_ ? POLLIN | POLLOUT : POLLIN), 0};
  }

  void read() {
    if (redisBufferRead(context_.get()) != REDIS_OK) throw AgentLost(context_->errstr);
    for (;;) {
      void *raw = nullptr;
      if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) throw AgentLost(context_->errstr);
      if (!raw) return;
      std::unique_ptr<void, decltype(&freeReplyObject)> guard(raw, freeReplyObject);
      const auto &reply = *static_cast<redisReply *>(raw);
      if (pushed_) {
        pushed_(reply);
      } else if (!handlers_.empty()) {
        auto handler = std::move(handlers_.front());
        handlers_.pop_front();
        handler(reply);
      }
    }
  }

 private:
  struct Free {
    void operator()(redisContext *context) const { redisFree(context); }
  };

  std::unique_ptr<redisContext, Free> context_;
  std::deque<Handler> handlers_;
  Handler pushed_;
  bool unsent_ = false;
};
