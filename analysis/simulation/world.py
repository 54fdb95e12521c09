"""The world in which a simulated trial takes place: outcomes, take-up, loss, clusters, heterogeneity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from analysis.power import checks
from analysis.power.errors import ImpossibleRequest
from analysis.power.result import Values
from analysis.simulation.normals import normals, stream, uniforms
from randomization import Design

__all__ = ["Batch", "World"]

# Blocks number from zero; what is fixed for a whole simulation is drawn from a stream that no block can have.
_FIXED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Batch:
    """The data of one block of trials: outcomes (T, n); `codes`, places in `World.arms`, (T, n) or (n,) when shared;
    `covariates` (T, p, n) or (p, n); what was taken up and seen (T, n); `advisors` (T, n), -1 for who has none."""

    outcome: np.ndarray
    codes: np.ndarray
    covariates: np.ndarray | None
    clusters: np.ndarray | None
    taken: np.ndarray | None
    seen: np.ndarray | None
    units: pd.DataFrame
    advisors: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class World:
    """How participants come about, and what the arms do to them.

    `effects` gives each treated arm its effect: of being assigned, or with `take_up` (a share for every arm) of taking
    part. `mean` is the control mean or proportion, `sd` the standard deviation of a continuous outcome, `effect_sd`
    that of individual effects. `covariates` standard normal ones explain `r2` of the outcome together, redrawn in
    each trial or fixed (with arms of fixed sizes a fixed imbalance between them then stays in every trial); they are
    called x1, x2, … or as `names` says. A binary outcome is tied to them by a threshold, so that every arm keeps its
    proportion. `cluster_size` people share a cluster, whole clusters are allocated, in a column `cluster` and in one
    called `cluster_name`. `nested` gives arms whose people share advisors: how many share one, and their intraclass
    correlation. `attrition` is the share lost by arm, at random. `columns` are strata: levels with their shares;
    `shifts` what a level adds to the outcome. `until` is the share of people, in the order in which they came, whose
    outcome is known yet: that of an interim look. All other draws are the same whatever it is.
    Source of the threshold: Lord & Novick (1968), section 15.5.

    >>> World(n=100, effects={"advice": 0.5}).arms
    ('control', 'advice')
    """

    n: int
    effects: Mapping[str, float]
    control: str = "control"
    kind: Literal["continuous", "binary"] = "continuous"
    mean: float = 0.0
    sd: float = 1.0
    effect_sd: float = 0.0
    covariates: int = 0
    r2: float = 0.0
    redrawn: bool = True
    cluster_size: int = 0
    icc: float = 0.0
    nested: Mapping[str, tuple[int, float]] = field(default_factory=Values)
    take_up: Mapping[str, float] = field(default_factory=Values)
    attrition: Mapping[str, float] = field(default_factory=Values)
    columns: Mapping[str, Mapping[str, float]] = field(default_factory=Values)
    shifts: Mapping[str, Mapping[str, float]] = field(default_factory=Values)
    names: tuple[str, ...] = ()
    cluster_name: str = ""
    until: float = 1.0

    def __post_init__(self) -> None:
        checks.whole(4, n=self.n)
        checks.whole(0, covariates=self.covariates, cluster_size=self.cluster_size)
        checks.loading(r2=self.r2, icc=self.icc)
        checks.at_least(0, effect_sd=self.effect_sd)
        if not self.effects or self.control in self.effects:
            raise ImpossibleRequest("effects", f"name the treated arms, without the control '{self.control}'")
        if self.cluster_size and self.n % self.cluster_size:
            raise ImpossibleRequest("n", f"{self.n} people do not fill clusters of {self.cluster_size}")
        if (self.icc > 0) != (self.cluster_size > 0) and self.icc > 0:
            raise ImpossibleRequest("icc", "an intraclass correlation needs a cluster_size")
        if (self.r2 > 0) and not self.covariates:
            raise ImpossibleRequest("r2", "variance explained needs covariates to explain it")
        if self.names and len(self.names) != self.covariates:
            raise ImpossibleRequest("names", f"name every covariate: there are {self.covariates}")
        checks.between("until", self.until, 0, 1)
        for name, given in (("take_up", self.take_up), ("attrition", self.attrition)):
            if given and set(given) != set(self.arms):
                raise ImpossibleRequest(name, f"state a share for every arm: {', '.join(self.arms)}")
            for share in given.values():
                checks.between(name, share, 0, 1)
        self._check_nested()
        if self.kind == "binary":
            self._check_binary()
        else:
            checks.positive(sd=self.sd)

    def _check_nested(self) -> None:
        for arm, (size, icc) in self.nested.items():
            if arm not in self.arms:
                raise ImpossibleRequest("nested", f"there is no arm '{arm}' (arms: {', '.join(self.arms)})")
            checks.whole(1, nested=size)
            checks.loading(nested=icc)
        if self.nested and self.cluster_size:
            raise ImpossibleRequest("nested", "people share an advisor or a cluster, not both")

    def _check_binary(self) -> None:
        checks.probability(mean=self.mean)
        if self.effect_sd or self.shifts:
            raise ImpossibleRequest("kind", "a binary world has no shifts or individual effects")
        if self._loading() > 1:
            most = self.r2 / self._loading()
            raise ImpossibleRequest("r2", f"of an outcome with proportion {self.mean:g} at most {most:.3g} explained")
        for arm, effect in self.effects.items():
            if not 0 <= self.mean + effect <= 1:
                raise ImpossibleRequest("effects", f"arm '{arm}' would have the proportion {self.mean + effect:g}")

    def _loading(self) -> float:
        """The share of the latent variable behind a binary outcome that the covariates explain."""
        density = math.exp(-(float(special.ndtri(self.mean)) ** 2) / 2) / math.sqrt(2 * math.pi)
        return self.r2 * self.mean * (1 - self.mean) / density**2

    @property
    def covariate_names(self) -> tuple[str, ...]:
        """Names of the covariates, as they stand in the table of a trial."""
        return self.names or tuple(f"x{place}" for place in range(1, self.covariates + 1))

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the control first; codes are places in this tuple."""
        return (self.control, *self.effects)

    def truth(self, treated: str, comparison: str) -> float:
        """Average effect of assignment of one arm against another."""
        return self._assigned(treated) - self._assigned(comparison)

    def _assigned(self, arm: str) -> float:
        if not self.take_up:
            return 0.0 if arm == self.control else self.effects[arm]
        # In the control arm those who take part get the first arm's treatment elsewhere.
        effect = self.effects[arm] if arm != self.control else next(iter(self.effects.values()))
        return effect * self.take_up[arm]

    def units(self, seed: int) -> pd.DataFrame:
        """The participants that all trials share: identity, cluster, strata and covariates that are not redrawn."""
        data, size = pd.DataFrame({"id": np.arange(self.n)}), max(self.cluster_size, 1)
        if self.cluster_size:
            data["cluster"] = np.arange(self.n) // self.cluster_size
        if self.cluster_size and self.cluster_name:
            data[self.cluster_name] = data["cluster"]
        source = stream(seed, _FIXED)
        for name, levels in self.columns.items():
            edges = np.cumsum(list(levels.values()))
            # A stratum of people who are allocated together is that of their cluster.
            drawn = np.repeat(np.searchsorted(edges / edges[-1], uniforms(source, self.n // size)), size)
            data[name] = np.array(list(levels), dtype=object)[drawn]
        if self.covariates and not self.redrawn:
            fixed = self.fixed_covariates(seed).astype(np.float64)
            data = data.assign(**dict(zip(self.covariate_names, fixed, strict=True)))
        return data

    def fixed_covariates(self, seed: int) -> np.ndarray:
        """Covariates that stay the same in every trial, (p, n)."""
        return normals(stream(seed, _FIXED - 1), self.n * self.covariates).reshape(self.covariates, self.n)

    def equal_codes(self) -> np.ndarray:
        """Arms in turn of equal size, whole clusters together. Exchangeable units need no shuffling."""
        units = self.n // self.cluster_size if self.cluster_size else self.n
        codes = np.arange(units) * len(self.arms) // units
        return np.repeat(codes, self.cluster_size) if self.cluster_size else codes

    def batch(self, units: pd.DataFrame, design: Design | None, seed: int, block: int, trials: int) -> Batch:
        """The data of one block of trials: a function of its arguments and nothing else."""
        source = stream(seed, block)
        codes = self._codes(units, design, seed, block, trials)
        shape = (trials, self.n)
        if self.kind == "binary":
            return self._binary(source, codes, units, shape, seed)
        covariates = None
        noise = math.sqrt((1 - self.icc) * (1 - self.r2)) * self.sd
        y = normals(source, trials * self.n).reshape(shape)
        if noise != 1:
            y *= np.float32(noise)
        if self.covariates:
            covariates = self._covariates(source, seed, trials)
            slope = np.float32(math.sqrt((1 - self.icc) * self.r2 / self.covariates) * self.sd)
            for place in range(self.covariates):
                y += covariates[..., place, :] * slope
        if self.icc:
            groups = self.n // self.cluster_size
            shared = normals(source, trials * groups).reshape(trials, groups) * np.float32(
                math.sqrt(self.icc) * self.sd
            )
            y.reshape(trials, groups, -1)[...] += shared[:, :, None]
        advisors = self._advisors(codes, shape)
        if advisors is not None:
            share = self._likeness(codes)
            y *= np.sqrt(1 - share).astype(np.float32)
            y += (np.sqrt(share) * self.sd * self._shared(normals, source, advisors)).astype(np.float32)
        y = self._shifted(y, units)
        taken, seen = self._taken(source, codes, shape), self._seen(source, codes, shape)
        y = self._treated(y, codes, taken, source)
        clusters = units["cluster"].to_numpy() if self.cluster_size else None
        return Batch(y, codes, covariates, clusters, taken, seen, units, advisors)

    def _codes(self, units: pd.DataFrame, design: Design | None, seed: int, block: int, trials: int) -> np.ndarray:
        if design is None and self.until < 1:
            raise ImpossibleRequest("until", "without a design people come arm by arm, so that no look sees all arms")
        if design is None:
            return self._shuffled(seed, block, trials) if self.shifts else self.equal_codes()
        drawn = design.draws(units, trials, int(np.random.SeedSequence([seed, block]).generate_state(1)[0]))
        order = [self.arms.index(name) for name in design.names]
        return np.array(order, dtype=np.uint8)[drawn]

    def _shuffled(self, seed: int, block: int, trials: int) -> np.ndarray:
        """Equal arms in random order, for units that differ beforehand in a way that stays the same in every trial."""
        size, source = max(self.cluster_size, 1), np.random.default_rng(np.random.SeedSequence([seed, block, 1]))
        codes = np.tile(self.equal_codes()[::size].astype(np.uint8), (trials, 1))
        return np.repeat(source.permuted(codes, axis=1), size, axis=1)

    def _advisors(self, codes: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
        """Who shares whom: within an arm each next `size` people share one; numbers differ between arms."""
        if not self.nested:
            return None
        everyone = np.broadcast_to(codes, shape)
        found, first = np.full(shape, -1, np.int32), 0
        for arm, (size, _icc) in self.nested.items():
            member = everyone == self.arms.index(arm)
            place = np.cumsum(member, axis=1) - 1
            found = np.where(member, first + place // size, found)
            first += -(-self.n // size)
        return found

    def _likeness(self, codes: np.ndarray) -> np.ndarray:
        """The intraclass correlation among those who share what each person shares."""
        return self._per_arm({arm: self.nested[arm][1] if arm in self.nested else 0.0 for arm in self.arms}, codes)

    def _shared(
        self, draw: Callable[[np.random.SFC64, int], np.ndarray], source: np.random.SFC64, groups: np.ndarray
    ) -> np.ndarray:
        """One deviate for each group of each trial, laid out over its people; who has none gets an unused one."""
        count = max(int(groups.max()) + 1, 1)
        drawn = draw(source, len(groups) * count).reshape(len(groups), count)
        return np.take_along_axis(drawn, np.maximum(groups, 0), axis=1)

    def _covariates(self, source: np.random.SFC64, seed: int, trials: int) -> np.ndarray:
        if not self.redrawn:
            return self.fixed_covariates(seed)
        return normals(source, trials * self.n * self.covariates).reshape(trials, self.covariates, self.n)

    def _shifted(self, y: np.ndarray, units: pd.DataFrame) -> np.ndarray:
        shift = np.full(self.n, self.mean)
        for name, levels in self.shifts.items():
            shift = shift + np.array([levels.get(level, 0.0) for level in units[name]])
        if shift.any():
            y += shift.astype(np.float32)
        return y

    def _per_arm(self, values: Mapping[str, float], codes: np.ndarray) -> np.ndarray:
        return np.array([values[arm] for arm in self.arms])[codes]

    def _taken(self, source: np.random.SFC64, codes: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
        if not self.take_up:
            return None
        return uniforms(source, shape[0] * shape[1]).reshape(shape) < self._per_arm(self.take_up, codes)

    def _seen(self, source: np.random.SFC64, codes: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
        seen = None
        if self.attrition:
            seen = uniforms(source, shape[0] * shape[1]).reshape(shape) >= self._per_arm(self.attrition, codes)
        if self.until < 1:
            known = np.arange(self.n) < round(self.until * self.n)
            seen = np.broadcast_to(known, shape) if seen is None else seen & known
        return seen

    def _effects(self) -> dict[str, float]:
        elsewhere = next(iter(self.effects.values())) if self.take_up else 0.0
        return {self.control: elsewhere, **self.effects}

    def _treated(
        self, y: np.ndarray, codes: np.ndarray, taken: np.ndarray | None, source: np.random.SFC64
    ) -> np.ndarray:
        effect = self._per_arm(self._effects(), codes).astype(np.float32)
        if self.effect_sd:
            own = normals(source, y.size).reshape(y.shape) * np.float32(self.effect_sd)
            effect = effect + own * (codes > 0)
        if taken is not None:
            effect = effect * taken
        if np.any(effect):
            y += effect
        return y

    def _binary(
        self, source: np.random.SFC64, codes: np.ndarray, units: pd.DataFrame, shape: tuple[int, int], seed: int
    ) -> Batch:
        draws = uniforms(source, shape[0] * shape[1]).reshape(shape)
        advisors = self._advisors(codes, shape)
        clusters = units["cluster"].to_numpy() if self.cluster_size else None
        groups = advisors if clusters is None else np.broadcast_to(clusters, shape)
        if groups is not None:
            # Whoever copies the draw of the group answers alike: exactly the intraclass correlation, whatever the
            # proportion. Source: Lunn & Davies (1998), Biometrika 85:487-490.
            share = self._likeness(codes) if clusters is None else np.float64(self.icc)
            copies = uniforms(source, draws.size).reshape(shape) < np.sqrt(share)
            draws = np.where(copies, self._shared(uniforms, source, groups), draws)
        taken, seen = self._taken(source, codes, shape), self._seen(source, codes, shape)
        effect = self._per_arm(self._effects(), codes)
        chance = self.mean + (effect if taken is None else effect * taken)
        covariates = self._covariates(source, seed, shape[0]) if self.covariates else None
        if covariates is not None and self.r2:
            loading, index = self._loading(), covariates.sum(axis=-2) / math.sqrt(self.covariates)
            own = math.sqrt(1 - loading) * special.ndtri(draws)
            draws = special.ndtr(own - math.sqrt(loading) * index)
        return Batch((draws < chance).astype(np.float32), codes, covariates, clusters, taken, seen, units, advisors)

    def frame(self, batch: Batch, trial: int) -> pd.DataFrame:
        """One trial as a table, for any estimator: arm, y (missing when lost), taken, advisor, shared columns.

        Its attribute `covariates` names the columns of the covariates.
        """
        data = batch.units.copy()
        data.attrs["covariates"] = self.covariate_names
        codes = batch.codes if batch.codes.ndim == 1 else batch.codes[trial]
        data["arm"] = np.array(self.arms, dtype=object)[codes]
        if batch.advisors is not None:
            data["advisor"] = [f"advisor {number}" if number >= 0 else None for number in batch.advisors[trial]]
        data["y"] = batch.outcome[trial].astype(np.float64)
        if batch.seen is not None:
            data.loc[~batch.seen[trial], "y"] = np.nan
        if batch.taken is not None:
            data["taken"] = batch.taken[trial].astype(int)
        if batch.covariates is not None:
            x = batch.covariates if batch.covariates.ndim == 2 else batch.covariates[trial]
            for name, column in zip(self.covariate_names, x, strict=True):
                data[name] = column.astype(np.float64)
        return data
