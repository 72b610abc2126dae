"""A verdict as channel variables: all that the dialplan needs to treat the call without us."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from screener.asterisk.prompts import Prompts
from screener.policy.call import Call
from screener.policy.challenge import Below, draw, draw_keys, seal
from screener.policy.policy import Policy
from screener.policy.settings import CaptchaSettings, MenuSettings
from screener.policy.text import printable
from screener.policy.verdict import Treatment, Verdict

WHY_LIMIT: Final = 400
"""Characters of SCREENER_WHY; Asterisk cuts a dialplan line's result at 4,096."""
PAUSE: Final = "silence/1"
"""One second between the first and the second time that a challenge is spoken."""
_SPEAKABLE: Final = re.compile(r"[^A-Za-z0-9 ,.;:()+*#/=_-]")
"""What SCREENER_WHY may not hold: an administrator may well put it into an expression or an application's arguments,
where a quoted caller ID of `${SHELL(...)}` or `&SIP/...` would be read as one."""
ON: Final = "on"
"""The destination of a menu option that goes on as if the call had not been screened."""

Speak = Callable[[Sequence[str]], list[str]]


def channel_variables(
    call: Call, verdict: Verdict, policy: Policy, *, prompts: Prompts, below: Below, salt: str
) -> Mapping[str, str]:
    """Return the SCREENER_* variables for a verdict."""
    variables = summary(verdict, policy)
    if verdict.acted in _TREATMENTS:
        speak = functools.partial(prompts.speak, language=call.language)
        variables |= _TREATMENTS[verdict.acted](call, policy, speak, below, salt)
    return variables


def summary(verdict: Verdict, policy: Policy) -> dict[str, str]:
    """Return the variables that say what was judged and why, whatever the treatment."""
    return {
        "SCREENER_TREATMENT": str(verdict.acted),
        "SCREENER_VERDICT": str(verdict.treatment),
        "SCREENER_MODE": str(verdict.mode),
        "SCREENER_SCORE": f"{verdict.score:g}",
        "SCREENER_REASONS": "+".join(reason.code for reason in verdict.reasons) or "none",
        "SCREENER_POLICY": policy.version,
        "SCREENER_WHY": _why(verdict),
    }


def _why(verdict: Verdict) -> str:
    """What decided, and then each reason that has points. A reason may quote the caller ID: see `_SPEAKABLE`."""
    sentences = [verdict.decided_by, *(f"{r.text} ({r.points:+g})" for r in verdict.reasons if r.points)]
    return _SPEAKABLE.sub("_", printable("; ".join(sentences), WHY_LIMIT))


def _captcha(call: Call, policy: Policy, speak: Speak, below: Below, salt: str) -> Mapping[str, str]:
    settings = policy.settings.captcha
    variables = _attempts(settings) | _after(call, policy, settings.then) | {"SCREENER_SALT": salt}
    for attempt in range(1, settings.attempts + 1):
        challenge = draw(settings.kind, settings.digits, below)
        once = [*settings.prompt, *speak(challenge.spoken)]
        before = settings.again if attempt > 1 else ()
        variables[f"SCREENER_PROMPT_{attempt}"] = _sounds((*before, *once, PAUSE, *once))
        variables[f"SCREENER_LENGTH_{attempt}"] = str(len(challenge.answer))
        variables[f"SCREENER_HASH_{attempt}"] = seal(challenge.answer, salt)
    return variables


def _menu(call: Call, policy: Policy, speak: Speak, below: Below, _salt: str) -> Mapping[str, str]:
    settings = policy.settings.menu
    variables = _attempts(settings) | _after(call, policy, settings.then)
    spoken: list[str] = []
    for key, option in zip(draw_keys(len(settings.options), below), settings.options, strict=True):
        spoken += [*settings.press, *speak(key), *option.prompt]
        variables[f"SCREENER_MENU_{key}"] = ON if option.destination is None else option.destination
    return variables | {"SCREENER_MENU_PROMPT": _sounds(spoken)}


def _voicemail(call: Call, policy: Policy, *_rest: object) -> Mapping[str, str]:
    mailbox = policy.line(call.did).mailbox
    if mailbox is None:
        return {}
    return {"SCREENER_MAILBOX": mailbox, "SCREENER_MAILBOX_OPTIONS": policy.settings.voicemail.options}


def _reject(_call: Call, policy: Policy, *_rest: object) -> Mapping[str, str]:
    settings = policy.settings.reject
    return {
        "SCREENER_CAUSE": str(settings.cause),
        "SCREENER_TONE": "yes" if settings.tone else "",
        "SCREENER_ANNOUNCEMENT": settings.announcement or "",
    }


_TREATMENTS: Final[Mapping[Treatment, Callable[[Call, Policy, Speak, Below, str], Mapping[str, str]]]] = {
    Treatment.CAPTCHA: _captcha,
    Treatment.MENU: _menu,
    Treatment.VOICEMAIL: _voicemail,
    Treatment.REJECT: _reject,
}


def _attempts(settings: CaptchaSettings | MenuSettings) -> dict[str, str]:
    return {"SCREENER_TRIES": str(settings.attempts), "SCREENER_SECONDS": f"{settings.seconds:g}"}


def _after(call: Call, policy: Policy, following: Treatment) -> dict[str, str]:
    """Return what the treatment after a challenge that was not passed needs."""
    needed = {Treatment.VOICEMAIL: _voicemail, Treatment.REJECT: _reject}.get(following)
    return {"SCREENER_NEXT": str(following), **(needed(call, policy) if needed else {})}


def _sounds(names: Iterable[str]) -> str:
    return "&".join(names)
