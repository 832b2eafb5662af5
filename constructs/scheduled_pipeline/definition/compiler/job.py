"""``Job``: a definition that is being compiled, from the request to what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from pathlib import Path

from scheduled_pipeline.definition.compiler.cache import CompiledCache
from scheduled_pipeline.definition.compiler.keeper import Keeper
from scheduled_pipeline.definition.compiler.request import CompileRequest
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.project import Project
from scheduled_pipeline.definition.sandbox.protocol import Answer, Cancelled, Compiled, Ended, Failed, Guard
from scheduled_pipeline.definition.validation.validate import validate


@dataclass(frozen=True)
class Outcome:
    """What came of a request.

    Attributes:
        compiled: the pipeline, or None where there is an error.
        error: what is wrong.
        output: what was printed meanwhile.
        late: whether it was ended because its time was over.
        guard: what kept the definition from the network; None where it was not compiled.
    """

    compiled: CompiledPipeline | None
    error: str
    output: str
    late: bool = False
    guard: Guard | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """A definition that is being compiled.

    Attributes:
        request: what is wanted.
        project: the project of the child that it is for.
        cache: where the result is kept, or None for nowhere.
        seconds: how long the child may take.
        keeper: puts it there.
        future: has the outcome, once there is one; cancelled where the job is given up.
        wanted: set once somebody waits for it.
        given_up: set once its child is to end it, as somebody waits for another one, or nobody for any.
    """

    request: CompileRequest
    project: Project
    cache: CompiledCache | None
    seconds: float
    keeper: Keeper
    future: Future[Outcome] = field(default_factory=Future)
    wanted: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)

    def finish(self, answer: Answer, output: str, staging: Path) -> None:
        """Take the child's answer: validate what was compiled, keep it, and hand it out.

        Args:
            answer: the child's.
            output: what was printed meanwhile.
            staging: where the child has put the files of uploads.
        """
        try:
            self.future.set_result(self._outcome(answer, output, staging))
        except BaseException as error:  # it is raised where the result is asked for
            self.break_off(error)

    def fail(self, error: str, *, late: bool = False) -> None:
        """Hand out an error in the place of a result; ``late`` is as in ``Outcome``."""
        self.future.set_result(Outcome(None, error, "", late))

    def break_off(self, error: BaseException) -> None:
        """Raise an error of ours where the result is asked for, unless there is one already."""
        with contextlib.suppress(InvalidStateError):
            self.future.set_exception(error)

    def _outcome(self, answer: Answer, output: str, staging: Path) -> Outcome:
        source = f"the build function {self.request.function}"
        if isinstance(answer, Ended):
            return Outcome(None, self._ended(answer, output), output, answer.late)
        assert not isinstance(answer, Cancelled)  # nobody waits for that
        if not isinstance(answer, Compiled):
            error = f"{source} {answer.error}" if isinstance(answer, Failed) else answer.reason
            return Outcome(None, error, output)
        compiled = answer.pipeline.unpack(staging, source)
        compiled = dataclasses.replace(compiled, findings=validate(compiled.document))
        if self.cache is not None and answer.reads is not None:
            self.keeper.keep(self.cache, self.request, self.project, answer.reads, compiled)
        return Outcome(compiled, "", output, guard=answer.guard)

    def _ended(self, answer: Ended, output: str) -> str:
        """Return the sentence for a process that did not come to its end; what it printed may say why."""
        how = f"did not answer within {self.seconds:g} seconds and was ended" if answer.late else answer.how
        place = f"; it was at {answer.place}" if answer.place else ""
        return f"the process that runs {self.request.function} {how}{place}; its output:\n{output}"
