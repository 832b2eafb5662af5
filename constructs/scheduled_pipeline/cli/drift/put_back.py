"""Put what was changed by hand back to what the template says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import AwsError, api_errors
from scheduled_pipeline.cli.account.calls import side_by_side
from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.kind import Declared
from scheduled_pipeline.cli.drift.search import unknown_properties


def put_back(
    aws: Aws, findings: Sequence[Finding], tell: Callable[[int], object] = lambda number: None
) -> list[Finding]:
    """Put back those that can be, side by side, and look at each again.

    Calls ``scheduler:UpdateSchedule``, ``events:PutRule``, ``PutTargets`` and ``RemoveTargets``, and
    ``sagemaker:UpdatePipeline``, which all but the second and the fourth also need ``iam:PassRole``. An
    interrupt lets the calls that are under way come to their end.

    Args:
        aws: who asks.
        findings: all that was found.
        tell: is given the number of those that are done.

    Returns:
        The same findings, with how each of those ended.
    """
    done: dict[int, Finding] = {}

    def attempt(place: int) -> None:
        done[place] = _put_back(aws, findings[place])

    places = [place for place, finding in enumerate(findings) if finding.can_be_put_back]
    try:
        for _ in side_by_side(attempt, places):
            tell(len(done))
    except KeyboardInterrupt:
        untried = (place for place in places if place not in done)
        done |= {place: replace(findings[place], result=Result.UNTRIED) for place in untried}
    return [done.get(place, finding) for place, finding in enumerate(findings)]


def _put_back(aws: Aws, finding: Finding) -> Finding:
    declared: Declared = finding.declared
    failed = partial(replace, finding, result=Result.FAILED)
    unknown = unknown_properties(declared)
    if unknown:
        return failed(error=f"{', '.join(unknown)} is not known")
    try:
        with api_errors():
            answer = declared.kind.read(aws, declared)
            if answer is None:
                return failed(error="it is gone")
            declared.kind.put_back(aws, declared, answer)
            left = declared.kind.compared(declared, declared.kind.read(aws, declared)).differences
    except AwsError as error:
        return failed(error=str(error))
    if left:
        return failed(error=f"it still differs: {', '.join(one.field for one in left)}", fields=left)
    return replace(finding, result=Result.REVERTED)
