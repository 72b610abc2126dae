"""A configuration is right, or every fault of it is named with its line and what to do about it."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from screener.asterisk.settings import AriSettings
from screener.config import Config, ConfigError, load, parse
from screener.credentials import ARI, WEBHOOK, ari_password, check_files, has_ari_password, webhook_secret
from screener.policy.call import Attestation
from screener.policy.verdict import Treatment
from screener.telling.settings import WebhookSettings
from tests.lab.places import REPO

SAMPLE = REPO / "config" / "screener.yaml"
MINIMAL = b'policy: {region: "US"}\n'
COMMENTED = re.compile(r"^( *)# ( *)(?=[\w\"+]+:( |$)|- ([\"{a]|dids:))", re.MULTILINE)
"""A setting or list entry that the sample shows commented out."""
NAMED_BY_THE_ADMINISTRATOR = (
    "policy.dids.",
    "policy.signals.attestation.points.",
    "policy.attestation.trunks.",
    "policy.calendars.",
    "policy.calendars.*.hours.",
)
"""Below these the keys are names and no settings of ours."""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f.yaml")
    return str(caught.value).splitlines()


def policy(*lines: str) -> str:
    """A policy of which only `lines` are wrong, from line 3 on."""
    return "\n".join(["policy:", '  region: "US"', *(f"  {line}" for line in lines)])


# ------------------------------------------------------------------------------------------- the sample, both ways


def keys_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        for inner in models_in(field.annotation):
            yield from keys_of(inner, f"{path}{name}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def keys_in(data: Any, path: str = "") -> Iterator[str]:
    if isinstance(data, Mapping):
        for name, inner in data.items():
            free = path in NAMED_BY_THE_ADMINISTRATOR
            if not free:
                yield path + name
            yield from keys_in(inner, f"{path}*." if free else f"{path}{name}.")
    elif isinstance(data, list):
        for inner in data:
            yield from keys_in(inner, path)


def uncommented() -> str:
    """The sample with every setting in force, and a code of the reader's own."""
    return COMMENTED.sub(r"\1\2", SAMPLE.read_text()).replace("<4 to 12 digits of your own>", "480516")


def test_the_code_of_the_sample_is_none() -> None:
    text = COMMENTED.sub(r"\1\2", SAMPLE.read_text())
    with pytest.raises(ConfigError, match=r"policy\.bypass\[0\]\.code: expected 4 to 12 digits$"):
        parse(text.encode())


def test_a_code_is_never_quoted_back() -> None:
    for wrong in ("12345", '"777777"', '"letmein"', "480516"):
        (fault,) = faults(policy(f"bypass: [{{code: {wrong}}}]"))
        assert wrong.strip('"') not in fault


def test_the_sample_is_right_and_begins_in_shadow_mode() -> None:
    assert load(SAMPLE).policy.mode == "shadow"


def test_the_sample_shows_every_setting_and_no_other() -> None:
    shown = {key.replace(".*", "").replace(".block", ".allow") for key in keys_in(yaml.safe_load(uncommented()))}
    # Both lists have the same entries; instead of the password the sample recommends other places for it.
    known = {key.replace(".block", ".allow") for key in keys_of(Config)} - {"asterisk.password", "ami.secret"}
    assert shown == known


def test_the_sample_with_every_setting_in_force_is_right() -> None:
    config = parse(uncommented().encode())
    assert len(config.policy.lists.block) == 3
    assert config.policy.dids["+15559990000"].mailbox == "1000@default"


def test_what_the_sample_calls_a_default_is_one() -> None:
    sample, minimal = load(SAMPLE), parse(MINIMAL)
    assert sample.asterisk.password_file is not None
    there = sample.asterisk.model_copy(update={"password_file": None})
    assert sample.model_copy(update={"asterisk": there}) == minimal


# ------------------------------------------------------------------------------------------------------- the faults


