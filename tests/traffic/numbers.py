"""Numbers of three numbering plans, and how trunks write them."""

import functools
from dataclasses import dataclass
from random import Random

import phonenumbers

_NANP = """
201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251
252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318
319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413
414 415 417 419 423 425 430 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512
513 515 516 517 518 520 530 540 541 551 559 561 562 563 567 570 571 573 574 580 585 586 601 602 603 605 606
607 608 609 610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651 660 661 662 678 682 701
702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 727 731 732 734 740 754 757 760 763 765 770
772 773 774 775 781 785 786 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 843
845 847 848 850 856 857 858 859 860 862 863 864 865 870 901 903 904 906 907 908 909 910 912 913 914 915 916
917 918 919 920 925 928 931 936 937 940 941 949 951 952 954 956 970 971 972 973 978 979 980 985 989
"""
NANP_AREAS = tuple(_NANP.split())
SWISS_AREAS = (
    "21",
    "22",
    "24",
    "26",
    "27",
    "31",
    "32",
    "33",
    "34",
    "41",
    "44",
    "52",
    "55",
    "56",
    "61",
    "62",
    "71",
    "81",
    "91",
)
BRITISH_AREAS = ("20", "113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161", "191")
SWISS_MOBILE, BRITISH_MOBILE = ("76", "77", "78", "79"), ("74", "77", "78", "79")

WANGIRI_REGIONS = ("SL", "TN", "BY", "SO", "CU", "HT", "MR", "MV", "PG", "LT", "LV", "GM", "CM", "MG")
"""Countries that one-ring calls come from (FCC advisory 2019: Mauritania, Sierra Leone; others by operators'
reports)."""
FOREIGN_REGIONS = ("GB", "DE", "FR", "CA", "IT", "NL", "ES", "AT")

_FIXED = phonenumbers.PhoneNumberType.FIXED_LINE
_MOBILE = phonenumbers.PhoneNumberType.MOBILE
_PREMIUM = phonenumbers.PhoneNumberType.PREMIUM_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One country's numbers; all of them leave here in E.164."""

    region: str
    code: str
    """The country code."""
    areas: tuple[str, ...]
    mobile: tuple[str, ...]
    """How mobile numbers begin; empty where they look like all others."""
    length: int
    """Digits of a national number."""
    trunk_prefix: str
    """What stands before a national number that is dialled at home."""

    def exchange(self, rng: Random, area: str | None = None) -> str:
        """Return the beginning of a block of 10,000 fixed numbers, `+12125550000` without its last four digits."""
        while True:
            start = area or rng.choice(self.areas)
            missing = self.length - len(start) - 4
            middle = str(rng.randint(2, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(missing - 1))
            found = f"+{self.code}{start}{middle}"
            if not (self.code == "1" and (middle.endswith("11") or middle == "555")) and valid(found + "2345"):
                return found

    def stranger(self, rng: Random, area: str | None = None) -> str:
        """Return somebody's number: in this area, or a mobile, or anywhere."""
        if self.mobile and rng.random() < 0.7:
            while True:
                start = rng.choice(self.mobile)
                number = f"+{self.code}{start}" + "".join(
                    str(rng.randint(0, 9)) for _ in range(self.length - len(start))
                )
                if valid(number):
                    return number
        return f"{self.exchange(rng, area)}{rng.randint(0, 9999):04}"

    def impossible(self, rng: Random) -> str:
        """Return something that is no number of anybody, as it would stand in a caller ID."""
        digits = "".join(str(rng.randint(0, 9)) for _ in range(12))
        repeated = str(rng.choice((0, 1, 9))) * self.length
        far_too = (digits[:4].replace("0", "3"), "9" + digits[:4], "7" + digits + digits[:6], f"V{digits}{digits[:2]}")
        return rng.choice((*self._unassigned(rng), *self._unassigned(rng), repeated, *far_too))

    def _unassigned(self, rng: Random) -> tuple[str, ...]:
        last = f"{rng.randint(0, 9999):04}"
        if self.code == "1":
            area, exchange = rng.choice(self.areas), f"{rng.randint(200, 998)}"
            return (
                f"{area}{rng.randint(0, 1)}{rng.randint(0, 99):02}{last}",  # an exchange never begins with 0 or 1
                f"{rng.randint(0, 1)}{rng.randint(10, 99)}{exchange}{last}",  # nor does an area code
                f"{rng.randint(2, 9)}9{rng.randint(0, 8)}{exchange}{last}",  # N9X is kept for longer numbers
                f"{area}{exchange}{last}{rng.randint(0, 9)}{rng.randint(0, 9)}",  # two digits too many
            )
        national = {"41": "11", "44": "6"}[self.code]
        rest = "".join(str(rng.randint(0, 9)) for _ in range(self.length - len(national)))
        return (
            f"{self.trunk_prefix}{national}{rest}",
            f"{self.trunk_prefix}{rng.choice(self.areas)}{rest}{last}{last}",
        )

    def shown(self, number: str, style: str) -> str:
        """Write an E.164 number as a trunk would: `e164`, `plain` (no plus) or `national`."""
        if not number.startswith("+"):
            return number
        if style == "e164":
            return number
        if style == "national":
            at_home = number.startswith(f"+{self.code}")
            abroad = "011" if self.code == "1" else "00"
            return self.trunk_prefix + number[1 + len(self.code) :] if at_home else abroad + number[1:]
        return number[1:]


NANP = Plan(region="US", code="1", areas=NANP_AREAS, mobile=(), length=10, trunk_prefix="")
SWISS = Plan(region="CH", code="41", areas=SWISS_AREAS, mobile=SWISS_MOBILE, length=9, trunk_prefix="0")
BRITISH = Plan(region="GB", code="44", areas=BRITISH_AREAS, mobile=BRITISH_MOBILE, length=10, trunk_prefix="0")


@functools.lru_cache(maxsize=1 << 16)
def valid(number: str) -> bool:
    """Return whether the numbering plan has a place for this E.164 number."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def foreign(rng: Random, regions: tuple[str, ...], *, premium: bool = False) -> str:
    """Return a number of one of these countries, like its plan's example but for the last digits."""
    while True:
        region = rng.choice(regions)
        kinds = (_PREMIUM, _MOBILE, _FIXED) if premium else (rng.choice((_MOBILE, _FIXED)), _MOBILE)
        example = next(filter(None, (phonenumbers.example_number_for_type(region, kind) for kind in kinds)), None)
        if example is None:
            continue
        text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        number = text[:-4] + f"{rng.randint(0, 9999):04}"
        if valid(number):
            return number
