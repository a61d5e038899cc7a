"""Does memory stay flat? Samples of each kind of process over a soak, and what they come to."""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """The memory of a process in megabytes after so many jobs of the soak."""

    role: str
    pid: int
    job: int
    megabytes: float


@dataclass(slots=True)
class MemoryDiary:
    """All samples, in the order of time."""

    samples: list[Sample] = field(default_factory=list)

    def note(self, role: str, pid: int, *, job: int, megabytes: float | None) -> None:
        """Add a sample, unless the process was gone."""
        if megabytes is not None:
            self.samples.append(Sample(role, pid, job, megabytes))

    def as_json(self) -> dict[str, dict[str, float]]:
        """For each role: medians of the first and the last tenth of all samples, the peak, and the process that lived
        longest: how many samples it has, and the medians of its first and last tenth."""
        by_role: dict[str, list[Sample]] = defaultdict(list)
        for sample in self.samples:
            by_role[sample.role].append(sample)
        return {role: _summary(samples) for role, samples in sorted(by_role.items())}


def _summary(samples: list[Sample]) -> dict[str, float]:
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    longest = max(lives.values(), key=len)
    return {
        "samples": len(samples),
        "processes": len(lives),
        "first_tenth_mb": _tenth(samples, last=False),
        "last_tenth_mb": _tenth(samples, last=True),
        "peak_mb": max(one.megabytes for one in samples),
        "longest_life_samples": len(longest),
        "longest_life_first_mb": _tenth(longest, last=False),
        "longest_life_last_mb": _tenth(longest, last=True),
    }


def _tenth(samples: list[Sample], *, last: bool) -> float:
    size = max(1, len(samples) // 10)
    return round(median(one.megabytes for one in (samples[-size:] if last else samples[:size])), 1)
