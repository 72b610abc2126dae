"""Every rate, duration and share that the traffic is drawn from, with where it was published.

Sources, by the name used below:

- NCSU: Prasad, Bouma-Sims, Mylappan, Reaves, "Who's Calling? Characterizing Robocalls through Audio and Metadata
  Analysis", USENIX Security 2020: 66,606 lines for 11 months, 1,481,201 unsolicited calls.
- Phoneypot: Gupta et al., NDSS 2015: 39,696 numbers for 7 weeks, 1.3 million calls from 250,000 sources.
- Brown: Brown, Gans, Mandelbaum, Sakov, Shen, Zeltyn, Zhao, "Statistical Analysis of a Telephone Call Center", JASA
  2005: every call to a bank's call centre in a year (the "anonymous bank" data of the Technion).
- TransNexus: monthly STIR/SHAKEN statistics, transnexus.com/blog: 2022-08, 2023-06, 2024-03, 2024-11.
- TNS: 2026 Robocall Investigation Report, tnsi.com.
- Hiya: State of the Phone Call 2019 (bizreport.com 2019-02), Robocall Radar 2018 (mediapost.com, May 2018),
  Global Call Threat Report Q1 2023.
- RRAPTOR: legalcallsonly.org, Robocall Radar 3, 2024-04: thousands of numbers answered by a robot.
- Bell: "Direct Distance Dialing: Call Completion and Customer Retrial Behavior", Bell System Technical Journal, 1980.
- Practices: what doctors' practices tell their patients: ainsdalemedicalcentre.nhs.uk 2024-01 (349 calls on a Monday,
  and Tuesday 18, Wednesday 49, Thursday 42, Friday 34 % fewer), pocklingtongps.nhs.uk 2022-12 (522 on a Monday),
  t2kvoip.co.uk ("patients who redial thirty, forty, or fifty times").
- 411 Locals: 37.8 % of calls to small businesses are answered (ambscallcenter.com); adityalabs.ai 2026-02: 65 % of
  10,000.
- FBI: ic3.gov PSA210217 and securelogix.com/threats/tdos: tens to hundreds of calls in rapid succession, each number
  spoofed.

What nobody has published says "assumed", and why.
"""

from typing import Final

from tests.traffic.records import Kind

# --- how long people talk --------------------------------------------------------------------------------------------

TALK_MEDIAN: Final = 114.0
TALK_SPREAD: Final = 1.0
"""Seconds, and the standard deviation of their logarithm. Brown, table 1: all services together have the median 114 s
and the mean 188 s; service times are lognormal, and exp(1/2) * 114 = 188."""
ABORTED: Final = 0.07
"""Share of answered calls that end within 10 s. Brown: 7 % (agents hung up); for others: wrong numbers. Assumed as
many."""
RING_MEAN: Final = 11.0
"""Seconds until somebody answers. Assumed: two rings of 6 s (North American ringing is 2 s on, 4 s off)."""
RING_OUT: Final = (18.0, 45.0)
"""Seconds after which a caller gives up or voicemail answers. Assumed: 3 to 7 rings; voicemail boxes answer within 40 s
(cannonfalls.ss9.sharpschool.com on SchoolMessenger: "4-5 rings")."""
ANSWERED: Final = (0.62, 0.92)
"""Share of wanted calls in office hours that a person answers, by business. adityalabs.ai: 65 %; 411 Locals: 38 %
including closed hours; Bell: 70 % of toll attempts. Call centres answer more."""

# --- how people behave -----------------------------------------------------------------------------------------------

