"""OpenTelemetry, where it is installed: a span and counts for every batch that was judged.

Names follow the semantic conventions: lower case, dots between parts, units in UCUM. Without an SDK that exports them
the API's calls do nothing; without the API nothing is called.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import import_module

from moderation.decision import Decision

_NAME = "moderation"


def telemetry(fingerprint: Callable[[], str]) -> Callable[[Sequence[Decision], float], None] | None:
    """What to call for every batch with its decisions and the seconds that it took; None without OpenTelemetry."""
    try:
        trace, metrics = import_module("opentelemetry.trace"), import_module("opentelemetry.metrics")
    except ImportError:
        return None
    tracer, meter = trace.get_tracer(_NAME), metrics.get_meter(_NAME)
    posts = meter.create_counter("moderation.posts", "{post}", "Posts judged, by verdict")
    unknown = meter.create_counter("moderation.unknown", "{post}", "Posts for which something was unknown")
    duration = meter.create_histogram("moderation.batch.duration", "s", "Time of a batch")

    def observe(decisions: Sequence[Decision], seconds: float) -> None:
        verdicts = Counter(decision.verdict for decision in decisions)
        for verdict, count in verdicts.items():
            posts.add(count, {"moderation.verdict": verdict})
        unknown.add(sum(bool(decision.unknown) for decision in decisions))
        duration.record(seconds)
        ended = time.time_ns()
        told = {"moderation.posts": len(decisions), "moderation.engine": fingerprint()}
        told |= {f"moderation.{verdict}": count for verdict, count in verdicts.items()}
        span = tracer.start_span("moderation.decide", attributes=told, start_time=ended - int(seconds * 1e9))
        span.end(ended)

    return observe