def test_five_mistakes_are_told_at_once_each_at_its_line() -> None:
    text = """policy:
  mode: livee
  region: "US"
  bucket:
    capcity: 3
    refill_per_hour: often
  lists:
    block:
      - "+1900*"
      - 15552345678
      - "12"
"""
    assert faults(text) == [
        "f.yaml:2: policy.mode: expected 'shadow' or 'live', not 'livee'; did you mean live?",
        "f.yaml:5: policy.bucket.capcity: there is no such key; did you mean capacity?",
        "f.yaml:6: policy.bucket.refill_per_hour: expected a number, not 'often'",
        "f.yaml:10: policy.lists.block[1]: expected text, but YAML reads '15552345678' as something else: "
        "put it in quotes",
        "f.yaml:11: policy.lists.block[2]: expected a telephone number of US or one that begins with +, not '12'",
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["buckets: {}"], "3: policy.buckets: there is no such key; did you mean bucket?"),
        (["zzz: 1"], "3: policy.zzz: there is no such key; expected one of announce, attestation, bucket, busy,"),
        (["mode: on"], "3: policy.mode: expected 'shadow' or 'live', not 'on'"),
        (["mode: live"], "1: policy: the ladder sends calls to voicemail, at once or later, but no mailbox is set"),
        (["never_screen: {numbers: ['911', '+1900*']}"], "3: policy.never_screen.numbers[1]: no call comes from this"),
        (["dids: {'my number': {}}"], "3: policy.dids.my number: no call goes to this: expected a telephone number"),
        (["lists: {block: [{number: '+12125550133', did: 'a b'}]}"], "3: policy.lists.block[0]: no call goes to the"),
        (["ladder:", "  - {score: 5, treatment: captcha}", "  - {score: 3, treatment: menu}"],
         "3: policy.ladder: each step of a ladder needs a higher score than the one before it"),
        (["ladder: [{score: 5, treatment: captch}]"], "3: policy.ladder[0].treatment: expected 'pass',"),
        (["ladder: [{score: 5}]"], "3: policy.ladder[0].treatment: this key is needed and is missing"),
        (["captcha: {digits: 9}"], "3: policy.captcha.digits: expected a number less than or equal to 5, not '9'"),
        (["captcha: {prompt: ['${SHELL(id)}']}"], "3: policy.captcha.prompt[0]: String should match pattern"),
        (["menu: {options: [{destination: 'sales'}]}"], "3: policy.menu.options[0].destination: String should match"),
        (["menu: {options: []}"], "3: policy.menu.options: Tuple should have at least 1 item"),
        (["bucket: []"], "3: policy.bucket: expected a section, with keys such as capacity"),
        (["lists: {block: ['1900*']}"], "3: policy.lists.block[0]: expected a prefix in E.164 such as +1900*"),
        (["lists: {block: [{country: UK}]}"], "3: policy.lists.block[0]: expected a country's two letters in capitals"),
        (["lists: {block: [{country: NO}]}"], "3: policy.lists.block[0].country: expected text, but YAML reads 'NO'"),
        (["lists: {block: [{country: NG, number: '+234*'}]}"],
         "3: policy.lists.block[0]: an entry names either a number or a country"),
        (["lists: {block: [{country: NG, until: tomorrow}]}"],
         "3: policy.lists.block[0].until: expected a date such as 2026-12-31, or a date and time such as "
         "2026-12-31 18:00, not 'tomorrow'"),
        (["lists: {block: [{country: NG, until: 2026-02-30}]}"], "3: policy.lists.block[0].until: no such date"),
        (["lists: {block: [{country: NG, until: 9999-12-31}]}"], "3: policy.lists.block[0]: date value out of range"),
        (["feeds: [{name: x, list: block}]"], "3: policy.feeds[0]: a feed comes either from a url or from a file"),
        (["feeds: [{name: x, list: block, file: a.txt}]"], "3: policy.feeds[0]: the file of a feed needs its"),
        (["feeds: [{name: x, list: allow, file: /a, points: 3}]"], "3: policy.feeds[0]: points are for a feed whose"),
        (["feeds: [{name: X, list: block, file: /a}]"], "3: policy.feeds[0].name: String should match pattern"),
        (["feeds: [{name: x, list: blok, file: /a}]"],
         "3: policy.feeds[0].list: expected 'block', 'allow' or 'contact', not 'blok'; did you mean block?"),
        (["feeds: [{name: x, list: block, url: 'https://h/?key=SECRET', every_minutes: 5}]"],
         "3: policy.feeds[0].every_minutes: expected a number greater than or equal to 60, not '5'"),
        (["feeds:", "  - {name: x, list: block, file: /a}", "  - {name: x, list: block, file: /b}"],
         "5: policy.feeds[1].name: another feed is called 'x' too"),
        (["calendars: {office: {hours: {mo-fr: '08:00-17:00'}}}"],
         "3: policy.calendars.office.hours.mo-fr: expected days such as mon-fri or sat, sun, not 'mo-fr'; "
         "did you mean mon?"),
        (["calendars: {office: {hours: {mon-fri: 8-17}}}"],
         "3: policy.calendars.office.hours.mon-fri: expected hours such as 08:00-12:00, 13:30-17:00, not '8-17'"),
        (["calendars:", "  office:", "    hours:", "      mon: '08:00-17:00'", "      mon-fri: '08:00-17:00'"],
         "7: policy.calendars.office.hours.mon-fri: mon has its hours twice"),
        (["calendars: {office: {hours: {sat: '24:00-25:00'}}}"], "3: policy.calendars.office.hours.sat: expected"),
        (["calendars: {office: {hours: {sat: '08:00-08:00'}}}"], "sat: 08:00-08:00 is no time at all; a whole"),
        (["calendars: {office: {hours: {sat: '08:00-12:00, 11:00-13:00'}}}"], "sat: the hours '08:00-12:00, 11"),
        (["calendars: {office: {hours: {}}}"], "3: policy.calendars.office.hours: Dictionary should have"),
        (["calendars: {office: {hours: {mon: '08:00-17:00'}, timezone: US/Estern}}"],
         "3: policy.calendars.office.timezone: there is no time zone 'US/Estern'; did you mean US/Eastern?"),
        (["calendars: {office: {hours: {mon: '08:00-17:00'}, holidays: {country: ZZ}}}"],
         "3: policy.calendars.office.holidays.country: no holidays are known of 'ZZ'"),
        (["calendars: {office: {hours: {mon: '08:00-17:00'}, holidays: {country: US, subdivision: NYC}}}"],
         "3: policy.calendars.office.holidays.subdivision: no holidays are known of 'NYC' in US; did you mean NY?"),
        (["calendars: {office: {hours: {mon: '08:00-17:00'}, closed_on: [christmas]}}"],
         "3: policy.calendars.office.closed_on[0]: expected a date such as 2026-12-24, or 12-24 for that day of every "
         "year, not 'christmas'"),
        (["calendars: {office: {hours: {mon: '08:00-17:00'}}}", "dids: {'+14155550100': {calendar: ofice}}"],
         "4: policy.dids.+14155550100.calendar: there is no calendar 'ofice'; did you mean office?"),
        (["groups: [{dids: ['+14155550100'], calendar: office}]"],
         "3: policy.groups[0].calendar: there is no calendar 'office'"),
        (["groups: [{dids: ['4155550100']}, {dids: ['+14155550100']}]"],
         "3: policy.groups[1].dids[0]: +14155550100 stands here twice, in the groups"),
        (["groups: [{dids: ['+1415*']}, {dids: ['+1415*']}]"], "3: policy.groups[1].dids[0]: +1415* stands here twice"),
        (["groups: [{dids: ['a b']}]"], "3: policy.groups[0].dids[0]: no call goes to this: expected a telephone"),
        (["groups: [{mode: live}]"], "3: policy.groups[0].dids: this key is needed and is missing"),
        (["closed: {ladder: []}"], "3: policy.closed: nothing is ever closed here: name a `calendar`"),
        (["dids: {'+14155550100': {closed: {mode: shadow}}}"],
         "3: policy.dids.+14155550100.closed: nothing is ever closed here: name a `calendar`"),
        (["timezone: America/NewYork"],
         "3: policy.timezone: there is no time zone 'America/NewYork'; did you mean America/New_York?"),
        (["dids:", "  '4155550100': {}", "  '+14155550100': {}"],
         "5: policy.dids.+14155550100: +14155550100 stands here twice, in two spellings"),
        (["mode: shadow", "mode: live"], "4: policy.mode: this key stands here twice"),
        (["bucket:", "lists:", "  block:"], None),
        (["zzz:"], "3: policy.zzz: there is no such key"),
        (["trust: &t {days: 3}", "bucket: *t"], "4: policy.bucket: anchors and aliases (& and *) are not used here"),
        (["mode: !!python/name:os.system ''"], "3: policy.mode: no value that is understood here"),
        (["mode: [", "x"], "not YAML:"),
        (["\tmode: live"], "not YAML:"),
        (["mode: shadow", " preset: strict"], "perhaps"),
        (["mode: shadow", "\tpreset: strict"], "violates indentation: YAML is indented by spaces"),
        (["ladder: {score: 3}"], "3: policy.ladder: expected a list"),
        (["bucket: {sustained: true}"], "3: policy.bucket.sustained: expected false, not 'true'"),
        (["signals: {withheld: {points: 5}}"],
         "3: policy.signals.withheld: there is no such key; did you mean policy.signals.number.withheld?"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_line_path_and_remedy(lines: list[str], expected: str | None) -> None:
    if expected is None:
        parse(policy(*lines).encode())
    else:
        assert any(expected in fault for fault in faults(policy(*lines))), faults(policy(*lines))


def test_no_message_shows_the_address_of_a_feed_which_may_hold_a_key() -> None:
    said = faults(policy("feeds: [{name: x, list: block, url: 'ftp://h/?key=SECRET'}]"))
    assert said
    assert "SECRET" not in "".join(said)


def test_a_wrong_entry_of_a_list_hides_no_other() -> None:
    found = faults(policy("lists:", "  allow:", '    - "12"', '    - {numbr: "+41791234567"}', "    - true"))
    assert [fault.split(": ")[0] for fault in found] == ["f.yaml:5", "f.yaml:6", "f.yaml:7"]


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"a", b"5", b"\xff\xfe\xff", b"\x00", b"a: \x80", b"[" * 100_000, b"{a: " * 50_000, b"- " * 100_000,
     b"policy: {region: 2026-01-01}", b"? [a]\n: 1", b"--- 1\n--- 2", b"policy: {region: US, <<: {a: 1}}"],
)  # fmt: skip
def test_what_is_no_configuration_is_refused_and_nothing_worse(text: bytes) -> None:
    with pytest.raises(ConfigError):
        parse(text)


