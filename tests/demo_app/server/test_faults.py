from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import httpx
import pytest

from demo_app.server.faults import Faults
from demo_app.server.models import ApiError, FaultSettings

if TYPE_CHECKING:
    from demo_app.server.store import Store

Serve = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def client(three: Store, serve: Serve, faults: Faults) -> Iterator[httpx.Client]:
    with serve(three, faults, control=True) as client:
        yield client


def fails(faults: Faults, requests: int) -> list[bool]:
    return [faults.next_fails() for _ in range(requests)]


def test_the_same_seed_fails_the_same_requests() -> None:
    settings = FaultSettings(fail_rate=0.3)
    first, second = (fails(Faults(settings, generator=random.Random(7)), 200) for _ in range(2))
    assert first == second
    assert 40 < sum(first) < 80


def test_a_rate_of_0_never_fails_and_a_rate_of_1_always() -> None:
    assert not any(fails(Faults(FaultSettings(fail_rate=0)), 1000))
    assert all(fails(Faults(FaultSettings(fail_rate=1)), 1000))


def test_the_next_requests_fail_before_the_rate_is_asked() -> None:
    faults = Faults(FaultSettings(fail_next=2))
    assert fails(faults, 4) == [True, True, False, False]
    assert faults.settings.fail_next == 0


@pytest.mark.realtime
def test_a_failing_request_is_answered_with_503_and_does_nothing(client: httpx.Client, faults: Faults) -> None:
    faults.settings = FaultSettings(fail_next=1)
    response = client.patch("/people/1", json={"version": 1, "bio": "x"})
    assert response.status_code == 503
    assert ApiError.model_validate_json(response.content).code == "unavailable"
    assert client.get("/people/1").json()["version"] == 1


@pytest.mark.realtime
def test_an_upload_that_fails_hears_of_it(client: httpx.Client, faults: Faults) -> None:
    faults.settings = FaultSettings(fail_next=1)
    files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(4_000_000))}
    assert [client.put("/people/1/avatar", files=files).status_code for _ in range(2)] == [503, 200]


@pytest.mark.realtime
def test_a_server_that_always_fails_is_healthy_and_can_be_mended(client: httpx.Client, faults: Faults) -> None:
    faults.settings = FaultSettings(fail_rate=1, latency=3600)
    assert client.get("/health").status_code == 200
    assert client.get("/control").json() == {"latency": 3600, "fail_rate": 1, "fail_next": 0}
    assert client.put("/control", json={}).json() == {"latency": 0, "fail_rate": 0, "fail_next": 0}
    assert client.get("/people").status_code == 200


@pytest.mark.realtime
def test_latency_keeps_an_answer_back_and_not_that_of_the_others(client: httpx.Client, faults: Faults) -> None:
    faults.settings = FaultSettings(latency=3600)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/people/1", timeout=0.1)
    assert client.get("/health").status_code == 200


@pytest.mark.realtime
def test_latency_passes(client: httpx.Client, faults: Faults) -> None:
    faults.settings = FaultSettings(latency=0.15)
    response = client.get("/people/1")
    assert response.status_code == 200
    assert response.elapsed.total_seconds() >= 0.15


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ('{"fail_rate": 1.1}', "fail_rate"),
        ('{"fail_rate": -0.1}', "fail_rate"),
        ('{"latency": -1}', "latency"),
        ('{"latency": NaN}', "latency"),
        ('{"latency": Infinity}', "latency"),
        ('{"fail_next": -1}', "fail_next"),
        ('{"fail_next": 1.5}', "fail_next"),
        ('{"fail_all": true}', "fail_all"),
    ],
)
def test_a_wrong_setting_is_refused_and_changes_nothing(
    client: httpx.Client, faults: Faults, settings: str, field: str
) -> None:
    before = faults.settings = FaultSettings(latency=0.001, fail_next=3)
    response = client.put("/control", content=settings)
    assert (response.status_code, list(response.json()["fields"])) == (422, [field])
    assert faults.settings == before


@pytest.mark.realtime
def test_without_the_flag_there_is_no_control(three: Store, serve: Serve) -> None:
    with serve(three) as client:
        assert [client.request(method, "/control").status_code for method in ("GET", "PUT")] == [404, 404]
