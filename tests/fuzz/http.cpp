// The bytes of a connection, cut at a place that the first two of them name: the answers are those
// of the bytes in one piece, and every request that began has ended.
#include "tests/fuzz/property.hpp"
#include "tests/support/http_conversation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace precipice;
  using namespace precipice::fuzz;
  if (size < 2) return 0;
  const std::string_view bytes = text_of(data + 2, size - 2);
  const std::size_t cut = bytes.empty() ? 0 : (data[0] * 256U + data[1]) % bytes.size();
  // Small enough for the mutations to reach them.
  const serve::SessionLimits limits{
      .head = {.head_bytes = 512, .target_bytes = 128},
      .body = {.content_bytes = 256, .extension_bytes = 32, .trailer_bytes = 64}};
  testing::Conversation whole(limits), pieces(limits);
  whole.send(bytes);
  whole.end();
  pieces.send(bytes.substr(0, cut));
  pieces.send(bytes.substr(cut));
  pieces.end();
  require(whole.text() == pieces.text(), "the answers do not depend on where the bytes are cut",
          whole.text() + "\n-- cut: --\n" + pieces.text());
  require(whole.statuses() == pieces.statuses(), "nor do their statuses");
  for (const testing::Conversation* each : {&whole, &pieces}) {
    require(each->closed(), "a connection whose peer has gone is closed");
    require(each->host_.begun_ == each->host_.ended_, "every request that began has ended");
  }
  return 0;
}