@given(st.binary() | st.text().map(str.encode) | st.text(alphabet="policy:\n -{}[]\"'&*!#|>%@`1").map(str.encode))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything_but_a_configuration_error(text: bytes) -> None:
    with contextlib.suppress(ConfigError):
        parse(text)


def test_what_a_message_quotes_cannot_move_the_cursor() -> None:
    (found,) = faults(policy('mode: "\\e[2J\\u202e"'))
    assert "\x1b" not in found
    assert "\u202e" not in found


def test_a_file_that_is_not_there_or_too_long_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
    long = tmp_path / "long.yaml"
    long.write_bytes(b"#" * (9 << 20))
    with pytest.raises(ConfigError, match="longer than 8 MB"):
        load(long)


# ------------------------------------------------------------------------------------------------------ the password


def with_password(tmp_path: Path, mode: int) -> Path:
    file = tmp_path / "screener.yaml"
    file.write_text('policy: {region: "US"}\nasterisk: {password: "s3cret"}\n')
    file.chmod(mode)
    return file


def test_a_password_in_a_file_that_everybody_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chmod 640") as caught:
        load(with_password(tmp_path, 0o644))
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(load(with_password(tmp_path, 0o640)))


@pytest.mark.parametrize(
    "wrong",
    [
        "{password: [s3cret]}",
        "{password: {s3cret: 1}}",
        "{password: s3cret, passwrd: s3cret}",
        "{password: s3cret, password_file: /p}",
        "{password: 531337}",
    ],
)
def test_no_message_shows_a_password(wrong: str) -> None:
    said = "\n".join(faults(f'policy: {{region: "US"}}\nasterisk: {wrong}'))
    assert "asterisk" in said
    assert "531337" not in said
    assert "s3cret" not in said.replace("asterisk.password.s3cret", "")


