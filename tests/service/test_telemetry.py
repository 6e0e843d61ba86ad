"""OpenTelemetry: what is told where its SDK is installed, and that nothing is where it is not."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from moderation import Moderator
from moderation.engine.engine import Engine
from moderation.service.telemetry import telemetry


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> tuple[InMemorySpanExporter, InMemoryMetricReader]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    meters = MeterProvider([reader])
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meters.get_meter)
    return spans, reader


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    data = reader.get_metrics_data()
    assert data is not None
    found = data.resource_metrics[0].scope_metrics[0].metrics
    return {metric.name: list(metric.data.data_points) for metric in found}


def test_batches_are_spans_and_counts(
    engine: Engine, exported: tuple[InMemorySpanExporter, InMemoryMetricReader]
) -> None:
    with Moderator(engine) as moderator:
        moderator.decide_batch(["casino", "hello", "terrible", "hi"])
        moderator.decide("casino")
    spans, reader = exported
    first, second = spans.get_finished_spans()
    assert first.name == "moderation.decide" and first.start_time <= first.end_time <= second.end_time  # type: ignore[operator]
    assert first.attributes == {
        "moderation.posts": 4,
        "moderation.engine": engine.fingerprint,
        "moderation.flagged": 1,
        "moderation.allowed": 2,
        "moderation.blocked": 1,
    }
    found = points(reader)
    counts = {point.attributes["moderation.verdict"]: point.value for point in found["moderation.posts"]}
    assert counts == {"flagged": 2, "allowed": 2, "blocked": 1}
    assert found["moderation.batch.duration"][0].count == 2 and found["moderation.unknown"][0].value == 0
    assert "casino" not in first.to_json()


def test_without_it_nothing_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    assert telemetry(lambda: "") is None
    with Moderator(engine) as moderator:
        assert moderator.decide("casino").verdict == "flagged"