REDIAL_NO_ANSWER: Final = 0.45
REDIAL_BUSY: Final = 0.8
"""Chance that a caller tries again. Bell shows that failed attempts lead to further ones and gives no share in the
text seen; calljoy.com: "consumers who can't reach you the first time probably won't call back". Assumed, high on
purpose: redials are what false alarms are made of."""
REDIAL_AFTER: Final = 210.0
"""Seconds, mean of an exponential, until the next try after no answer. Assumed: two calls a minute are the most that
any of 19,048 identified callers of Brown's data ever made."""
PRESSES: Final = 0.97
"""Share of people who press the key when told to. Assumed: audio captchas are solved in 39-52 % (ASSETS 2019), but
this is "press 4", twice, and not a captcha in noise."""
COMES_AGAIN: Final = 0.3
"""Share of new customers who call a second time within the weeks. Assumed."""
WEEKDAY: Final = (1.12, 1.05, 1.0, 1.0, 0.95, 0.18, 0.04)
"""Calls from Monday to Sunday. Brown: fewer on Friday and Saturday in Israel, alike on working days; here moved to
Monday to Friday. The line of a practice has its own (`PRACTICE_WEEKDAY`)."""
HOUR: Final = (0, 0, 0, 0, 0, 0, 0.2, 1, 4, 8, 10, 10, 7, 7, 9, 9.5, 8, 5, 2, 1, 0.6, 0.3, 0.1, 0)
"""Calls by hour. Brown, figure 2: peaks from 10 to 12 and from 14 to 16 with a lunch hour between."""
CALLS_A_DAY: Final = {5: (12, 45), 40: (60, 220), 300: (250, 600)}
"""Wanted inbound calls on a working day, by the number of DIDs. getnextphone.com: 42 a month for a contractor;
LiveAgent: 4,400 a month (200 a working day) for a small call centre. Per DID it falls with size: assumed."""
NEW_SHARE: Final = (0.2, 0.45)
"""Share of ordinary calls from numbers never seen. Hiya 2019: 61 of 215 calls (28 %) are with unknown contacts."""
SAME_EXCHANGE: Final = (0.0, 0.01)
SAME_EXCHANGE_TOWN: Final = (0.02, 0.05)
"""Share of new callers with a number of our own NPA-NXX (or its like). Assumed: a city's area code holds 700
exchanges of 10,000 numbers, a small town's rate centre a handful, and mobiles are everywhere."""
SAME_AREA: Final = 0.62
"""Share of other new callers with our area code. Assumed: a local business."""
FOREIGN: Final = 0.015
"""Share of new callers from another country. Assumed."""

# --- who signs -------------------------------------------------------------------------------------------------------

SIGNED_WANTED: Final = (0.42, 0.85)
"""Share of wanted calls that arrive signed, by business (its carrier). TransNexus: 37 % (2024-03) to 47 % (2024-11)
of calls at termination; TNS: 85 % between tier-1 carriers in 2025."""
WANTED_LEVELS: Final = {"A": 0.91, "B": 0.05, "C": 0.04}
"""Levels of signed wanted calls. TNS: 93 % of signed tier-1 traffic is A; minus what the next figure takes."""
SPAM_LEVELS: Final = {"none": 0.52, "A": 0.16, "B": 0.15, "C": 0.17}
"""Levels of robocalls. From TransNexus' share of robocalls in each level (A 3.4 %, unsigned 7.0 %, B 23-26 %, C 19-37
%) and a traffic of 55 % unsigned, 35 % A, 5 % B, 5 % C: it gives 7.4 % robocalls in all, TransNexus published 7.6 to
7.8 %."""
SPOOFED_LEVELS: Final = {"none": 0.56, "A": 0.04, "B": 0.17, "C": 0.23}
"""The same for numbers that the caller has no right to. Assumed: an A claims that right, so only a provider that lies
gives it."""
SIGNATURE_LOST: Final = 0.02
"""Chance that a call of somebody who is signed comes unsigned. TransNexus: signatures die in non-IP interconnections;
how often for one caller is assumed."""

# --- names -----------------------------------------------------------------------------------------------------------

NAMES: Final = {"person": 0.3, "place": 0.25, "wireless": 0.15, "company": 0.1, "number": 0.08, "none": 0.12}
"""What stands in the name of a wanted call. Assumed: in the United States the name is looked up from the number;
carriers answer WIRELESS CALLER or the town for mobiles; some trunks repeat the number."""
SPAM_NAMES: Final = {
    "none": 0.3,
    "place": 0.3,
    "person": 0.12,
    "number": 0.1,
    "wireless": 0.05,
    "code": 0.07,
    "warned": 0.06,
}
"""The same for spam. `code`: names such as V92116185840629 (github.com/pamapa/callblocker/issues/69); `warned`: a
carrier's SPAM LIKELY. The shares are assumed."""
WRONGLY_WARNED: Final = 0.0002
"""Share of new customers whom a carrier calls SPAM LIKELY. Assumed; NDSS 2018 measured 0.01 % of business numbers on
blacklists."""

# --- special wanted traffic ------------------------------------------------------------------------------------------

