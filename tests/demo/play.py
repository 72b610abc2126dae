"""Plays the scenes on a PBX, and tells each step as the PBX reports it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.demo.scenes import CONTEXTS, DID, Scene, scenes, way
from tests.lab.ami import Event
from tests.lab.daemon import Daemon
from tests.lab.observe import Observer
from tests.lab.pbx import Pbx
from tests.lab.world import World

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call of the final table."""

    says: str
    caller: str
    expected: str
    observed: str
    reasons: str

    @property
    def as_expected(self) -> bool:
        """Whether the PBX did what should be done."""
        return self.expected == self.observed


async def play(world: World, pbx: Pbx, daemon: Daemon, tell: Tell) -> list[Row]:
    """Make all calls, one after the other. The daemon is dead afterwards."""
    observer = Observer(pbx)
    _narrate(pbx, tell)
    await world.agent(stay=20)
    rows = []
    for scene in scenes():
        if scene.without_daemon:
            tell("")
            tell("   the daemon is killed (SIGKILL)")
            daemon.kill()
        rows.append(await _play_one(world, observer, scene, tell))
    return rows


async def _play_one(world: World, observer: Observer, scene: Scene, tell: Tell) -> Row:
    tell("")
    tell(f"{scene.caller or 'withheld':>13}  {scene.says}")
    before = {one.uniqueid for one in observer.journeys}
    result = await world.call(DID, scene.caller, scene.behaviour, withheld=scene.withheld)
    if result.digits:
        tell(f"               heard {' '.join(result.digits)}, pressed {result.pressed or 'nothing'} (RFC 4733)")
    (journey,) = await observer.wait(1, matches=lambda one: one.uniqueid not in before)
    return Row(
        says=scene.says,
        caller=scene.caller or "withheld",
        expected=scene.expected,
        observed=way(journey),
        reasons=journey.variables.get("SCREENER_REASONS", "").replace("+", ", "),
    )


def _narrate(pbx: Pbx, tell: Tell) -> None:
    seen: dict[str, str] = {}

    def step(event: Event) -> None:
        channel, context = event["Channel"], event["Context"]
        if channel.startswith("PJSIP/trunk-") and context in CONTEXTS and seen.get(channel) != context:
            seen[channel] = context
            tell(f"               PBX: {context}")

    def why(event: Event) -> None:
        if event["Variable"] == "SCREENER_WHY":
            tell(f"               screener: {event['Value']}")

    def rings(event: Event) -> None:
        if event["Channel"].startswith("PJSIP/trunk-"):
            tell(f"               PBX: rings {event['DialString'].partition('@')[0]}")

    pbx.ami.on("Newexten", step)
    pbx.ami.on("VarSet", why)
    pbx.ami.on("DialBegin", rings)
