"""A verdict as channel variables: all that the dialplan needs to treat the call without us."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from screener.asterisk.prompts import Prompts
from screener.policy.call import Call
from screener.policy.caller import CallerKind
from screener.policy.challenge import Below, draw, draw_keys, seal, seal_keys
from screener.policy.line import Line
from screener.policy.policy import Policy
from screener.policy.settings import CaptchaSettings, MenuSettings
from screener.policy.text import printable
from screener.policy.treatments import reason_sounds
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the variables of a treatment are made of."""

    call: Call
    verdict: Verdict
    policy: Policy
    line: Line
    speak: Speak
    below: Below
    salt: str


Treat = Callable[[Asked], Mapping[str, str]]


def channel_variables(
    call: Call, verdict: Verdict, policy: Policy, *, now: float, prompts: Prompts, below: Below, salt: str
) -> Mapping[str, str]:
    """Return the SCREENER_* variables for a verdict; `now` is when it was judged."""
    variables = summary(verdict, policy)
    if verdict.acted in _TREATMENTS:
        speak, line = functools.partial(prompts.speak, language=call.language), policy.line(call.did, now)
        asked = Asked(call=call, verdict=verdict, policy=policy, line=line, speak=speak, below=below, salt=salt)
        variables |= _TREATMENTS[verdict.acted](asked)
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


def _captcha(asked: Asked) -> Mapping[str, str]:
    settings = asked.policy.settings.captcha
    variables = _attempts(settings) | _after(asked, settings.then) | _bypass(asked)
    variables |= {"SCREENER_SALT": asked.salt, "SCREENER_TALKING": ""}
    if settings.talking == "voicemail" and (box := _mailbox(asked)):
        variables |= {**box, "SCREENER_TALKING": "voicemail"}
    for attempt in range(1, settings.attempts + 1):
        challenge = draw(settings.kind, settings.digits, asked.below)
        once = [*settings.prompt, *asked.speak(challenge.spoken)]
        before = settings.again if attempt > 1 else ()
        variables[f"SCREENER_PROMPT_{attempt}"] = _sounds((*before, *once, PAUSE, *once))
        variables[f"SCREENER_LENGTH_{attempt}"] = str(len(challenge.answer))
        variables[f"SCREENER_HASH_{attempt}"] = seal(challenge.answer, asked.salt)
    return variables


def _menu(asked: Asked) -> Mapping[str, str]:
    settings = asked.policy.settings.menu
    variables = _attempts(settings) | _after(asked, settings.then) | _bypass(asked)
    variables |= {"SCREENER_SALT": asked.salt}
    spoken: list[str] = []
    for key, option in zip(draw_keys(len(settings.options), asked.below), settings.options, strict=True):
        spoken += [*settings.press, *asked.speak(key), *option.prompt]
        variables[f"SCREENER_MENU_{key}"] = ON if option.destination is None else option.destination
    return variables | {"SCREENER_MENU_PROMPT": _sounds(spoken)}


def _announce(asked: Asked) -> Mapping[str, str]:
    settings = asked.policy.settings.announce
    counted = sorted((one for one in asked.verdict.reasons if not one.shadow), key=lambda one: one.points, reverse=True)
    return {
        **_after(asked, settings.then),
        **_refusal(asked),
        "SCREENER_DIAL": asked.line.announce or "",
        "SCREENER_RING": f"{settings.ring_seconds:g}",
        # What the callee's display shows. A name would be a stranger's text.
        "SCREENER_NUMBER": asked.call.caller.key if asked.call.caller.kind is CallerKind.NUMBER else "",
        "SCREENER_NAME_SECONDS": str(settings.name_seconds),
        "SCREENER_KEY_SECONDS": f"{settings.key_seconds:g}",
        "SCREENER_MUSIC": settings.music or "",
        "SCREENER_ASK_NAME": _sounds(settings.ask_name),
        "SCREENER_PATIENCE": _sounds(settings.hold),
        "SCREENER_CALL_FROM": _sounds(settings.call_from),
        "SCREENER_NO_NAME": _sounds(settings.no_name),
        "SCREENER_OPTIONS": _sounds(
            (*reason_sounds(tuple(o.code for o in counted), settings.reasons), *settings.options)
        ),
        "SCREENER_REFUSAL": _sounds(settings.refusal),
    }


def _voicemail(asked: Asked) -> Mapping[str, str]:
    return _mailbox(asked)


def _busy(asked: Asked) -> Mapping[str, str]:
    return {"SCREENER_CAUSE": str(asked.policy.settings.busy.cause)}


def _tarpit(asked: Asked) -> Mapping[str, str]:
    settings = asked.policy.settings.tarpit
    return {
        "SCREENER_HOLD": str(settings.seconds),
        "SCREENER_HELD": str(settings.calls),
        "SCREENER_ANSWER": "yes" if settings.answer else "",
        "SCREENER_MUSIC": settings.music or "",
    }


def _reject(asked: Asked) -> Mapping[str, str]:
    return _refusal(asked)


_TREATMENTS: Final[Mapping[Treatment, Treat]] = {
    Treatment.ANNOUNCE: _announce,
    Treatment.CAPTCHA: _captcha,
    Treatment.MENU: _menu,
    Treatment.VOICEMAIL: _voicemail,
    Treatment.BUSY: _busy,
    Treatment.TARPIT: _tarpit,
    Treatment.REJECT: _reject,
}


def _mailbox(asked: Asked) -> dict[str, str]:
    mailbox = asked.line.mailbox
    if mailbox is None:
        return {}
    return {"SCREENER_MAILBOX": mailbox, "SCREENER_MAILBOX_OPTIONS": asked.policy.settings.voicemail.options}


def _refusal(asked: Asked) -> dict[str, str]:
    settings = asked.policy.settings.reject
    return {
        "SCREENER_CAUSE": str(settings.cause),
        "SCREENER_TONE": "yes" if settings.tone else "",
        "SCREENER_ANNOUNCEMENT": settings.announcement or "",
    }


def _bypass(asked: Asked) -> dict[str, str]:
    """Return the partners' codes as the dialplan recognises them: hashes of 40 digits, joined."""
    codes = (seal_keys(one.code.get_secret_value(), asked.salt) for one in asked.policy.settings.bypass)
    return {"SCREENER_BYPASS": "-".join(codes)}


def _attempts(settings: CaptchaSettings | MenuSettings) -> dict[str, str]:
    return {"SCREENER_TRIES": str(settings.attempts), "SCREENER_SECONDS": f"{settings.seconds:g}"}


def _after(asked: Asked, following: Treatment) -> dict[str, str]:
    """Return what the treatment after a challenge that was not passed needs."""
    needed: dict[str, str] = {}
    if following is Treatment.VOICEMAIL:
        needed = _mailbox(asked)
    elif following is Treatment.REJECT:
        needed = _refusal(asked)
    return {"SCREENER_NEXT": str(following), **needed}


def _sounds(names: Iterable[str]) -> str:
    return "&".join(names)
