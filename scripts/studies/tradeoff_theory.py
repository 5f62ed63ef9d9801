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


# -- queues ----------------------------------------------------------------------------------------


def erlang_c(servers, load):
    """P(wait) of M/M/c at a load of `load` servers."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mmc_tail(servers, service_rate, rate, t):
    """P(response > t) of M/M/c: the wait is 0 or exponential with c m - L, and the service follows."""
    waits, drain = erlang_c(servers, rate / service_rate), servers * service_rate - rate
    alone = math.exp(-service_rate * t)
    both = (service_rate * math.exp(-drain * t) - drain * alone) / (service_rate - drain)
    return (1 - waits) * alone + waits * both


def mmc_cliff(servers, service_rate, slo, beyond):
    """The rate at which a share `beyond` of the responses exceeds the SLO."""
    return bisect(lambda rate: beyond - mmc_tail(servers, service_rate, rate, slo), 1, servers * service_rate * 0.999999)
