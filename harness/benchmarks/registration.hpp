// Which benchmarks there are. Called from main, not from static initialisers, because the list of
// models is one itself.
#pragma once

namespace precipice::bench {

void register_submit();
void register_policies();
void register_await();
void register_recording();
void register_generator();
void register_abstraction();
void register_memory();
void register_saturation();
void register_verdict();

}  // namespace precipice::bench
