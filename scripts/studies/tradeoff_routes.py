"""Studies of trade-offs between kinds of requests, modes and places: each yields the head of a table, then its rows."""

from studies import tradeoff_theory as theory
from studies.tradeoff_program import classes, figure, ms, of_class, per_s, percent, response, series, stat


def priorities(program):
    yield ("live, batch", "load", "live: mean", "theory", "batch: mean", "theory", "sum of shares x means", "in order of arrival",
           "p99: live", "batch", "in order of arrival")
    for live, rho in ((0.9, 0.5), (0.9, 0.8), (0.9, 0.9), (0.5, 0.8), (0.1, 0.8)):
        words = classes(("live", live), ("batch", 1 - live))
        first, fifo = (program.trial("mean=1ms,service=exponential", policy, 1000 * rho, 1000, "--warmup", "5s", *words)
                       for policy in ("queue:running=1,order=priority", ""))
        waits = theory.cobham((rho * live, rho * (1 - live)), rho)
        mean = sum(share * first["classes"][k]["response_ns"]["mean"] for k, share in enumerate((live, 1 - live)))
        yield (f"{percent(live)}, {percent(1 - live)}", percent(rho), of_class(first, 0, "mean"), f"{1 + waits[0]:.3g} ms",
               of_class(first, 1, "mean"), f"{1 + waits[1]:.3g} ms", ms(mean), f"{1 / (1 - rho):.3g} ms",
               of_class(first, 0, "p99"), of_class(first, 1, "p99"), response(fifo, "p99"))


def stages(program):
    yield "stages", "buffer", "load", "mean", "theory", "p99", "theory", "p99 against one stage"
    for rho in (0.5, 0.8):
        one = program.trial("mean=1ms,service=exponential", "", 1000 * rho, 1000, "--warmup", "5s")
        five = program.trial("stages=5,mean=1ms,service=exponential", "", 1000 * rho, 1000, "--warmup", "5s")
        for count, trial in ((1, one), (5, five)):
            rate = 1 - rho
            yield (f"{count} x M/M/1 of 1 ms", "-", percent(rho), response(trial, "mean"), f"{count / rate:.3g} ms",
                   response(trial, "p99"), f"{theory.erlang_percentile(count, rate, 0.01):.3g} ms",
                   f"{trial['response_ns']['p99'] / one['response_ns']['p99']:.2f}")
    for name, kind, keys, wait in (("-", "fixed", "", lambda rate: 0),
                                   ("linger 50 ms", "fixed", ",linger=50ms", lambda rate: theory.linger_stages(rate, 0.05, 5)),
                                   ("tick 50 ms", "fixed", ",tick=50ms", lambda rate: theory.tick_stages(0.05, 5, 0.005)),
                                   ("tick 50 ms", "exponential", ",tick=50ms,service=exponential", lambda rate: 5 * 0.05 / 2)):
        for rate in (0.1, 20, 500):
            trial = program.trial(f"stages=5,servers=64,mean=5ms{keys}", "", rate, max(100, 300 / rate))
            yield (f"5 of 5 ms, {kind}", name, f"{rate:g}/s", response(trial, "mean"), ms(1e9 * (0.025 + wait(rate))),
                   response(trial, "p99"), "-", "-")


def fast_path(program):
    cells, _ = program.run("fast_path")
    words = classes(("interactive", 0.2), ("bulk", 0.8))
    yield ("path", "cliff", "carries at most", "interactive at 500/s: p50", "p99", "bulk: p50", "interactive at 2000/s: p50", "p99",
           "bulk: p50", "p99")
    batch = "batch:size=16,linger=20ms"
    for name, policy, label, most in (
            ("none batched", "", "100us ", 1000), ("all in one batch", batch, "|all ", 16 / 2.5e-3),
            ("bulk in batches", f"choose:by=class,second=({batch})", "|split ", 1 / (0.2e-3 + 0.8 * (0.9e-3 / 16 + 0.1e-3))),
            ("the same, interactive first", f"choose:by=class,second=({batch})|queue:running=1,order=priority", "|first ",
             1 / (0.2e-3 + 0.8 * (0.9e-3 / 16 + 0.1e-3)))):
        low, high = (program.trial("fixed=900us,item=100us", policy, rate, 200, *words) for rate in (500, 2000))
        figures = [of_class(low, 0, "p50"), of_class(low, 0, "p99"), of_class(low, 1, "p50")]
        figures += [of_class(high, 0, "p50"), of_class(high, 0, "p99"), of_class(high, 1, "p50"), of_class(high, 1, "p99")] \
            if most > 2000 else ["saturated"] * 4
        yield (name, figure(series(cells, label), "cliff_per_s"), per_s(most), *figures)


