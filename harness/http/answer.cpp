#include "harness/http/answer.hpp"

#include <charconv>
#include <cstring>

#include "harness/http/http_date.hpp"

namespace precipice::http {
namespace {

// Writes into memory that has been reserved for all of it.
class Writer {
 public:
  explicit Writer(char* to) : at_(to) {}
  Writer& operator<<(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Writer& operator<<(std::size_t number) {
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
    return *this;
  }
  char* at() const { return at_; }

  static constexpr std::size_t kMostDigits = 20;

 private:
  char* at_;
};

}  // namespace

void append_answer(ByteBuffer& out, const Answer& answer) {
  constexpr std::string_view kVersion = "HTTP/1.1 ", kServer = "\r\nServer: precipice\r\nDate: ",
                             kType = "\r\nContent-Type: ", kLength = "\r\nContent-Length: ",
                             kClose = "\r\nConnection: close",
                             kKeepAlive = "\r\nConnection: keep-alive", kEnd = "\r\n\r\n";
  const std::string_view reason = reason_phrase(answer.status);
  const std::string_view sent = answer.to_head ? std::string_view() : answer.body;
  const std::size_t most = kVersion.size() + 4 + reason.size() + kServer.size() + kDateBytes +
                           kType.size() + answer.content_type.size() + kLength.size() +
                           Writer::kMostDigits + kKeepAlive.size() + 2 + answer.fields.size() +
                           kEnd.size() + sent.size();
  char* const begin = out.reserve(most);
  Writer writer(begin);
  writer << kVersion << static_cast<std::size_t>(answer.status) << " " << reason << kServer
         << http_date() << kType << answer.content_type << kLength << answer.body.size();
  if (answer.close) {
    writer << kClose;
  } else if (answer.keep_alive) {
    writer << kKeepAlive;
  }
  if (!answer.fields.empty()) writer << "\r\n" << answer.fields.substr(0, answer.fields.size() - 2);
  writer << kEnd << sent;
  out.commit(static_cast<std::size_t>(writer.at() - begin));
}

}  // namespace precipice::http
