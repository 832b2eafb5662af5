import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduled_pipeline.trigger.description import describe_expression
from scheduled_pipeline.trigger.expression import parse_expression


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cron(0 3 * * ? *)", "every day at 03:00 Asia/Tokyo"),
        ("cron(5,35 14 * * ? *)", "every day at 14:05 and 14:35 Asia/Tokyo"),
        ("cron(0 3 * 1,6 ? *)", "every day in January and June at 03:00 Asia/Tokyo"),
        ("cron(0 18 ? * MON-FRI *)", "every Monday to Friday at 18:00 Asia/Tokyo"),
        ("cron(0 18 ? * MON,WED *)", "every Monday and Wednesday at 18:00 Asia/Tokyo"),
        ("cron(0 0 ? * L *)", "every Saturday at 00:00 Asia/Tokyo"),
        ("cron(0 8 1 * ? *)", "on the 1st of every month at 08:00 Asia/Tokyo"),
        ("cron(0 8 1,15 JAN-JUN ? *)", "on the 1st and 15th of January to June at 08:00 Asia/Tokyo"),
        (
            "cron(0 8 2,3,11-13,22 * ? *)",
            "on the 2nd, 3rd, 11th to 13th and 22nd of every month at 08:00 Asia/Tokyo",
        ),
        ("cron(0 0 L * ? *)", "on the last day of every month at 00:00 Asia/Tokyo"),
        ("cron(0 0 LW 3,6 ? *)", "on the last weekday of March and June at 00:00 Asia/Tokyo"),
        ("cron(0 0 3W * ? *)", "on the weekday nearest to the 3rd of every month at 00:00 Asia/Tokyo"),
        ("cron(0 0 ? * 3#2 *)", "on the second Tuesday of every month at 00:00 Asia/Tokyo"),
        (
            "cron(15 10 ? * 6L 2022-2024)",
            "on the last Friday of every month in 2022 to 2024 at 10:15 Asia/Tokyo",
        ),
        ("cron(0 9 1 1 ? 2027)", "on the 1st of January in 2027 at 09:00 Asia/Tokyo"),
        (
            "cron(0 9 1 1 ? 2027/4)",
            "on the 1st of January every 4 years from 2027 to 2199 at 09:00 Asia/Tokyo",
        ),
        ("cron(* * * * ? *)", "every minute"),
        ("cron(0/5 * * * ? *)", "every 5 minutes"),
        ("cron(2/10 * * * ? *)", "every 10 minutes from 00:02 to 23:52 Asia/Tokyo"),
        (
            "cron(0/5 8-17 ? * MON-FRI *)",
            "every Monday to Friday, every 5 minutes from 08:00 to 17:55 Asia/Tokyo",
        ),
        ("cron(15 * * * ? *)", "every hour at minute 15 Asia/Tokyo"),
        ("cron(0 9-17 * * ? *)", "every hour from 09:00 to 17:00 Asia/Tokyo"),
        ("cron(0 */2 * * ? *)", "every 2 hours from 00:00 to 22:00 Asia/Tokyo"),
        (
            "cron(0 1,5-8,20,21 * * ? *)",
            "every day at 01:00, 05:00, 06:00, 07:00, 08:00, 20:00 and 21:00 Asia/Tokyo",
        ),
        (
            "cron(0/7 * * * ? *)",
            "every day at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour Asia/Tokyo",
        ),
        (
            "cron(* 5,6 ? * 3#2 *)",
            "on the second Tuesday of every month, every minute of the hours 05 and 06 Asia/Tokyo",
        ),
        ("rate(1 hour)", "every hour"),
        ("rate(90 minutes)", "every 90 minutes"),
        ("rate(1 day)", "every 24 hours"),
        ("rate(7 days)", "every 168 hours"),
        ("at(2027-01-04T09:00:00)", "once on 2027-01-04 at 09:00 Asia/Tokyo"),
        ("at(2027-01-04T09:00:30)", "once on 2027-01-04 at 09:00:30 Asia/Tokyo"),
    ],
)
def test_an_expression_in_plain_words(text: str, words: str) -> None:
    assert describe_expression(parse_expression(text), "Asia/Tokyo") == words


def test_words_that_would_not_fit_give_way_to_the_expression() -> None:
    text = "cron(0 0 1 1 ? 1970/2,1971)"
    assert describe_expression(parse_expression(text), "UTC") == f"{text} UTC"


@given(
    st.lists(st.integers(0, 59), min_size=1, max_size=60, unique=True),
    st.lists(st.integers(0, 23), min_size=1, max_size=24, unique=True),
)
@settings(max_examples=100, deadline=None)
def test_words_always_fit_into_a_description(minutes: list[int], hours: list[int]) -> None:
    text = f"cron({','.join(map(str, minutes))} {','.join(map(str, hours))} * * ? *)"
    if len(text) <= 256:
        assert 0 < len(describe_expression(parse_expression(text), "America/Argentina/ComodRivadavia")) <= 512
