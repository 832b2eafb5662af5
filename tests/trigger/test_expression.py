"""The dialect, expression by expression.

Where a reason names a page or a check, it is one of these:

- guide: the EventBridge Scheduler user guide, "Schedule types", with its table of fields and wildcards
- rules: the EventBridge user guide, "Setting a schedule pattern for scheduled rules", with its examples
- API: the ``CreateSchedule`` and ``PutRule`` references
- live: answered so by the service itself, as recorded in public bug reports and recorded test suites
- open: the guides leave it open; refused, with a hint at a form that they document
"""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduled_pipeline.trigger.expression import At, Dialect, Rate, parse_expression

ACCEPTED = [
    ("cron(0 10 * * ? *)", "rules: 10:00 every day"),
    ("cron(15 12 * * ? *)", "rules: 12:15 every day"),
    ("cron(0 18 ? * MON-FRI *)", "rules: 18:00 Monday to Friday"),
    ("cron(0 8 1 * ? *)", "rules: 08:00 on the first of the month"),
    ("cron(0/15 * * * ? *)", "rules: every 15 minutes"),
    ("cron(0/10 * ? * MON-FRI *)", "rules: every 10 minutes on weekdays"),
    ("cron(0/5 8-17 ? * MON-FRI *)", "rules: every 5 minutes in office hours"),
    ("cron(0/30 20-23 ? * MON-FRI *)", "rules: every 30 minutes in the evening"),
    ("cron(0/30 0-2 ? * MON-FRI *)", "rules: every 30 minutes after midnight"),
    ("cron(15 10 ? * 6L 2022-2023)", "guide: last Friday of each month, years in a range"),
    ("cron(15 10 ? * 6L 2002-2005)", "live: years that are past are taken"),
    ("cron(0/5 5 ? JAN 1-5 2022)", "live: a name of a month, numbers of weekdays"),
    ("cron(0 2 ? * SAT *)", "live: a name of a weekday"),
    ("cron(0 12 * * ? *)", "live: noon"),
    ("cron(5,35 14 * * ? *)", "live: a list of minutes"),
    ("cron(0 2 ? * SAT#3 *)", "live: a name before #"),
    ("cron(* * ? * SAT#3 *)", "live: every minute of one day"),
    ("cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "live: a step in a range, a range of one, a list of weekdays"),
    ("cron(30-30 13-13 ? * 2,4,6 *)", "live: ranges of one"),
    ("cron(1-31/30 1-1 ? * 1,7 *)", "live: a step longer than half the range"),
    ("cron(0 11-23/2 * * ? *)", "live: a step in a range of hours"),
    ("cron(0 0 1 1-12/3 ? *)", "live: a step in a range of months"),
    ("cron(0 2 ? * 5L *)", "live: a number with L"),
    ("cron(*/1 * * * ? *)", "live: */1"),
    ("cron(23,24,25 17,18 25 MAR/4 ? 2020,2021,2023,2028)", "guide: a step from a name, a list of years"),
    ("cron(1/10 * * * ? *)", "guide: the 11th, 21st, 31st minute and so on"),
    ("cron(0 0 1-15 * ? *)", "guide: days 1 to 15"),
    ("cron(0 0 1 JAN,FEB,MAR ? *)", "guide: a list of names of months"),
    ("cron(0 0 7 * ? *)", "guide: the 7th, whatever the weekday"),
    ("cron(0 0 3W * ? *)", "guide: the weekday nearest to the third"),
    ("cron(0 0 ? * 3#2 *)", "guide: the second Tuesday"),
    ("cron(0 0 L * ? *)", "guide: the last day of the month"),
    ("cron(0 0 ? * L *)", "guide: the last day of the week"),
    ("cron(0 0 LW * ? *)", "guide: both wildcards of the field, the last weekday of the month"),
    ("cron(0 3 * * ?)", "guide: the year may be left out"),
    ("cron(0 3 ? * *)", "guide: five fields with the weekday as *"),
    ("cron(0 18 ? * 2-6)", "guide: five fields, Monday is 2"),
    ("cron(0 0 1 1 ? 1970)", "guide: the first year"),
    ("cron(0 0 1 1 ? 2199)", "guide: the last year"),
    ("cron(0 0 1 1 ? 1970-2199)", "guide: all the years"),
    ("cron(0 0 1 1 ? 2027/2)", "guide: every second year"),
    ("cron(0 0 1 1 ? */4)", "guide: a step on *"),
    ("cron(0 0 1 1 ? 2027,2029-2031)", "guide: a list with a range"),
    ("cron(59 23 31 12 ? *)", "guide: the highest value of each field"),
    ("cron(0 0 1 1 ? *)", "guide: the lowest value of each field"),
    ("cron(* * * * ? *)", "guide: every minute, which is not faster than one a minute"),
    ("cron(* * ? * * *)", "guide: the ? may stand in either day field"),
    ("cron(0 0 29 2 ? *)", "calendar: 29 February exists in leap years"),
    ("cron(0 0 29 2 ? 2028)", "calendar: 2028 is a leap year"),
    ("cron(0 0 29 2 ? 2196)", "calendar: so is 2196"),
    ("cron(0 0 30,31 2,4 ? *)", "calendar: 30 April exists"),
    ("cron(0 0 31 * ? *)", "calendar: seven months have a 31st"),
    ("cron(0 0 31 2-3 ? *)", "calendar: 31 March exists"),
    ("cron(0 0 ? 2 2#5 *)", "calendar: February has a fifth Monday now and then"),
    ("cron(0 0 ? * 2#1 *)", "guide: the first week"),
    ("cron(0 0 ? * SUN#5 *)", "guide: the fifth week"),
    ("cron(0 0 29W 2 ? *)", "calendar: a leap year has a weekday nearest to 29 February"),
    ("cron(0 0 1W * ? *)", "guide: the weekday nearest to the first, within the month"),
    ("cron(0 0 31W * ? *)", "guide: the weekday nearest to the 31st"),
    ("cron(0 0 ? * SUN-SAT *)", "guide: SUN-SAT"),
    ("cron(0 0 ? * 1-7 *)", "guide: 1-7"),
    ("cron(0 0 1 JAN-DEC ? *)", "guide: JAN-DEC"),
    ("cron(0 0 1 1-12 ? *)", "guide: 1-12"),
    ("cron(0 0 ? * MON-6 *)", "guide: a name and a number for the same field"),
    ("cron(0 0 ? * MON,WED,6 *)", "guide: a list of both"),
    ("cron(0 0 1/7 * ? *)", "guide: every seventh day of the month"),
    ("cron(0 0 */2 * ? *)", "guide: every second day of the month"),
    ("cron(0 */6 * * ? *)", "guide: every sixth hour"),
    ("cron(*/5,58 * * * ? *)", "guide: a step and a value in a list"),
    ("cron(0/20,5-9 1,3-5 * * ? *)", "guide: lists of steps and ranges"),
    ("cron(0/59 0/23 1/31 1/12 ? *)", "guide: the longest step of each field"),
    ("cron(0/60 * * * ? *)", "public: AWS's own solution Discovering Hot Topics has it as a default"),
    ("cron(0/30 20-2 ? * MON-FRI *)", "rules: every 30 minutes from 20:00 to 02:59, a range over midnight"),
    ("cron(0 22-2 * * ? *)", "rules: a range over midnight"),
    ("cron(50-10 3 * * ? *)", "rules: a range over the hour"),
    ("cron(0 3 ? * FRI-MON *)", "rules: a range over the week's end"),
    ("cron(0 3 ? * SAT-SUN *)", "rules: a range over the week's end"),
    ("cron(0 3 ? * 6-2 *)", "rules: a range over the week's end"),
    ("cron(0 3 1 NOV-FEB ? *)", "rules: a range over the year's end"),
    ("cron(0 3 28-3 * ? *)", "rules: a range over the month's end"),
    ("cron(0 20-2/2 * * ? *)", "rules: a range over midnight, whose steps meet both ways of counting"),
    ("cron(00 07 01 02 ? *)", "guide: numbers with a leading zero"),
    ("cron(0 0 ? * mon-fri *)", "guide: names in small letters"),
    ("cron(0 0 1 Jan,fEb ? *)", "guide: names in any letters"),
    ("cron(0 0 l * ? *)", "guide: a wildcard in a small letter"),
    ("cron(0  3\t* * ? *)", "guide: fields are separated by white space"),
    ("rate(1 minute)", "guide: the fastest rate"),
    ("rate(5 minutes)", "guide: plural for more than one"),
    ("rate(1 hour)", "rules: singular for one"),
    ("rate(12 hours)", "rules: hours"),
    ("rate(1 day)", "rules: a day"),
    ("rate(7 days)", "rules: days; there are no weeks"),
    ("rate(1440 minutes)", "API: a positive integer, with no highest value"),
    ("rate(100000 days)", "API: a positive integer, with no highest value"),
    ("rate(1 minutes)", "API: minute | minutes | hour | hours | day | days"),
    ("rate(1 hours)", "guide: minutes | hours | days"),
    ("rate(1 days)", "guide: minutes | hours | days"),
    ("rate(10 minute)", "API: minute | minutes | hour | hours | day | days"),
    ("at(2022-11-20T13:00:00)", "guide: the example of a one-time schedule"),
    ("at(2025-01-31T15:59:42)", "live: seconds are taken"),
    ("at(2028-02-29T00:00:00)", "calendar: a leap day"),
    ("at(1970-01-01T00:00:00)", "API: a past time has the right form; whether it is past depends on the day"),
]

REFUSED = [
    ("", "expression must be at(", "API: at least one character"),
    ("0 3 * * ? *", "write cron(0 3 * * ? *)", "API: the word is part of the expression"),
    ("every day", "expression must be at(", "API: three forms only"),
    ("cron 0 3 * * ? *", "expression must be at(", "API: brackets"),
    ("cron(0 3 * * ? *", "expression must be at(", "API: both brackets"),
    ("CRON(0 3 * * ? *)", "write cron in lower case", "API: lower case"),
    (" cron(0 3 * * ? *)", "remove the blanks around it", "live: for rate"),
    ("cron(0 3 * * ? *) ", "remove the blanks around it", "live: for rate"),
    ("cron()", "got 0 in ''", "live: no fields"),
    ("cron(INVALID)", "got 1 in 'INVALID'", "live: one field"),
    ("cron(@daily)", "write 0 0 * * ? *", "guide: fields only"),
    ("cron(cron(0 3 * * ? *))", "write cron( ) once", "API: once"),
    ("cron( 0 3 * * ? *)", "must not begin or end with a blank", "live: for rate"),
    ("cron(0 3 * * ? * )", "must not begin or end with a blank", "live: for rate"),
    ("cron(0 3 * *)", "must have five or six fields", "guide: four fields"),
    ("cron(0 0 3 * * ? *)", "leave out the first: 0 3 * * ? *", "guide: no field of seconds"),
    ("cron(0 0 3 * * ?)", "leave them out: 0 3 * * ? *", "guide: no field of seconds"),
    ("cron(0 0 12 ? * MON)", "leave them out: 0 12 ? * MON *", "guide: no field of seconds"),
    ("cron(0 3 * * *)", "write 0 3 * * ? *", "guide: Unix form, * in both day fields"),
    ("cron(0 3 * * * *)", "write 0 3 * * ? *", "guide: * in both day fields"),
    ("cron(0 1 * * * *)", "one of them must be ?", "live: * in both day fields"),
    ("cron(7 20 * * 1-7 *)", "write 7 20 * * ? *", "live: * beside a weekday"),
    ("cron(15 12 * * 1-5 *)", "write 15 12 ? * MON-FRI * if 1 is Monday", "live: Unix numbers"),
    ("cron(0 3 1 * MON *)", "two schedules, 0 3 1 * ? * and 0 3 ? * MON *", "guide: both day fields"),
    ("cron(0 3 1 * * *)", "write 0 3 1 * ? *", "guide: a day beside *"),
    ("cron(0 3 ? * ? *)", "write * in one of the two", "guide: ? in both day fields"),
    ("cron(7 20 * * NOT *)", "'NOT' is not a value", "live: no such weekday"),
    ("cron(0 dummy ? * MON-FRI *)", "'DUMMY' is not a value", "live: not an hour"),
    ("cron(71 8 1 * ? *)", "71 is out of range", "live: minutes end at 59"),
    ("cron(60 8 1 * ? *)", "60 is out of range", "guide: minutes end at 59"),
    ("cron(-1 8 1 * ? *)", "is neither a value, a range nor a step", "guide: minutes begin at 0"),
    ("cron(0 24 * * ? *)", "24 is out of range", "guide: hours end at 23"),
    ("cron(0 3 0 * ? *)", "0 is out of range", "guide: days begin at 1"),
    ("cron(0 3 32 * ? *)", "32 is out of range", "guide: days end at 31"),
    ("cron(0 3 1 0 ? *)", "0 is out of range", "guide: months begin at 1"),
    ("cron(0 3 1 13 ? *)", "13 is out of range", "guide: months end at 12"),
    ("cron(0 3 1 MAI ? *)", "'MAI' is not a value", "guide: English names"),
    ("cron(0 3 1 JANUARY ? *)", "'JANUARY' is not a value", "guide: names of three letters"),
    ("cron(0 3 ? * 0 *)", "write SUN", "guide: the week begins with 1"),
    ("cron(0 3 ? * 0-6 *)", "write SUN-SAT", "guide: Unix numbers of weekdays"),
    ("cron(0 3 ? * 8 *)", "8 is out of range", "guide: the week ends with 7"),
    ("cron(0 3 ? * MONDAY *)", "'MONDAY' is not a value", "guide: names of three letters"),
    ("cron(0 3 * * ? 1969)", "1969 is out of range", "guide: years begin with 1970"),
    ("cron(0 3 * * ? 2200)", "2200 is out of range", "guide: years end with 2199"),
    ("cron(0 3 * * ? 27)", "27 is out of range", "guide: years of four figures"),
    ("cron(*/60 * * * ? *)", "the step after / must be 1 to 59, got 60", "live: a step past the field"),
    ("cron(0/61 * * * ? *)", "the step after / must be 1 to 60, got 61", "open: a step past the field"),
    ("cron(0 */24 * * ? *)", "the step after / must be 1 to 23, got 24", "open: a step past the field"),
    ("cron(1/0 * * * ? *)", "the step after / must be 1 to 60, got 0", "guide: an increment of nothing"),
    ("cron(1/x * * * ? *)", "the step after / must be 1 to 60, got X", "guide: an increment is a number"),
    ("cron(/5 * * * ? *)", "is neither a value, a range nor a step", "open: write 0/5"),
    ("cron(5/ * * * ? *)", "is neither a value, a range nor a step", "guide: an increment is missing"),
    ("cron(1/2/3 * * * ? *)", "is neither a value, a range nor a step", "guide: one increment"),
    ("cron(1-2-3 * * * ? *)", "is neither a value, a range nor a step", "guide: a range has two ends"),
    ("cron(5- * * * ? *)", "is neither a value, a range nor a step", "guide: an end is missing"),
    ("cron(1,,2 * * * ? *)", "a value is missing", "guide: a value is missing"),
    ("cron(1, * * * ? *)", "a value is missing", "guide: a value is missing"),
    ("cron(0/5, 9-18, ?, *, MON-FRI, *)", "a value is missing", "live: fields are not separated by commas"),
    ("cron(*,5 * * * ? *)", "write it alone", "open: * beside a value"),
    ("cron(*-5 * * * ? *)", "write it alone", "guide: * is no end of a range"),
    ("cron(0 20-2/3 * * ? *)", "count on, 20,23,2, or begin again, 20,23,0", "open: steps over midnight"),
    ("cron(0 3 1 NOV-FEB/3 ? *)", "count on, 11,2, or begin again, 11,1", "open: steps over the year's end"),
    ("cron(0 3 * * ? 2030-2027)", "runs backwards", "guide: a range of years"),
    ("cron(? 3 * * ? *)", "? stands alone, in day-of-month or day-of-week only", "guide: not in minutes"),
    ("cron(0 ? * * ? *)", "? stands alone, in day-of-month or day-of-week only", "guide: not in hours"),
    ("cron(0 8 * ? 2-6 *)", "? stands alone, in day-of-month or day-of-week only", "live: not in month"),
    ("cron(0 3 1,? * ? *)", "? stands alone, in day-of-month or day-of-week only", "guide: not in a list"),
    ("cron(L 3 * * ? *)", "in a day field only", "guide: L not in minutes"),
    ("cron(0 3 1 L ? *)", "in a day field only", "guide: L not in month"),
    ("cron(0 3 L-3 * ? *)", "stands alone", "open: days before the last"),
    ("cron(0 3 15,L * ? *)", "stands alone", "open: L in a list"),
    ("cron(0 3 ? * FRIL *)", "a number with it such as 6L", "open: a name with L"),
    ("cron(0 3 ? * 2L,6L *)", "stands alone", "open: L in a list"),
    ("cron(0 3 ? * 8L *)", "stands alone", "guide: the week ends with 7"),
    ("cron(0 3 W * ? *)", "a weekday such as 15W", "guide: W belongs to a day"),
    ("cron(0 3 1W,15W * ? *)", "stands alone", "open: W in a list"),
    ("cron(0 3 1-5W * ? *)", "stands alone", "open: W in a range"),
    ("cron(0 3 32W * ? *)", "32 is out of range", "guide: days end at 31"),
    ("cron(0 3 ? * 2W *)", "in day-of-month only", "guide: W not in day-of-week"),
    ("cron(0 3 ? * MON/2 *)", "list the days", "guide: no increments in day-of-week"),
    ("cron(0 3 ? * 3#1,6#3 *)", "stand alone", "guide: only one # in the field"),
    ("cron(0 3 ? * 3#6 *)", "must be 1 to 5, got 6", "guide: a month has five weeks at most"),
    ("cron(0 3 ? * 3#0 *)", "must be 1 to 5, got 0", "guide: weeks begin with 1"),
    ("cron(0 3 ? * 8#1 *)", "8 is out of range", "guide: the week ends with 7"),
    ("cron(0 3 3#2 * ? *)", "in day-of-week only", "guide: # not in day-of-month"),
    ("cron(0 3 31 2 ? *)", "must name a day that exists", "calendar: 31 February"),
    ("cron(0 3 30 FEB ? *)", "must name a day that exists", "calendar: 30 February"),
    ("cron(0 3 31 4,6,9,11 ? *)", "must name a day that exists", "calendar: months of 30 days"),
    ("cron(0 3 29 2 ? 2027)", "must name a day that exists", "calendar: not a leap year"),
    ("cron(0 3 29 2 ? 2100)", "must name a day that exists", "calendar: not a leap year"),
    ("cron(0 3 31W 4 ? *)", "must name a day that exists", "calendar: April has no 31st"),
    ("cron(0 3 ? 2 2#5 2027)", "must name a day that exists", "calendar: four Mondays in that February"),
    ("cron(0 3 ? * FR\u0131 *)", "not plain ASCII", "guide: names in ASCII"),
    ("cron(\u0663 3 * * ? *)", "not plain ASCII", "guide: figures in ASCII"),
    ("rate()", "rate must be a positive whole number", "live"),
    ("rate(10)", "rate must be a positive whole number", "live: no unit"),
    ("rate(minutes)", "rate must be a positive whole number", "API: no value"),
    ("rate(foo minutes)", "rate must be a positive whole number", "live: no number"),
    ("rate(-10 minutes)", "rate must be a positive whole number", "live: negative"),
    ("rate(1.5 hours)", "rate must be a positive whole number", "API: an integer"),
    ("rate(5minutes)", "rate must be a positive whole number", "guide: separated by white space"),
    ("rate( 10 minutes )", "rate must be a positive whole number", "live: blanks"),
    (" rate(10 minutes)", "remove the blanks around it", "live: a blank"),
    ("rate(10 MINUTES)", "rate must be a positive whole number", "live, of rules: capital letters"),
    ("rate(rate(1 hour))", "write it once", "API: once"),
    ("rate(0 minutes)", "rate value must be 1 or more", "live, of rules: nothing"),
    ("rate(10 seconds)", "rate unit must be minutes, hours or days", "live"),
    ("rate(2 weeks)", "rate unit must be minutes, hours or days", "API"),
    ("rate(10 years)", "rate unit must be minutes, hours or days", "live"),
    ("rate(0 fortnights)", "rate unit must be minutes, hours or days", "API"),
    ("rate(10 minutess)", "rate unit must be minutes, hours or days", "live"),
    ("at()", "at must be yyyy-mm-ddThh:mm:ss", "API"),
    ("at(2021-12-31)", "at must be yyyy-mm-ddThh:mm:ss", "live: no time"),
    ("at(2021-12-31T23:59)", "at must be yyyy-mm-ddThh:mm:ss", "API: no seconds"),
    ("at(2021-12-31 23:59:59)", "at must be yyyy-mm-ddThh:mm:ss", "API: T between date and time"),
    ("at(2021-12-31T23:59:59Z)", "the zone is a field of its own", "live: a zone"),
    ("at(2021-12-31T23:59:59+01:00)", "the zone is a field of its own", "API: an offset"),
    ("at(2021-12-31T23:59:59.5)", "at must be yyyy-mm-ddThh:mm:ss", "API: a fraction"),
    ("at(2027-02-29T00:00:00)", "a date and a time that exist", "calendar: not a leap year"),
    ("at(2027-13-01T00:00:00)", "a date and a time that exist", "calendar: no such month"),
    ("at(2027-01-01T24:00:00)", "a date and a time that exist", "calendar: no such hour"),
]


@pytest.mark.parametrize(("text", "why"), ACCEPTED)
def test_what_aws_accepts_is_accepted(text: str, why: str) -> None:
    parse_expression(text)


@pytest.mark.parametrize(("text", "message", "why"), REFUSED)
def test_what_aws_refuses_is_refused_with_a_reason(text: str, message: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        parse_expression(text)
    assert str(error.value)[0].islower()
    assert not str(error.value).endswith(".")


def test_there_are_at_least_eighty_of_each() -> None:
    assert len(dict.fromkeys(text for text, _ in ACCEPTED)) >= 80
    assert len(dict.fromkeys(text for text, _, _ in REFUSED)) >= 80


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("cron(0 3 * * ?)", "cron(0 3 * * ? *)"),
        ("cron(00  07 01 jan ?)", "cron(0 7 1 JAN ? *)"),
        ("cron(0 0 ? * mon-fri 2027)", "cron(0 0 ? * MON-FRI 2027)"),
        ("cron(05-09/02 3 lw * ? *)", "cron(5-9/2 3 LW * ? *)"),
        ("cron(0 10 20 10 ? 2000)", "cron(0 10 20 10 ? 2000)"),
        ("rate(05 minutes)", "rate(5 minutes)"),
        ("rate(1 hours)", "rate(1 hour)"),
        ("rate(5 minute)", "rate(5 minutes)"),
        ("cron(0/60 3,0/24 * * ? *)", "cron(0 3,0 * * ? *)"),
        ("cron(0/30 20-2 ? * mon-fri *)", "cron(0/30 20-23,0-2 ? * MON-FRI *)"),
        ("cron(50-0 20-2/2 * * ? *)", "cron(50-59,0 20-23/2,0-2/2 * * ? *)"),
        ("cron(0 3 ? * FRI-MON *)", "cron(0 3 ? * FRI-SAT,SUN-MON *)"),
        ("cron(0 3 ? * sat-sun *)", "cron(0 3 ? * SAT,SUN *)"),
        ("cron(0 3 ? * 6-MON *)", "cron(0 3 ? * 6-7,SUN-MON *)"),
        ("cron(0 3 28-3 11-FEB ? *)", "cron(0 3 28-31,1-3 11-12,JAN-FEB ? *)"),
        ("rate(2  hours)", "rate(2 hours)"),
        ("at(2027-01-04T09:00:00)", "at(2027-01-04T09:00:00)"),
    ],
)
def test_the_normal_form_has_single_blanks_capitals_and_a_year(text: str, normal: str) -> None:
    assert str(parse_expression(text)) == normal


