"""What the crowd does in worker processes: a module of its own, so that they start without the rest."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from qtorch.execution.base_executor import BaseExecutor
from qtorch.job.base_job import BaseJob


class InProcessJob(BaseJob[int]):
    kind: str = "quick"


class Processes(BaseExecutor[InProcessJob]):
    runner = "process"

    def process(self, job: InProcessJob) -> Any:
        match job.kind:
            case "stream":
                return (number for number in range(3_000))
            case "progress":
                for step in range(5):
                    self.emit_step(job, step, 5)
                    self.checkpoint(job)
            case "raise":
                raise OSError("on purpose")
            case "sleep":
                time.sleep(0.002)
            case "wait":
                self.token(job).wait(0.05)
            case "deaf":
                time.sleep(0.4)
            case "die":
                os._exit(3)
            case "large":
                logging.getLogger("app").debug("large")
                return len(bytes(1_000_000))
        return 1
