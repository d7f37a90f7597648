"""Ways to get through the blocks of a job: one after the other, in local processes, or by a Dask cluster."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_lotadenoise.errors import FileError, LotaDenoiseError
from napari_lotadenoise.jobs import opened

#: How often a block is tried again by another worker of a cluster when its own has died.
RETRIES = 3


class Executor(Protocol):
    """Gets blocks of a job done."""

    @property
    def workers(self) -> int:
        """Return how many blocks are done at a time."""

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """Do the blocks of these numbers, yielding the number of each when it is written."""


@dataclass(frozen=True)
class Serial:
    """One block after the other, in this process."""

    workers: int = 1

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """Do the blocks in order."""
        for number in numbers:
            yield work(str(folder), number)


@dataclass(frozen=True)
class Processes:
    """Local processes, each with a model of its own.

    Attributes
    ----------
    workers : int
        Processes, at least 1.
    """

    workers: int

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """Do the blocks in any order.

        Raises
        ------
        LotaDenoiseError
            Where a process died, for example for want of memory; what is written stays.
        """
        spawn = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
        with ProcessPoolExecutor(self.workers, mp_context=spawn) as pool:
            futures = [pool.submit(work, str(folder), number) for number in numbers]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BrokenProcessPool:
                raise LotaDenoiseError(
                    "A worker process died, perhaps for want of memory; run the same command again to go on."
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Dask:
    """Workers of dask.distributed.

    Attributes
    ----------
    address : str
        Of the scheduler, for example "tcp://node1:8786", or "local" for a cluster on this machine.
    workers : int
        Of a local cluster.
    """

    address: str
    workers: int = 2

    def run(self, folder: Path, numbers: Sequence[int]) -> Iterator[int]:
        """Do the blocks in any order; one whose worker dies is given to another one.

        Raises
        ------
        FileError
            Where dask.distributed is not installed, or there is no scheduler at the address.
        """
        try:
            import distributed
        except ImportError:
            raise FileError(
                'A scheduler needs dask.distributed; pip install "napari-lotadenoise[distributed]".'
            ) from None
        try:
            if self.address == "local":
                client = distributed.Client(n_workers=self.workers, threads_per_worker=1, dashboard_address=None)
            else:
                client = distributed.Client(self.address, timeout=20)
        except OSError as error:
            raise FileError(f"There is no Dask scheduler at {self.address} ({error}).") from None
        with client:
            # Explicit blocks, each of which reads and writes for itself: nothing of the image goes through the scheduler.
            futures = client.map(work, [str(folder)] * len(numbers), numbers, retries=RETRIES, pure=False)
            for future in distributed.as_completed(futures):
                yield future.result()


def chosen(workers: int = 1, scheduler: str = "") -> Executor:
    """Choose an executor: a scheduler where one is named, else as many processes as are asked for."""
    if scheduler:
        return Dask(scheduler, workers)
    return Processes(workers) if workers > 1 else Serial()


def work(folder: str, number: int) -> int:
    """Do one block of a job and mark it as written; the job is opened once a process."""
    job = _opened(folder, os.getpid())
    job.do(number)
    return number


@functools.lru_cache(maxsize=1)
def _opened(folder: str, _process: int) -> opened.OpenedJob:
    return opened.open_job(Path(folder))