@pytest.mark.parametrize(("text", "why"), ACCEPTED)
def test_the_normal_form_means_the_same(text: str, why: str) -> None:
    parsed = parse_expression(text)
    assert parse_expression(str(parsed)) == parsed


def test_a_rule_wants_six_fields() -> None:
    with pytest.raises(ValueError, match=re.escape("a rule needs the year: 0 3 * * ? *")):
        parse_expression("cron(0 3 * * ?)", Dialect.RULE)


def test_a_rule_has_no_one_time_schedule() -> None:
    with pytest.raises(ValueError, match=re.escape("at is not an expression of a rule")):
        parse_expression("at(2027-01-04T09:00:00)", Dialect.RULE)


def test_a_rule_takes_a_rate() -> None:
    assert str(parse_expression("rate(5 minutes)", Dialect.RULE)) == "rate(5 minutes)"


@pytest.mark.parametrize(
    ("text", "written"), [("rate(1 hours)", "rate(1 hour)"), ("rate(10 minute)", "rate(10 minutes)")]
)
def test_a_rule_wants_the_singular_for_one_alone(text: str, written: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"write {written}")):
        parse_expression(text, Dialect.RULE)


def test_a_rate_that_no_calendar_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="rate must be at most 999999999 days, got 9999999999 days"):
        parse_expression("rate(9999999999 days)")