def regions(program):
    cells, _ = program.run("regions")
    shares = (("orders", 0.1), ("events", 0.3), ("reports", 0.6))
    words = classes(*shares)
    yield ("mode", "cliff", "carries at most", "orders at 500/s: p99", "events", "reports", "orders at 2000/s: p99", "events", "reports")
    short, long = "batch:size=8,linger=5ms", "batch:size=64,linger=100ms"
    each = f"choose:by=class,second=(choose:by=class,classes=2,first=({short}),second=({long}))|queue:running=1,order=priority"
    for name, policy, label, work_ms in (
            ("none", "", "100us ", 1), ("short batches", f"{short}|queue:running=1", "|short ", 0.9 / 8 + 0.1),
            ("long batches", f"{long}|queue:running=1", "|long ", 0.9 / 64 + 0.1),
            ("one for each", each, "|regions ", 0.1 + 0.3 * (0.9 / 8 + 0.1) + 0.6 * (0.9 / 64 + 0.1))):
        trials = [program.trial("fixed=900us,item=100us", policy, rate, 200, *words) for rate in (500, 2000)]
        yield (name, figure(series(cells, label), "cliff_per_s"), per_s(1000 / work_ms),
               *(of_class(trials[0], k, "p99") for k in range(3)),
               *(of_class(trials[1], k, "p99") if work_ms < 0.5 else "saturated" for k in range(3)))


def breaker(program):
    """The step: requests until the switch are those that took the first mode."""
    batch = "second=(batch:size=16,linger=20ms)"
    yield ("up, down, hold", "switch after a step 800 to 2000/s", "theory", "longest response", "theory", "switches in 60 s at 700/s",
           "at 2000/s", "theory", "p99 at 2000/s")
    for up, down, hold in ((50, 10, "0"), (100, 10, "0"), (200, 10, "0"), (100, 1, "0"), (100, 10, "500ms")):
        policy = f"choose:by=stress,up={up},down={down},hold={hold},{batch}"
        oracle = "fixed=900us,item=100us"
        theta = up / 1000
        # Until twice the time of the switch there is no second one.
        step = program.trial(oracle, policy, 800, 2 + 2 * theta, "--warmup", "0s", "--arrivals", "fixed", "--trigger",
                             "step 2.5x at 2s", "--slo", "p99<200ms")
        at = 1000 * (stat(step, "first") - 1600) / 2000
        steady, high = (program.trial(oracle, policy, rate, 60, "--warmup", "2s") for rate in (700, 2000))
        yield (f"{up}, {down}, {hold}", f"{at:.0f} ms", f"{1000 * theta * 1000 / (2000 - 1000):.0f} ms", response(step, "max"),
               f"{1000 * theta:.0f} ms", f"{stat(steady, 'switches'):.0f}", f"{stat(high, 'switches'):.0f}",
               f"{2 * 60 / theory.breaker_cycle(2000, 1000, 6400, up, down):.0f}" if hold == "0" else "-", response(high, "p99"))


def fail_fast(program):
    cells, _ = program.run("fail_fast")
    yield ("before one server of 1 ms", "cliff", "loss at 700/s", "goodput at 1500/s", "loss", "p50 of what is served", "p99",
           "switches in 60 s")
    for name, policy, label in (("nothing", "", "exponential "), ("limit 50", "limit:limit=50", "|limit "),
                                ("breaker 50, 10", "choose:by=stress,up=50,down=10,second=(limit:limit=1)", "|breaker "),
                                ("breaker 50, 10, hold 500 ms", "choose:by=stress,up=50,down=10,hold=500ms,second=(limit:limit=1)",
                                 "|held ")):
        below, over = (program.trial("mean=1ms,service=exponential", policy, rate, 60, "--warmup", "5s", "--slo", "p99<60ms")
                       for rate in (700, 1500))
        lost = [1 - each["counts"]["completed"] / each["counts"]["scheduled"] for each in (below, over)]
        yield (name, figure(series(cells, label), "cliff_per_s"), percent(lost[0]), per_s(over["goodput_per_s"]),
               percent(lost[1]), response(over, "p50"), response(over, "p99"),
               f"{stat(over, 'switches'):.0f}" if "choose" in policy else "-")


