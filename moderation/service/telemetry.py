"""OpenTelemetry, where it is installed: a span and counts for every batch that was judged.

Names follow the semantic conventions: lower case, dots between parts, units in UCUM. Without an SDK that exports them
the API's calls do nothing; without the API nothing is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

from moderation.service.tally import Tally

_NAME = "moderation"


def telemetry(fingerprint: Callable[[], str]) -> Callable[[Tally, float | None], None] | None:
    """What to call for every batch with what it came to and the seconds that it took; None without OpenTelemetry."""
    try:
        trace, metrics = import_module("opentelemetry.trace"), import_module("opentelemetry.metrics")
    except ImportError:
        return None
    tracer, meter = trace.get_tracer(_NAME), metrics.get_meter(_NAME)
    posts = meter.create_counter("moderation.posts", "{post}", "Posts judged, by verdict")
    unknown = meter.create_counter("moderation.unknown", "{post}", "Posts for which something was unknown")
    duration = meter.create_histogram("moderation.batch.duration", "s", "Time of a batch")

    def observe(tally: Tally, seconds: float | None) -> None:
        for verdict, count in tally.verdicts.items():
            posts.add(count, {"moderation.verdict": verdict})
        unknown.add(tally.unknown)
        if seconds is None:
            return
        duration.record(seconds)
        ended = time.time_ns()
        told = {"moderation.posts": tally.posts, "moderation.engine": fingerprint()}
        told |= {f"moderation.{verdict}": count for verdict, count in tally.verdicts.items()}
        span = tracer.start_span("moderation.decide", attributes=told, start_time=ended - int(seconds * 1e9))
        span.end(ended)

    return observe