def test_an_expression_has_at_most_256_characters() -> None:
    text = f"cron({','.join(['0'] * 130)} 3 * * ? *)"
    with pytest.raises(ValueError, match=f"expression must be at most 256 characters, got {len(text)}"):
        parse_expression(text)


def test_the_year_that_is_filled_in_counts_towards_the_length() -> None:
    text = f"cron({','.join(['10'] * 80)},1 3 * * ?)"
    assert 254 < len(text) <= 256
    with pytest.raises(ValueError, match=f"expression must be at most 256 characters, got {len(text) + 2}"):
        parse_expression(text)


def test_an_expression_is_a_string() -> None:
    with pytest.raises(TypeError, match="expression must be a string, got 5"):
        parse_expression(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (timedelta(hours=1), "rate(1 hour)"),
        (timedelta(minutes=90), "rate(90 minutes)"),
        (timedelta(hours=24), "rate(1 day)"),
        (timedelta(days=14), "rate(14 days)"),
        ((5, "minutes"), "rate(5 minutes)"),
        ((1, "minutes"), "rate(1 minute)"),
        ((24, "hour"), "rate(24 hours)"),
    ],
)
def test_a_rate_is_made_from_an_interval(interval: timedelta | tuple[int, str], text: str) -> None:
    assert str(Rate.of(interval)) == text