def connections(program):
    """Open loops: M/M/N against service and set-up. Closed loops: what 2,048 callers see, by Little's law."""
    yield "way", "mean at 1000/s", "theory", "mean at 3000/s", "theory", "p99 at 3000/s"
    for name, oracle, policy, servers, service in (
            ("pool of 16", "servers=128,mean=5ms,service=exponential", "queue:running=16", 16, 5e-3),
            ("pool of 64", "servers=128,mean=5ms,service=exponential", "queue:running=64", 64, 5e-3),
            ("each request its own, set-up 1 ms", "servers=128,mean=6ms,service=exponential", "", 128, 6e-3)):
        low, high = (program.trial(oracle, policy, rate, 300, "--warmup", "5s") for rate in (1000, 3000))
        yield (name, response(low, "mean"), ms(1e9 * theory.mmc_mean(servers, 1 / service, 1000)), response(high, "mean"),
               ms(1e9 * theory.mmc_mean(servers, 1 / service, 3000)), response(high, "p99"))


def pool_size(program):
    """9,600 callers that pause for 550 ms, through pools of several sizes, before a server that shares 32 CPUs."""
    yield ("server carries", "connections", "served", "time in the server", "that a caller sees", "9,600 / served - 550 ms",
           "published: in the server", "that a caller sees")
    for capacity, size, *published in ((14545, 2048, "77 ms", "110 ms"), (14545, 1024, "-", "-"), (14545, 96, "2 ms", "3 ms"),
                                       (14545, 16, "-", "-"), (20000, 2048, "-", "-"), (20000, 96, "2 ms", "3 ms")):
        trial = program.closed_loop(f"servers=32,mean={32e9 / capacity:.0f}ns,service=exponential,discipline=ps",
                                    f"queue:running={size}", 9600, 20, "--think", "550ms", "--warmup", "5s")
        served = trial["goodput_per_s"]
        yield (per_s(capacity), f"{size:,}", per_s(served), ms(trial["residence_ns"]["mean"]), response(trial, "mean"),
               ms(1e9 * (9600 / served - 0.55)), *published)


def two_choices(program):
    cells, _ = program.run("two_choices")
    yield ("choice among 100", "mean at 50%", "theory", "mean at 90%", "theory", "p99 at 90%", "cliff, of 100,000/s")
    oracle = "servers=100,mean=1ms,service=exponential,discipline=random_split"
    for name, pick, closed in (("random", "random", lambda rho: 1 / (1 - rho)), ("two", "two", theory.two_choices),
                               ("the least of all", "least", None)):
        half, high = (program.trial(oracle, f"choose:by=replica,replicas=100,pick={pick}", rate, 20, "--warmup", "2s")
                      for rate in (50000, 90000))
        expected = [f"{closed(rho):.3g} ms" if closed else "-" for rho in (0.5, 0.9)]
        yield (name, response(half, "mean"), expected[0], response(high, "mean"), expected[1], response(high, "p99"),
               figure(series(cells, f"pick={pick} "), "cliff_per_s"))


def read_replicas(program):
    cells, _ = program.run("read_replicas")
    yield "servers", "writes", "cliff", "carries at most", "reads alone", "read p99 at 80% of that", "write p99"
    for count, label, batched in ((1, "|one ", True), (2, "|two ", True), (8, "|eight ", True), (8, "|eight_single ", False)):
        write = (0.9 / 16 + 0.1) / 1000 if batched else 1e-3
        most = theory.replicas_carry(count, 0.2, 1e-3, write)
        batch = "batch:size=16,linger=200ms" if batched else ""
        each = "|".join(part for part in (batch, f"fan:out={count},to=replicas" if count > 1 else "") if part)
        first = f"first=(choose:by=replica,replicas={count},pick=two)," if count > 1 else ""
        split = ",discipline=random_split" if count > 1 else ""
        trial = program.trial(f"servers={count},fixed=900us,item=100us{split}", f"choose:by=class,{first}second=({each})",
                              round(0.8 * most), 60, "--warmup", "2s", *classes(("read", 0.8), ("write", 0.2)))
        yield (count, "in batches of 16" if batched else "one by one", figure(series(cells, label), "cliff_per_s"), per_s(most),
               per_s(count / 1e-3), of_class(trial, 0, "p99"), of_class(trial, 1, "p99"))


STUDIES = (priorities, stages, fast_path, regions, breaker, fail_fast, connections, pool_size, two_choices, read_replicas)
