"""Writes expressions.json: the expressions that are evaluated here and by openrosa-xpath-evaluator.

Some are written by hand, one thing each; the rest are every operator between values of every kind.
"""

import json
from itertools import product
from pathlib import Path

VALUES = (
    "${age}",
    "${hours}",
    "${empty}",
    "${name}",
    "${work}",
    "${born}",
    "'44'",
    "'abc'",
    "''",
    "12.5",
    "0",
    "true()",
    "date('1980-11-23')",
)
COMPARING = ("=", "!=", "<", "<=", ">", ">=")
COUNTING = ("+", "-", "*", "div", "mod")
NUMBERS = ("${age}", "${neg}", "${zero}", "${empty}", "${name}", "7", "-2.5", "0")

BY_HAND = """
1 + 2 * 3
(1 + 2) * 3
10 - 4 - 3
2 * 3 mod 4
7 div 2
-7 mod 3
7 mod -3
7.5 mod 2
1 div 0
-1 div 0
0 div 0
- ${age}
-(${age} + 1)
1 = 1 and 2 = 2
1 = 2 or 2 = 2
1 = 2 or 2 = 3
1 = 1 and 1 = 2 or 1 = 1
1 < 2 = true()
1 = 1 = 1
3 > 2 > 1
not(true())
not(false())
not('')
not('x')
not(0)
not(${name})
true() and not(false())
boolean(0)
boolean(1)
boolean('')
boolean('false')
boolean(' ')
boolean(-1)
boolean(0 div 0)
boolean-from-string('1')
boolean-from-string('true')
boolean-from-string('yes')
boolean-from-string('0')
boolean-from-string(1)
boolean-from-string(0)
number('12')
number('12.5')
number(' 12 ')
number('abc')
number('')
number('-3')
number('1e3')
number(true())
number(false())
number('1970-01-02')
number('2026-11-22')
number(${born})
number(${empty})
string(1)
string(1.0)
string(1.5)
string(-0.25)
string(100000)
string(1 div 3)
string(true())
string(1 = 2)
string('x')
string(${age})
string(0 div 0)
string(1 div 0)
string(${empty})
string-length('hello')
string-length('')
string-length(${name})
concat('a', 'b')
concat('a', 1, true())
concat(${name}, '-', ${age})
concat()
join(', ', 'a', 'b', 'c')
join('-', ${child_age})
join('', ${name}, ${work})
contains('language', 'gua')
contains('language', 'x')
contains('abc', '')
contains(${courses}, 'welding')
starts-with('language', 'lan')
starts-with('language', 'age')
ends-with('language', 'age')
ends-with('language', 'lan')
substring('12345', 2, 3)
substring('12345', 2)
substring('12345', 1.5, 2.6)
substring('12345', 0, 3)
substring('12345', 0 div 0, 3)
substring('12345', 1, 0 div 0)
substring('12345', -42, 1 div 0)
substring('12345', 6)
substring-before('1999/04/01', '/')
substring-before('abc', 'x')
substring-after('1999/04/01', '/')
substring-after('1999/04/01', '19')
substring-after('abc', 'x')
substr('hello', 1, 3)
substr('hello', 2)
substr('hello', -3)
substr('hello', 0, -1)
substr('hello', -3, -1)
substr('hello', 10)
translate('bar', 'abc', 'ABC')
translate('--aaa--', 'abc-', 'ABC')
translate('hello', 'l', '')
normalize-space('  a   b ')
normalize-space(${spaced})
normalize-space('')
selected('a b c', 'b')
selected('a b c', 'd')
selected('a b c', 'a b')
selected('ab', 'a')
selected('a', ' a ')
selected(${courses}, 'welding')
selected(${courses}, 'weld')
selected(${empty}, 'x')
selected(${work}, 'yes')
selected-at('a b c', 0)
selected-at('a b c', 2)
selected-at('a b c', 3)
selected-at(${courses}, 1)
count-selected('a b c')
count-selected('')
count-selected(${courses})
count-selected(${empty})
count(${child_age})
count(${age})
count-non-empty(${child_age})
count-non-empty(${child_name})
sum(${child_age})
sum(${age})
max(${child_age})
min(${child_age})
max(3, 7, 5)
min(3, 7, 5)
max(1, 'x')
min('', 1)
max(${age}, 50)
min(${child_age}, 1)
${child_age} = 12
${child_age} = 13
${child_age} != 12
${child_age} > 10
${child_age} > 15
${child_age} < 3
12 = ${child_age}
${child_age} = ${child_age}
${child_age} != ${child_age}
${child_name} = 'Bo'
if(true(), 'a', 'b')
if(false(), 'a', 'b')
if(1 > 2, 3, 4)
if(${age} >= 18, 'adult', 'minor')
if(${work} = 'yes', ${hours}, 0)
if('', 'a', 'b')
if('false', 'a', 'b')
if(0, 'a', 'b')
if(1 = 1, if(2 = 3, 'x', 'y'), 'z')
coalesce('a', 'b')
coalesce('', 'b')
coalesce('', '')
coalesce(${empty}, ${name})
coalesce(${name}, ${empty})
once('x')
int(3.7)
int(-3.7)
int('12.9')
int('abc')
int(0)
round(2.5)
round(-2.5)
round(2.4)
round(-2.6)
round(1.2345, 2)
round(1.005, 1)
round(1234.5, -2)
round(15, -1)
round(-15, -1)
round(2.5, 0)
round(${hours})
round('x')
floor(2.7)
floor(-2.2)
ceiling(2.1)
ceiling(-2.7)
abs(-3.5)
abs(${neg})
abs('x')
pow(2, 10)
pow(2, -1)
pow(2, 0.5)
pow(0, 0)
sqrt(16)
sqrt(2)
sqrt(-1)
exp(0)
exp(1)
exp10(3)
log(1)
log(10)
log(0)
log(-1)
log10(1000)
log10(0)
sin(0)
sin(1)
cos(0)
cos(1)
tan(1)
asin(1)
acos(1)
acos(2)
atan(1)
atan2(1, 1)
atan2(-1, -1)
pi()
regex('12345', '[0-9]+')
regex('abc', '[0-9]+')
regex('a1b', '[0-9]')
regex('1234AB', '^[1-9][0-9]{3}\\\\s?[A-Z]{2}$')
regex('1234 AB', '^[1-9][0-9]{3}\\\\s?[A-Z]{2}$')
regex('12 AB', '^[1-9][0-9]{3}\\\\s?[A-Z]{2}$')
regex(${name}, '^F')
regex('', '^$')
regex('a.b', 'a\\\\.b')
regex('axb', 'a\\\\.b')
date('2026-11-22')
date('2026-11-22') > date('2026-11-21')
date('2026-11-22') = '2026-11-22'
date('2026-11-22') < '2026-11-23'
date('2026-11-22') - date('2026-11-20')
date('2026-11-22') + 1
date(0)
date(1)
date(19000)
date('')
'2026-11-22' = '2026-11-22'
'2026-11-22' < '2026-12-01'
'2026-11-22' > '2026-12-01'
'2026-11-22' + 1
'2026-11-22' - '2026-11-20'
'2026-11-22' != '2026-11-23'
${born} < date('2008-11-22')
${born} < '2008-11-22'
${born} > date('2008-11-22')
${born} = date('1980-11-23')
date('2026-11-22') - ${born}
int((date('2026-11-22') - ${born}) div 365.25)
format-date('2026-01-05', '%d/%m/%Y')
format-date('2026-01-05', '%e-%n-%y')
format-date('2026-01-05', '%Y%m%d')
format-date('2026-11-22', '%b')
format-date('2026-11-22', '%a')
format-date('', '%Y')
format-date('nonsense', '%Y')
format-date(${born}, '%Y')
format-date-time('2026-11-22T14:05:09Z', '%H:%M:%S')
format-date-time('2026-11-22T04:05:09Z', '%h')
format-date-time('2026-11-22T14:05:09.250Z', '%3')
decimal-date-time('1970-01-02')
decimal-date-time('1970-01-02T12:00:00Z')
decimal-date-time('2026-11-22')
decimal-date-time('x')
decimal-time('06:00:00.000+00:00')
decimal-time('12:30:00.000+00:00')
decimal-time('18:00:00+00:00')
decimal-time('25:00:00+00:00')
decimal-time('x')
checklist(1, 2, true(), false())
checklist(2, 3, true(), false(), true())
checklist(2, 3, true(), false(), false())
checklist(-1, 1, true(), true())
checklist(1, -1, true(), true(), true())
weighted-checklist(2, 4, true(), 3, false(), 2)
weighted-checklist(4, 9, true(), 3, false(), 2)
weighted-checklist(-1, 2, true(), 3)
'a' = 'a'
'a' = 'A'
"it's" = "it's"
'say "x"'
'1' = 1
'1.0' = 1
'01' = 1
'1' = '01'
'' = 0
'' = ''
'' != ''
true() = 'true'
true() = 'x'
false() = ''
true() = 1
true() > false()
'b' > 'a'
'10' > '9'
1.50 = 1.5
.5 + .5
1e2
100 = 1e2
${age} >= 18 and ${age} < 67
${age} >= 18 and ${work} = 'yes' and selected(${courses}, 'language')
${age} < 18 or ${hours} > 12
not(${age} < 18) and not(selected(${courses}, 'none'))
(${age} - 4) div 10 = 4
${hours} * 52
${empty} + 1
${empty} > 0
${empty} < 0
${empty} = ''
${empty} != ''
${empty} = 0
string-length(${empty}) = 0
count(${child_age} | ${age})
sum(${child_age} | ${age})
. > 18
. + 1
string(.)
/data/age + 1
boolean(${empty})
not(${empty})
if(${empty}, 'a', 'b')
${empty} or 1 = 2
${empty} and 1 = 1
boolean(${name})
/data/person/child_age = 7
""".strip().splitlines()  # fmt: skip


def main() -> None:
    comparing = (f"{a} {op} {b}" for a, op, b in product(VALUES, COMPARING, VALUES))
    counting = (f"{a} {op} {b}" for a, op, b in product(NUMBERS, COUNTING, NUMBERS))
    expressions = list(dict.fromkeys([*(line.replace("\\\\", "\\") for line in BY_HAND), *comparing, *counting]))
    target = Path(__file__).with_name("expressions.json")
    target.write_text(json.dumps(expressions, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