@pytest.mark.parametrize(
    ("interval", "message"),
    [
        (timedelta(0), "rate must be a positive number of whole minutes, got 0:00:00"),
        (timedelta(seconds=90), "rate must be a positive number of whole minutes, got 0:01:30"),
        (timedelta(hours=-1), "rate must be a positive number of whole minutes"),
        ((0, "hours"), "rate value must be 1 or more"),
        ((1, "weeks"), "rate unit must be minutes, hours or days"),
        ((1, "minutess"), "rate unit must be minutes, hours or days"),
        ((1, "hours", 2), "rate must be a number and a unit"),
    ],
)
def test_an_interval_that_is_no_rate_is_refused(interval: timedelta, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Rate.of(interval)


@pytest.mark.parametrize("interval", [5, "5 minutes", (True, "minutes"), ("5", "minutes"), (5, 5)])
def test_an_interval_of_another_type_is_refused(interval: timedelta) -> None:
    with pytest.raises(TypeError, match="rate"):
        Rate.of(interval)


@given(st.integers(1, 10**9 - 1), st.sampled_from(["minute", "hour", "day"]))
@settings(max_examples=50)
def test_every_rate_round_trips(value: int, unit: str) -> None:
    rate = Rate(value=value, unit=unit)
    assert parse_expression(str(rate)) == rate


@given(st.datetimes(min_value=datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)))
@settings(max_examples=50)
def test_every_one_time_expression_round_trips(moment: datetime) -> None:
    at = At(moment=moment.replace(microsecond=0, fold=0))
    assert parse_expression(str(at)) == at