def test_the_password_comes_from_where_it_was_put(tmp_path: Path) -> None:
    file, kept = tmp_path / "screener.yaml", tmp_path / ARI.credential
    kept.write_text("of the file\n")
    kept.chmod(0o640)
    plain, named = AriSettings(), AriSettings(password_file=kept)
    assert ari_password(named, {ARI.variable: "of the variable"}, file).get_secret_value() == "of the file"
    assert ari_password(plain, {ARI.variable: "of the variable"}, file).get_secret_value() == "of the variable"
    assert ari_password(plain, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, file).get_secret_value() == "of the file"


def test_with_fastagi_no_ari_password_is_needed_but_one_that_is_named_is(tmp_path: Path) -> None:
    file, nowhere = tmp_path / "screener.yaml", {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    alone = parse(MINIMAL + b"fastagi: {enabled: true}\n")
    assert check_files(alone, nowhere, file) is None
    assert not has_ari_password(alone.asterisk, nowhere)
    with pytest.raises(ConfigError, match="ari-password cannot be read"):
        check_files(parse(MINIMAL), nowhere, file)
    named = parse(MINIMAL + b"fastagi: {enabled: true}\nasterisk: {password_file: /nowhere/at/all}\n")
    assert has_ari_password(named.asterisk, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        check_files(named, {}, file)
    (tmp_path / ARI.credential).write_text("s3cret")
    assert has_ari_password(alone.asterisk, nowhere)


@pytest.mark.parametrize("place", ["file", "variable", "credential", "nowhere"])
def test_what_signs_a_webhook_comes_from_where_it_was_put(tmp_path: Path, place: str) -> None:
    kept = tmp_path / WEBHOOK.credential
    kept.write_text("whsec_AAAA\n")
    kept.chmod(0o640)
    settings = WebhookSettings.model_validate(
        {"url": "https://example.org/token", "secret_file": kept if place == "file" else None}
    )
    environment = {
        "variable": {WEBHOOK.variable: "whsec_AAAA"},
        "credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    }.get(place, {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")})
    expected = None if place == "nowhere" else "whsec_AAAA"
    assert webhook_secret(settings, environment, tmp_path / "screener.yaml") == expected
    assert webhook_secret(WebhookSettings(secret_file=kept), environment, tmp_path / "screener.yaml") is None
    kept.write_text("whsec_no base64")
    if place in ("file", "credential"):
        with pytest.raises(ConfigError, match="is no base64"):
            webhook_secret(settings, environment, tmp_path / "screener.yaml")


