"""What a service counts, in the format of Prometheus: verdicts, rules, languages, latency, unknowns, reloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from moderation.decision import VERDICTS
from moderation.errors import ModerationError
from moderation.service.moderator import Moderator
from moderation.service.streams import BrokerError, Stream
from moderation.service.tally import UNJUDGED, Tally

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """Counts what a moderator does. Each has a registry of its own."""

    def __init__(self, moderator: Moderator) -> None:
        self._registry = registry = CollectorRegistry()
        self._posts = Counter("moderation_posts", "Posts judged, by verdict", ["verdict"], registry=registry)
        self._rules = Counter("moderation_rules", "Posts that a rule holds for", ["rule"], registry=registry)
        self._languages = Counter("moderation_languages", "Posts by main language", ["language"], registry=registry)
        self._unknown = Counter("moderation_unknown", "Posts for which something was unknown", registry=registry)
        self._unjudged = Counter(
            "moderation_unjudged", "Posts that were not judged, by why", ["why"], registry=registry
        )
        self._seconds = Histogram("moderation_batch_seconds", "Time of a batch", buckets=_SECONDS, registry=registry)
        self._requests = Counter(
            "moderation_requests", "Requests by route and status", ["route", "status"], registry=registry
        )
        self._latency = Histogram(
            "moderation_request_seconds", "Time of a request for decisions", buckets=_SECONDS, registry=registry
        )
        for verdict in VERDICTS:
            self._posts.labels(verdict)
        for why in UNJUDGED:
            self._unjudged.labels(why)
        registry.register(_State(moderator))
        moderator.observe(self.add)

    def add(self, tally: Tally, seconds: float | None) -> None:
        """Count a batch."""
        if seconds is not None:
            self._seconds.observe(seconds)
        for counter, counts in (
            (self._posts, tally.verdicts),
            (self._languages, tally.languages),
            (self._rules, tally.rules),
            (self._unjudged, tally.unjudged),
        ):
            for label, count in counts.items():
                counter.labels(label).inc(count)
        self._unknown.inc(tally.unknown)

    def request(self, route: str, status: int, seconds: float | None = None) -> None:
        """Count a request, and how long it took."""
        self._requests.labels(route, str(status)).inc()
        if seconds is not None:
            self._latency.observe(seconds)

    def stream(self, stream: Stream) -> None:
        """Tell of a consumer of a stream as well."""
        self._registry.register(_StreamState(stream))

    def listen(self, port: int) -> Callable[[], None]:
        """Answer who looks, on loopback, until what is returned is called. Raises ModerationError for a taken port."""
        try:
            server, thread = start_http_server(port, "127.0.0.1", self._registry)
        except OSError as error:
            raise ModerationError(f"cannot listen on 127.0.0.1:{port}: {error.strerror or error}") from error

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return close

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


class _State(Collector):
    """What is asked of the moderator when somebody looks."""

    def __init__(self, moderator: Moderator) -> None:
        self._moderator = moderator

    def collect(self) -> Iterator[Metric]:
        moderator = self._moderator
        yield CounterMetricFamily("moderation_reloads", "Reloads that took", value=moderator.reloads)
        yield CounterMetricFamily("moderation_failed_reloads", "Reloads that failed", value=moderator.failed_reloads)
        yield CounterMetricFamily("moderation_restarts", "Restarts of the judging process", value=moderator.restarts)
        yield GaugeMetricFamily("moderation_waiting", "Posts that wait", value=moderator.waiting)
        engine = GaugeMetricFamily("moderation_engine", "The engine that judges", labels=["fingerprint"])
        engine.add_metric([moderator.fingerprint], 1)
        yield engine


class _StreamState(Collector):
    """What is asked of a consumer when somebody looks; no lag while its broker does not answer."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def collect(self) -> Iterator[Metric]:
        messages = CounterMetricFamily("moderation_stream_messages", "Messages by what became of them", labels=["what"])
        for what, count in self._stream.counts.items():
            messages.add_metric([what], count)
        yield messages
        with suppress(BrokerError):
            lag = self._stream.broker.lag()
            yield GaugeMetricFamily("moderation_stream_lag", "Messages that nobody has read yet", value=lag)