OFFICE_CALLS: Final = (8, 35)
"""Calls an hour from an office behind one number in its busy hours. Assumed: several people of one customer or
supplier."""
SCHOOL_MESSAGE: Final = (25.0, 50.0)
SCHOOL_TRIES: Final = 3
SCHOOL_PACE: Final = (0.4, 6.0)
"""Seconds of a school's message; further tries where nobody answered; seconds between two of its calls to us.
timestelegram.com on SchoolMessenger: 400 families in four minutes, up to three more tries."""
PRACTICE_CALLERS: Final = (30, 60)
PRACTICE_WEEKDAY: Final = (1.0, 0.82, 0.51, 0.58, 0.66, 0.0, 0.0)
"""People who call a practice's line within half an hour of its opening, and the other days' share of that. Practices:
349 to 522 calls on a Monday; "by 8:15 the day's appointments are gone" (medelic.com)."""
PRACTICE_NEW: Final = (0.2, 0.6)
"""Share of them whose number was never seen. Assumed."""
PRACTICE_REDIALS: Final = 25
"""Tries at the most. Practices: thirty to fifty is what patients tell; the mean here is some 3 (`REDIAL_BUSY`)."""
STORM_CALLERS: Final = (25, 160)
"""People who call back a spoofed number of ours. NCSU: 650 storms on 66,606 lines; "hundreds of strangers", for
days."""
COURIER_TALK: Final = (8.0, 28.0)
RESULT_TALK: Final = (22.0, 40.0)
"""Seconds of a courier's call, and of a robot's that reads a test result. Assumed."""

# --- spam ------------------------------------------------------------------------------------------------------------

SPAM_SHARE: Final = 0.077
"""Share of spam among all calls, floods apart. TransNexus: 7.6 to 7.8 % of the calls through more than a hundred
providers (2022-08 to 2022-10); Hiya 2023: 26 %, mobiles; NCSU: one call in 8.42 days for a line that nobody uses."""
SPAM_MIX: Final = {
    Kind.CAMPAIGN: 0.32,
    Kind.HAMMER: 0.2,
    Kind.WALK: 0.13,
    Kind.RANDOM: 0.14,
    Kind.LOW_SLOW: 0.06,
    Kind.NEIGHBOUR: 0.05,
    Kind.IMPOSSIBLE: 0.04,
    Kind.WANGIRI: 0.04,
    Kind.WITHHELD: 0.02,
}
"""Shares of its classes. NCSU: neighbours 3 % (Hiya 2018: 56.7 %), most calls in campaigns that hardly reuse numbers;
the rest is assumed so that each row has calls enough."""
SPAM_ANSWERED: Final = 0.55
"""Share of spam calls that a person of ours answers. Hiya 2019: 9 % by consumers, who see an unknown number; 411
Locals: a business answers 38 % of everything. Assumed above both: an answered robot is the harder case."""
SPAM_TALK: Final = 11.0
"""Seconds, median. Hiya 2019: spam calls last about 11 s."""
SPAM_SILENT: Final = 0.6
"""Share of answered spam calls that say nothing and end within seconds. NCSU: 62 % had almost no audio; RRAPTOR: up
to 60 %."""
SPAM_LONG: Final = 0.01
"""Share of answered spam calls that keep one of ours for a minute. Assumed: a live seller after a robot's opening."""
HAMMER_PER_HOUR: Final = (5.0, 90.0)
"""Calls an hour of one number. Phoneypot: debt collectors and telemarketers who call again and again, 5.2 calls a
source on average; how fast is assumed, from every 12 minutes to every 40 seconds."""
HAMMER_CALLS: Final = (12, 150)
"""Calls of it. Assumed."""
WALK_CALLS: Final = (20, 120)
WALK_GAP: Final = (8.0, 600.0)
"""Calls of a walk through one block and seconds between them. Assumed; NCSU and RRAPTOR know the pattern and give no
figures."""
CAMPAIGN_CALLS: Final = (26, 240)
CAMPAIGN_PER_NUMBER: Final = (1, 4)
CAMPAIGN_GAP: Final = (4.0, 240.0)
"""Calls of a campaign that reach us, calls of each number, seconds between calls. NCSU: campaigns rarely reuse
numbers and made 13 calls to the lines that answered (95 % under 27); what is shorter than 20 cannot count by the
goal. The pace is assumed from NCSU's storms: a day's calls within hours."""
FLOOD_RATE: Final = (1.0, 60.0)
FLOOD_HARDEST: Final = 300.0
FLOOD_SECONDS: Final = (60.0, 240.0)
FLOOD_CALLS: Final = 4000
"""Calls a second and seconds. FBI: tens or hundreds of calls in rapid succession, kept open as long as possible, for
hours. Cut short here at so many calls: what matters happens within the first minute."""
WANGIRI_RING: Final = (1.0, 5.0)
"""Seconds that it rings. connexcs.com: "under two seconds"; blog.mobileum.com: one or two rings."""
WANGIRI_CALLS: Final = (3, 60)
"""Lines of ours that one wangiri number rings. NCSU measured wangiri as one caller that rings many lines; subex.com:
dialling machines work through ranges. How many is assumed."""