def test_no_message_shows_the_address_of_a_webhook() -> None:
    for wrong in (
        '{url: "ftp://example.org/t0ken"}',
        '{url: "https://example.org/t0ken", nonsense: 1}',
        "{url: [t0ken]}",
    ):
        said = "\n".join(faults(f'policy: {{region: "US"}}\nwebhook: {wrong}'))
        assert "webhook" in said
        assert "t0ken" not in said


def test_a_password_that_is_missing_is_a_fault_that_says_where_to_put_it(tmp_path: Path) -> None:
    file = tmp_path / "screener.yaml"
    with pytest.raises(ConfigError, match=f"no password for the ARI user 'screener'.*{ARI.variable}"):
        ari_password(AriSettings(), {}, file)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        ari_password(AriSettings(password_file=tmp_path / "none"), {}, file)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    binary.chmod(0o600)
    with pytest.raises(ConfigError, match="it is no text"):
        ari_password(AriSettings(password_file=binary), {}, file)


def test_a_password_file_that_everybody_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    kept = tmp_path / "ari-password"
    kept.write_text("a password")
    kept.chmod(0o644)
    with pytest.raises(ConfigError, match=f"asterisk.password_file: .* chmod 640 {kept}"):
        ari_password(AriSettings(password_file=kept), {}, tmp_path / "screener.yaml")


def test_the_samples_for_asterisk_let_in_nobody_from_elsewhere() -> None:
    ari = (REPO / "config" / "asterisk" / "ari.conf").read_text()
    assert "read_only = no" in ari
    assert ";permit = 127.0.0.1/32" in ari
    assert "allowed_origins" not in ari
    for name in ("http", "manager"):
        assert re.search(
            r"^bindaddr = 127\.0\.0\.1$", (REPO / "config" / "asterisk" / f"{name}.conf").read_text(), re.M
        )


def test_the_samples_for_asterisk_leave_every_secret_to_the_reader() -> None:
    for path in (REPO / "config" / "asterisk").iterdir():
        for line in path.read_text().splitlines():
            if re.match(r"\s*(password|secret)\s*=", line):
                assert "CHOOSE" in line or "choose" in line, f"{path.name}: {line}"


def test_the_words_of_the_choices_are_those_of_the_readme() -> None:
    readme = (REPO / "README.md").read_text()
    for word in (*Treatment, *(level for level in Attestation if len(level) > 1)):
        assert str(word) in readme
