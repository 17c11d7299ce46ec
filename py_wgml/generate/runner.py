"""A model at work on a GPU: its weights, its cache of processed tokens, and the recorded Programs of its steps."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import numpy as np
import numpy.typing as npt

from ..errors import ContextError, WgmlError
from ..gguf_model.header import Header
from ..gpu import Device
from ..models import Cache, Forward, Made, State
from ..ops import Bits, Sampling, step_uniform
from ..timeline import mark
from .constraint import Constraint
from .draft import CHECKED, Costs, Draft, Speculate
from .measured import Measured
from .pace import Pace
from .steps import STEP_SIZES, Kind, OnLogprobs, Picking, Row, Steps
from .timing import ActivationBits, time_forms, x_bytes

_LONGEST_STEP = 0.5  # seconds of a prompt's step: in between it can be stopped; a GPU busy for longer may be reset
_SLOW_STEP = 0.05  # seconds a token, from which on prompts begin with steps of the smallest size
_PAGE = 1024  # positions by which the cache grows
_FEW_FORCED = 2  # tokens: for fewer than that no step that is worth it waits
_SELDOM, _OFTEN = 512, 32  # tokens from one snapshot to the next: of a prompt, and of what is generated


class Runner(Measured):
    """An `Engine` that generates.

    context: the most tokens it will hold (default: as many as the model and the device can).
    cache_bits: of keys and values. activation_bits: of what weights are multiplied by, a few tokens at a time: 32, or
    16 or 8 where the device has products of bytes; "auto": 16 where that is quicker, else 32. speculate: whether the
    next tokens are guessed by what the conversation holds, several checked in one step (see draft.py): True, wherever
    there is a guess; "auto", where it pays. It stays off (`speculate`) where it can't be, or would not pay; False may
    be set in between.
    """

    def __init__(
        self,
        device: Device,
        header: Header,
        context: int | None = None,
        cache_bits: Bits = 16,
        activation_bits: ActivationBits = 32,
        speculate: Speculate = "auto",
    ) -> None:
        super().__init__(device, header, context)
        self._activation_bits, self._x_bytes = activation_bits, x_bytes(device, activation_bits)
        self._cache = Cache(device, self._plan, cache_bits, self.config.context_length)
        self.context = self._cache.max_length
        self._tokens = device.buffer(4, "tokens")  # of the sequence, and the one that is sampled next
        state = State(self.config, self.weights, self._cache, self._activations, self._step, self._tokens)
        self.steps = Steps(device, self._forward, state)
        self._programs, self._step_sizes = self.steps.programs, self.steps.sizes
        self.later: Awaitable[None] | None = None  # `ahead`, at work
        self.rewritten: str | None = None  # the text of what `replace` has put in the family's place
        self._sequence: list[int] = []  # the tokens processed or sampled last, from the first on
        self._stored = 0  # positions whose keys and values the cache holds once the submitted steps are done
        self._remembered: int | None = 0  # the position that states which forget stand at then; None: at no known one
        self._step_size = self._step_sizes[1]  # of prompts
        self._pace = Pace()
        self._picking = Picking()  # of the answer under way
        self._in_flight = 2  # batches: one runs while the host takes in the one before it
        # What forgets can't take back a token that was refused.
        # On a CPU a step of several tokens takes so many times as long as one of a single token.
        apt = not (self._cache.states or (speculate == "auto" and device.info.software))
        self._speculate: Speculate = speculate if apt else False
        self.costs = Costs()
        # What steps of one token took the host so far, and how many were submitted.
        self.cpu_seconds, self.token_steps = 0.0, 0
        self._grow(1)
        self._record()

    async def examine(self) -> None:
        """As of `Engine`; and find out, once for a GPU, what it multiplies sooner, where that is to be."""
        await super().examine()
        if self._activation_bits == "auto" and self._x_bytes and not self.device.timed:
            await time_forms(self.device)
            self._x_bytes = x_bytes(self.device, "auto")
            if not self._x_bytes:
                self._record()

    def _record(self) -> None:
        self.speculate: Speculate = self._speculate if self.steps.record(self._x_bytes) else False

    async def ahead(self) -> None:
        """See Steps."""
        await self.steps.ahead(self.context, bool(self.speculate))

    async def start(self) -> None:
        """Wait for the kernels and run some steps, which also tells how fast this GPU is.

        Raises WgmlError when the GPU has not enough memory.
        """
        await super().start()
        token = await self.steps.time(1)
        began = time.perf_counter()
        await self.device.read(self._step, 4)
        self._pace = Pace(time.perf_counter() - began)
        step = max(0.0, token - self._pace.read_cost)
        self.costs = Costs(step, self._pace.read_cost)
        slow = step > _SLOW_STEP
        if not slow and len(self._step_sizes) > 2:
            count = min(self._step_sizes[2], self.context)
            self._fit_step_size(count, await self.steps.time(count))
        self._in_flight = 1 if slow else 2

    def _free(self) -> None:
        super()._free()
        self.steps.destroy()
        self._tokens.destroy()

    def reused(self, ids: Sequence[int]) -> int:
        """How many of the first `ids` need no processing, since the cache holds them (the last one always does)."""
        count = 0
        for cached, wanted in zip(self._sequence[: self._stored], ids[:-1], strict=False):
            if cached != wanted:
                break
            count += 1
        if not self._cache.states or count == self._remembered:
            return count
        return max((position for position in self._cache.snapshots.positions if position <= count), default=0)

    @property
    def context_used(self) -> int:
        """How many positions of the sequence the cache holds."""
        return min(self._stored, len(self._sequence))

    def forget(self) -> None:
        """Start from an empty cache next time."""
        self._sequence, self._stored, self._remembered = [], 0, 0
        self._cache.snapshots.forget()

    async def generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        on_prefill: Callable[[int], None] = lambda done: None,
        turns: Sequence[int] = (),
        limit: int | None = None,
        on_check: Callable[[int, int], None] = lambda drafted, accepted: None,
        constraint: Constraint | None = None,
        on_logprobs: OnLogprobs | None = None,
        who: object | None = None,
    ) -> AsyncGenerator[int]:
        """Process `ids` (but for what the cache holds already), then yield one sampled token after the other until the
        context is full, there are `limit` of them or the caller stops.

        on_prefill is called with the number of processed ids after each step that takes them in, but for the last one.
        turns: where among `ids` turns of a conversation begin, in rising order: others are likely to part there.
        on_check: called with how many tokens were guessed and how many of them were right, after each step that tells.
        constraint: what the tokens must say; they end where nothing can follow. Those that alone can follow are taken
        in like a prompt, several at once. on_logprobs: called before each token with the ids of it and of the likeliest
        ones, and their log-probabilities. who: whom `leave` takes out of the line of those who wait for their turn; no
        token comes then. Raises WgmlError when the ids don't fit, or no token fits the constraint.
        """
        who, sequence = who or object(), list(ids)
        # No step takes in what lies behind: the last token is sampled, and that is all.
        end = self.context if limit is None else len(ids) + limit - 1
        try:
            while True:
                # At first, and again where it had to give way while its reader rested: with what has come until then.
                if not await self._turns.take(who):
                    return
                options = sampling, on_prefill, turns, end, on_check, constraint, on_logprobs
                async with aclosing(self._generate(sequence, *options)) as tokens:
                    async for token in tokens:
                        sequence.append(token)
                        self._turns.rest(True)
                        yield token
                        if not self._turns.has(who):
                            break
                        self._turns.rest(False)
                    else:
                        return
                if len(sequence) > min(self.context, end) or (constraint is not None and constraint.walk.must_end):
                    return
        finally:
            self._turns.give(who)

    def leave(self, who: object) -> None:
        """Take one out of the line of those who wait: see `generate`."""
        self._turns.leave(who)

    async def _generate(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        on_prefill: Callable[[int], None],
        turns: Sequence[int],
        end: int,
        on_check: Callable[[int, int], None],
        constraint: Constraint | None,
        on_logprobs: OnLogprobs | None,
    ) -> AsyncGenerator[int]:
        """The tokens of `generate`, without a thought for others. end: positions that are taken in at most."""
        await self._check(ids)
        end = min(self.context, end)
        self._picking = self.steps.set(sampling, on_logprobs is not None, constraint, len(ids))
        # What depends on each pick in turn, or is told of it, comes from steps of one.
        in_turn = sampling.learns or on_logprobs is not None
        allowed = None if on_logprobs else constraint
        rows: list[Row] = []
        tokens = _forced(allowed, end - len(ids))
        if constraint is not None:
            constraint.forced_tokens += len(tokens)
        pending = await self._prefill(ids, on_prefill, turns, tokens)
        mark("submitted")
        draft = Draft(ids, self.costs, False if in_turn else self.speculate)
        last, paced = 0.0, False  # when the last tokens came, and whether of steps of one
        while True:
            for i, token in enumerate(tokens):
                self._sequence.append(token)
                draft.push(token)
                ends = constraint is not None and constraint.push(token)
                if on_logprobs:
                    on_logprobs(*rows[i])
                yield token
                if ends:
                    return
            self._alive()
            forced = _forced(allowed, end - len(self._sequence))
            is_forced = len(forced) > (self._stored + 1 - len(self._sequence) + _FEW_FORCED if pending else 0)
            if constraint is not None and is_forced and not pending:
                tokens = forced
                constraint.forced_tokens += len(forced)
                pending = await self._prefill(self._sequence, lambda done: None, (), forced)
                continue
            guess = [] if is_forced else draft.guess(max(0, min(self._cache.length, end) - self._stored - 1))
            is_check = bool(guess) and not pending
            if is_check:
                tokens = await self._check_guess(guess)
                on_check(len(guess), len(tokens) - 1)
            else:
                if not guess and not is_forced:  # else it waits for all that comes before it
                    batch = self._pace.batch if last else self._pace.first
                    await self._submit_steps(pending, draft.steps(batch), end)
                if not pending:
                    return
                mark("submitted ahead")
                draft.read()  # while the GPU is at work
                tokens, rows = self.steps.taken(await self._read(pending), self._picking)
                mark("read")
            now = time.perf_counter()
            if is_check:
                draft.checked(now - last)
            elif paced:
                self._pace.took(now - last, len(tokens))
                draft.passed(now - last, len(tokens))
            last, paced = now, not is_check

    async def _submit_steps(self, pending: deque[Awaitable[bytes]], most: int, end: int) -> None:
        """Keep batches of up to `most` steps of one token under way, until `end` positions are taken in.

        Each step takes in the token that the step before it samples; the host need not know it yet.
        """
        began = time.perf_counter()
        while len(pending) < self._in_flight and self._stored < end:
            count = min(most, end - self._stored, self.steps.room(self._stored + 1, self._picking))
            await self._reserve(self._stored + count)
            pending.append(await self._submit(1, "sample", count))
            self.token_steps += count
            self._remember(_OFTEN, passing=True)
        self.cpu_seconds += time.perf_counter() - began

    async def _check_guess(self, guess: Sequence[int]) -> list[int]:
        """The next tokens: those of `guess` up to the first that is wrong, and the one that is right there; when
        nothing is under way, and the cache has room. Keys and values of the others stay behind: every step that could
        see them writes its own there first."""
        first, count = self._stored, 1 + len(guess)
        self._write_tokens(guess, first + 1)
        self.device.write(self._step, step_uniform(first, count))
        program = await self.steps.ready(CHECKED, "check", first + count, self._picking)
        read = self.device.run_and_read(program, self.steps.found, 0, 4 * count)
        found: list[int] = np.frombuffer(await self._read(deque([read])), np.uint32).tolist()
        # Each was picked by the tokens before it, which were the right ones as far as the guess was.
        right = next((i for i, id in enumerate(guess) if found[i] != id), len(guess))
        self._stored += right + 1
        self._write_tokens(found[right : right + 1], self._stored)
        self.device.write(self._step, step_uniform(self._stored, 1))
        return found[: right + 1]

    async def _read(self, pending: deque[Awaitable[bytes]]) -> bytes:
        """The next of the reads under way. Raises WgmlError where the model was destroyed meanwhile."""
        try:
            data = await pending.popleft()
        except Exception:
            self._alive()  # else that is the cause
            raise
        self._alive()
        return data

    async def logits(self, ids: Sequence[int], at_once: int = STEP_SIZES[1]) -> npt.NDArray[np.float32]:
        """ids [T] -> logits [T, vocabulary] of the token after each, from an empty cache, `at_once` ids a step."""
        rows: list[npt.NDArray[np.float32]] = []
        async with aclosing(self.walk(ids, 0, len(ids), at_once)) as steps:
            async for _, count, (logits, _) in steps:
                assert logits is not None
                rows.extend(await self.device.read_array(logits, (count, self.config.vocabulary)))
        return np.stack(rows)

    async def walk(
        self, ids: Sequence[int], first: int, end: int, at_once: int = STEP_SIZES[1], watched: int | None = None
    ) -> AsyncGenerator[tuple[int, int, Made]]:
        """Process ids[first:end] in steps of up to `at_once`, and before that what the cache lacks of those before.
        Yields of each step its first position, how many it takes, and what it has made, to be read before the next one:
        logits of every token, and what the layer `watched` weighs values by. It may begin before `first`. What the
        cache holds behind stays there, but for layers that forget. Raises WgmlError when the ids don't fit."""
        ids = list(ids)
        async with self.turn():
            await self._check(ids)
            behind = self._sequence[:end] == ids[:end] and not self._cache.states
            sequence, stored = (self._sequence, self._stored) if behind else (ids[:end], end)
            start = self.reused(ids[: first + 1])
            if first - start > at_once:
                for read in await self._prefill(ids[:first], lambda done: None, ()):
                    await read
                start = first
            self._go_back(start)
            self._sequence = ids[:end]
            self._write_tokens(ids[start:end], start)
            while (position := self._stored) < end:
                count = min(at_once, end - position)
                length = position + count if watched is None else self._cache.length
                program = await self.steps.ready(count, "logits", length, watched=watched)
                self.device.write(self._step, step_uniform(position, count))
                self.device.run(program)
                self._stored = self._remembered = position + count
                yield position, count, self.steps.program(count, "logits", length, watched=watched)[1]
            self._sequence, self._stored = sequence, max(stored, end)

    async def replace(self, forward: Forward | None) -> None:
        """Put another function in the place of the family's (None: that again), once a step of it has run; the cache is
        forgotten. Raises WgmlError where it needs what is not on the GPU, or makes no numbers; and what it raises."""
        async with self.turn():
            self._alive()
            found = self._planned(forward)
            before, self.steps.forward = self.steps.forward, forward or self._forward
            try:
                self._record()
                await self.steps.time(1)
                await self.steps.require_numbers()
            except BaseException:
                self.steps.forward = before
                self._record()
                raise
            finally:
                self.forget()
            self.attending = found.attending

    async def _check(self, ids: Sequence[int]) -> None:
        self._alive()
        if not ids:
            raise WgmlError("there is no token to start from")
        if len(ids) > self.context:
            raise ContextError(f"the conversation has {len(ids)} tokens, the context only {self.context}")
        self._require_ids(ids)
        await self._reserve(len(ids))

    async def _prefill(
        self, ids: Sequence[int], on_prefill: Callable[[int], None], turns: Sequence[int], forced: Sequence[int] = ()
    ) -> deque[Awaitable[bytes]]:
        """Take in `ids`, and those `forced` behind them. Returns the reads of the steps under way; the last one reads
        the token that follows."""
        known, ids = list(ids), [*ids, *forced]
        await self._reserve(len(ids))
        pending: deque[Awaitable[bytes]] = deque()
        counts: deque[int] = deque()
        start = self.reused(ids)
        self._go_back(start)
        self._sequence = known
        ends = [*(turn for turn in turns if self._cache.states), len(ids)]
        if self.config.shared_kv_layers:
            # Layers without keys and values of their own are needed for the last token alone, which goes by itself.
            ends.insert(-1, len(ids) - 1)
        self._write_tokens(ids[start:], start)
        last = time.perf_counter()
        while self._stored < len(ids):
            end = next(end for end in ends if end > self._stored)
            if self._cache.states:
                end = min(end, max(start, *self._cache.snapshots.positions, 0) + _SELDOM)
            count = min(self._step_size, end - self._stored)
            is_last = self._stored + count == len(ids)
            self.device.write(self._step, step_uniform(self._stored, count))
            pending.append(await self._submit(count, "sample" if is_last else "fill"))
            counts.append(count)
            if self._stored == end and not is_last:
                self._remember(0)
            # One step ahead of the one that is waited for.
            while len(pending) > (1 if is_last else 2):
                await self._read(pending)
                now = time.perf_counter()
                self._fit_step_size(counts.popleft(), now - last)
                last = now
                on_prefill(min(self._stored - sum(counts), len(known)))
        return pending

    def _fit_step_size(self, count: int, seconds: float) -> None:
        """Take up how long a prompt's step of `count` tokens took. A smaller one than usual takes longer a token."""
        smallest, *whole = self._step_sizes[1:3]
        token = max(1e-9, seconds - self._pace.read_cost) / count
        size = int(_LONGEST_STEP / token)
        size = min(size - size % (whole or [smallest])[0], self._step_sizes[-1])
        if count >= self._step_size or size > self._step_size:
            self._step_size = max(size, smallest)

    async def _submit(self, count: int, kind: Kind, times: int = 1) -> Awaitable[bytes]:
        """Submit a step that takes in the next `count` tokens, `times` over, and a read of what they sample."""
        first = self._stored + count
        program = await self.steps.ready(count, kind, first + times - 1, self._picking)
        self._stored += count * times
        self._remembered = self._stored
        return self.steps.run(program, first, times, self._picking)

    def _remember(self, distance: int, passing: bool = False) -> None:
        """Take a snapshot of what forgets, if the last one is so many tokens back."""
        snapshots = self._cache.snapshots
        if self._cache.states and self._stored - max(snapshots.positions, default=0) >= distance:
            snapshots.take(self._stored, passing)

    def _go_back(self, position: int) -> None:
        """Forget all from `position` on, which is one that `reused` gives."""
        if self._cache.states and position not in (0, self._remembered):
            self._cache.snapshots.restore(position)
        self._cache.snapshots.forget(position)
        self._stored = self._remembered = position

    def _write_tokens(self, ids: Sequence[int], position: int) -> None:
        self.device.write(self._tokens, np.asarray(ids, np.uint32), 4 * position)

    async def _reserve(self, length: int) -> None:
        """Make room for `length` positions. Raises WgmlError when the GPU has none; the context then ends before."""
        before = self._cache.length
        if length <= before:
            return
        self._grow(length)
        try:
            await self.device.allocated()
        except WgmlError as error:
            self.context = before
            self.forget()
            self._grow(before)
            raise WgmlError(f"{error}: conversations end at {before} tokens on it") from None

    def _grow(self, length: int) -> None:
        """Give the cache room for `length` positions, rounded up to whole pages."""
        length = min(-(-length // _PAGE) * _PAGE, self.context)
        before = self._cache.buffers
        tokens = self.device.buffer(4 * (length + 1), "tokens")
        self.device.copy(self._tokens, tokens, min(self._tokens.nbytes, tokens.nbytes))
        self._tokens.destroy()
        self._cache.grow(length)
        others = zip(before, self._cache.buffers, strict=False)  # at first there are none
        self.steps.rebind(tokens, {self._tokens: tokens, **dict(others)})
        self._tokens = tokens


def _forced(constraint: Constraint | None, most: int) -> list[int]:
    """The tokens that alone can follow, at most so many."""
    return [] if constraint is None else constraint.forced(most)
