import pytest

from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.output import print_sections
from scheduled_pipeline.cli.drift.values import Difference

ARN = "arn:aws:sagemaker:eu-central-1:111122223333:pipeline/devdailyprocessing-8689768b"


def found(result: Result, *fields: Difference, **details: str) -> Finding:
    return Finding(
        stack="Dev-DailyProcessing",
        region="eu-central-1",
        kind="schedule",
        group="DevDailyProcessingSchedules8689768B",
        name="DevDailyProcessing-8689768B-Daily",
        result=result,
        fields=fields,
        **details,  # type: ignore[arg-type]
    )


def test_a_terminal_of_80_columns_has_room_for_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_sections(
        [
            found(
                Result.CHANGED,
                Difference(field="State", template="ENABLED", account="DISABLED"),
                Difference(field="Target.Arn", template=ARN, account=ARN + "-other"),
                note="it was disabled by hand and starts nothing",
            ),
            found(Result.MISSING, note="a deploy without a change does not bring it back"),
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines if "State" in line] == [["State", "ENABLED", "DISABLED"]]
    assert [line for line in lines if line.startswith("Dev-")] == ["Dev-DailyProcessing  eu-central-1"]
    assert sum("Field" in line for line in lines) == 1


def test_a_terminal_gets_the_first_fields_of_many(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [Difference(field=f"Steps[{number}]", template="a", account=None) for number in range(1_030)]
    print_sections([found(Result.CHANGED, *fields)])
    screen = capsys.readouterr().out
    assert screen.count("Steps[") == 20
    assert "and 1,010 more" in screen
