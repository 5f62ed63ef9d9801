"""Closed forms of queueing theory for the studies of trade-offs. Rates per second; times in seconds but where a name says ms."""

import math


def bisect(function, low, high):
    """Where a function that falls crosses 0."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return low


# -- batches ---------------------------------------------------------------------------------------


def linger_mean(rate, linger, fixed, item):
    """Mean response where a batch waits for a linger and nothing else queues. A batch has 1 + Poisson(rate x linger) members; a
    member finds itself in one of mean size E[N^2] / E[N]."""
    arrivals = rate * linger
    wait = linger * (1 + arrivals / 2) / (1 + arrivals)
    return wait + fixed + item * ((1 + arrivals) ** 2 + arrivals) / (1 + arrivals)


def linger_stable(linger, fixed, item, size):
    """The rate below which batches of 1 + rate x linger members, at most `size`, are served as fast as they come."""
    return bisect(lambda rate: 1 - rate * (fixed / min(size, 1 + rate * linger) + item), 1, 1 / item)


# -- hedging: tails by milliseconds ----------------------------------------------------------------


def lognormal_tail(t, mean, cv):
    sigma = math.sqrt(math.log1p(cv * cv))
    return 0.5 * math.erfc((math.log(t / mean) + sigma * sigma / 2) / (sigma * math.sqrt(2))) if t > 0 else 1


def stragglers_tail(t):
    """Lognormal of 5 ms and a deviation of 2 ms, 5% of it ten times as long."""
    return 0.95 * lognormal_tail(t, 5, 0.4) + 0.05 * lognormal_tail(t, 50, 0.4)


def pareto_tail(t):
    """Pareto(1.464) of mean 2.18 ms."""
    alpha = 1.464
    shortest = 2.18 * (alpha - 1) / alpha
    return (shortest / t) ** alpha if t > shortest else 1


def hedged_percentile(tail, after_ms, beyond):
    """The time that a share `beyond` of the requests exceeds, with a second attempt after `after_ms` (inf: none), and independent
    attempts that do not queue: F(t), and past the delay F(t) F(t - d)."""
    def hedged(t):
        return tail(t) * (tail(t - after_ms) if t > after_ms else 1)
    return bisect(lambda t: hedged(t) - beyond, 1e-6, 1e7)


# -- fans ------------------------------------------------------------------------------------------


def more_than(k, n, p):
    """P(more than k of n), each with probability p."""
    return 1 - sum(math.comb(n, i) * p ** i * (1 - p) ** (n - i) for i in range(k + 1))


# -- stages ----------------------------------------------------------------------------------------


def linger_stages(rate, linger, stages):
    """Mean wait for the flush timers before stages in a row that lose no time to queues. What leaves the first together comes to
    the next together, more than a linger after those before it, and so waits for the whole timer there."""
    arrivals = rate * linger
    return linger * (1 + arrivals / 2) / (1 + arrivals) + (stages - 1) * linger


def tick_stages(tick, stages, service):
    """Mean wait for ticks before stages in a row of a fixed service. The first tick is met at any moment of it, each later one a
    service after the tick before, from which its phase is (k - 1/2) / (stages - 1) ticks away."""
    steps = ((k - 0.5) * tick / (stages - 1) for k in range(1, stages))
    return tick / 2 + sum((step - service) % tick for step in steps)


def erlang_percentile(stages, rate, beyond):
    """Of a sum of exponential times of this rate."""
    def tail(t):
        return sum(math.exp(k * math.log(rate * t) - rate * t - math.lgamma(k + 1)) for k in range(stages))
    return bisect(lambda t: tail(t) - beyond, 1e-9 / rate, 100 * stages / rate)


# -- breakers ---------------------------------------------------------------------------------------


def breaker_cycle(rate, first, second, up, down):
    """Of a breaker between a mode that carries `first` and one that carries `second`, at a rate between them: to `up` under way at
    rate - first; while those are still served one by one, to up x rate / first; from there to `down` at second - rate."""
    return (up - down) / (rate - first) + up / first + (up * rate / first - down) / (second - rate)


# -- classes ---------------------------------------------------------------------------------------


def cobham(loads, residual):
    """Mean waits of classes by priority, the first before the others, which do not interrupt (Cobham 1954). `loads` are their
    shares of the server's time, `residual` is what is left of the request in service: sum of rate x E[S^2] / 2."""
    before, waits = 0, []
    for load in loads:
        waits.append(residual / ((1 - before) * (1 - before - load)))
        before += load
    return waits


# -- queues ----------------------------------------------------------------------------------------


def erlang_c(servers, load):
    """P(wait) of M/M/c at a load of `load` servers."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mmc_mean(servers, service_rate, rate):
    """Mean response of M/M/c."""
    return 1 / service_rate + erlang_c(servers, rate / service_rate) / (servers * service_rate - rate)


def two_choices(rho):
    """Mean response in units of the service, where each request joins the shorter of two of many queues (Mitzenmacher 2001)."""
    return sum(rho ** (2 ** i - 2) for i in range(1, 20))


def replicas_carry(replicas, writes, read, write):
    """The rate that keeps n servers busy: reads at one of them, writes at each."""
    return 1 / ((1 - writes) * read / replicas + writes * write)


def mmc_tail(servers, service_rate, rate, t):
    """P(response > t) of M/M/c: the wait is 0 or exponential with c m - L, and the service follows."""
    waits, drain = erlang_c(servers, rate / service_rate), servers * service_rate - rate
    alone = math.exp(-service_rate * t)
    both = (service_rate * math.exp(-drain * t) - drain * alone) / (service_rate - drain)
    return (1 - waits) * alone + waits * both


def mmc_cliff(servers, service_rate, slo, beyond):
    """The rate at which a share `beyond` of the responses exceeds the SLO."""
    return bisect(lambda rate: beyond - mmc_tail(servers, service_rate, rate, slo), 1, servers * service_rate * 0.999999)


def bounded_percentile(service_rate, rate, room, beyond):
    """The response of M/M/1/K that a share `beyond` of what is let in exceeds: one that finds n before it takes n + 1 services."""
    weights = [(rate / service_rate) ** n for n in range(room)]

    def tail(t):
        term, left, total = math.exp(-service_rate * t), 0, 0
        for n, weight in enumerate(weights):
            left += term
            total += weight * left
            term *= service_rate * t / (n + 1)
        return total / sum(weights)
    return bisect(lambda t: tail(t) - beyond, 0, 100 * room / service_rate)
