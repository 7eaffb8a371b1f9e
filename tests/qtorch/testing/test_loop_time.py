import asyncio
import time

import anyio
import pytest
import qasync

from qtorch import *
from qtorch.testing import FakeClock
from qtorch.testing.loop_time import loops_follow


@pytest.fixture
def clock(qapp):
    c = FakeClock(settles=True)
    with loops_follow(c):
        yield c


class J(BaseJob[int]):
    n: int = 0


class E(BaseExecutor[J]):
    calls = 0

    async def process(self, job):
        self.calls += 1
        await asyncio.sleep(5)
        if self.calls < 3:
            raise OSError("x")
        async with asyncio.timeout(50):
            await asyncio.sleep(10)
        return 7


class T(BaseJob[int]):
    pass


class TE(BaseExecutor[T]):
    def process(self, job):
        self.token(job).wait(100)
        time.sleep(0.05)
        return 3


def test_sync(clock):
    r = Runtime(clock=clock, executors=[E(), TE()])
    h = r.dispatcher.dispatch(J(), retry=RetryPolicy(max_retries=3, base_delay=1, jitter=0))
    clock.advance(5)
    assert h.status.value == "waiting"
    t0 = time.perf_counter()
    clock.advance(1 + 5 + 2 + 5 + 10)
    assert h.status.value == "succeeded", (h.status, clock.now(), clock.pending)
    h = r.dispatcher.dispatch(T())
    clock.advance(100)
    assert h.status.value == "succeeded"
    h = r.dispatcher.dispatch(T())
    clock.run_until_idle()
    assert h.status.value == "succeeded"
    print(time.perf_counter() - t0)
    r.close()


@pytest.mark.asyncio
async def test_async(clock):
    r = Runtime(clock=clock, executors=[E(), TE()])
    h = r.dispatcher.dispatch(J(), retry=RetryPolicy(max_retries=3, base_delay=1, jitter=0))
    await clock.advance_async(5)
    assert h.status.value == "waiting"
    await clock.advance_async(1 + 5 + 2 + 5 + 10)
    assert h.status.value == "succeeded"
    assert await r.dispatcher.dispatch(T()) == 3
    now = clock.now()
    await asyncio.sleep(3600)
    assert clock.now() == now + 3600
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        with anyio.fail_after(3):
            await anyio.sleep(10)
    assert await asyncio.to_thread(lambda: (time.sleep(0.1), 5)[1]) == 5
    assert await r.dispatcher.dispatch(J(), retry=3) == 7
    await r.aclose()


def test_qasync(clock, qapp):
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)

    async def main():
        r = Runtime(clock=clock, executors=[E(), TE()], loop=loop)
        h = r.dispatcher.dispatch(J(), retry=RetryPolicy(max_retries=3, base_delay=1, jitter=0))
        await clock.advance_async(5)
        assert h.status.value == "waiting", h.status
        await clock.advance_async(1 + 5 + 2 + 5 + 10)
        assert h.status.value == "succeeded"
        assert await r.dispatcher.dispatch(T()) == 3
        now = clock.now()
        await asyncio.sleep(3600)
        assert clock.now() == now + 3600
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        with pytest.raises(RuntimeError):
            clock.advance(3)
        assert await r.dispatcher.dispatch(J(), retry=3) == 7
        await r.aclose()

    loop.run_until_complete(main())
    loop.close()
    asyncio.set_event_loop(None)
