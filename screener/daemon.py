"""The daemon: puts the parts together, runs them, and takes them down in the right order."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from screener.asterisk.ami import Ami
from screener.asterisk.clocks import Clocks, SteadyClock
from screener.asterisk.connection import PING, AriConnection
from screener.asterisk.desk import Desk
from screener.asterisk.errors import AriUnavailableError
from screener.asterisk.families import Families
from screener.asterisk.fastagi import FastAgi
from screener.asterisk.gate import Gate
from screener.asterisk.load import Load
from screener.asterisk.outbound import Outbound
from screener.asterisk.prompts import PLAIN, Prompts, conceal
from screener.asterisk.watch import Watch
from screener.config import Config, ConfigError, load
from screener.credentials import ami_secret, ari_password, has_ari_password, webhook_secret
from screener.feeds.keeper import FeedKeeper, feeds_directory
from screener.logs import logging_to
from screener.memory.journal import Journal
from screener.memory.local import LocalMemory
from screener.memory.pepper import pepper
from screener.memory.recall import recall
from screener.memory.wishes import Wishes
from screener.notify import ALIVE, READY, STOPPING, Notifier
from screener.obey import obey
from screener.policy.feeds import FeedKind
from screener.policy.lists import NumberList
from screener.policy.phrase import plural
from screener.policy.policy import compile_policy
from screener.reload import PolicyInForce
from screener.telling.notices import Notices
from screener.telling.webhook import Webhook

if TYPE_CHECKING:
    from screener.telling.metrics import Metrics

log = logging.getLogger(__name__)

OK: Final = 0
WRONG_CONFIG: Final = 2
REPLACED: Final = 3
"""Another screener has taken over. Started again, this one would take the calls back, and so on for ever."""
ANSWER_SECONDS: Final = 1.0
"""How long Asterisk may take to answer a ping."""
TICK_SECONDS: Final = 1.0
"""How often it is looked at what ends by itself."""
REPORT_SECONDS: Final = 5.0
"""How often systemd is told how we are, if it does not ask for it more often."""


def run(config_path: Path) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    try:
        config = load(config_path)
        # With FastAGI calls are judged without ARI too; but a password that is named must be there.
        alone = config.fastagi.enabled and not has_ari_password(config.asterisk, os.environ)
        password = None if alone else ari_password(config.asterisk, os.environ, config_path).get_secret_value()
        manager = ami_secret(config.ami, os.environ, config_path)
        signing = webhook_secret(config.webhook, os.environ, config_path)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_CONFIG
    with logging_to(sys.stderr, level=config.log.level, rate=config.log.lines_per_second):
        return asyncio.run(_serve(config_path, config, password, manager, signing))


async def _serve(
    config_path: Path, config: Config, password: str | None, manager: SecretStr | None, signing: str | None
) -> int:
    """Start the parts, wait for the signal to stop, and stop them: no new calls, then the journal.

    Without a password there is no ARI connection, and without a secret for the `manager` interface none to that one;
    `signing` is the webhook's secret.
    Returns the exit status.
    """
    policy = compile_policy(config.policy)
    clocks = Clocks(steady=SteadyClock(), wall=time.time)
    memory = LocalMemory(seed=secrets.randbits(64), callers=config.memory.callers)
    begun = clocks.wall()
    under_way = recall(memory, config.journal.path, policy, begun)
    journal = Journal(config.journal)
    journal.start()
    asterisk, capacity = AriConnection(config.asterisk, password or ""), Load(config.overload, time.monotonic)
    metrics = _metrics(config)
    webhook = None if config.webhook.url is None else Webhook(config.webhook, signing, time.monotonic)
    tell = Notices(journal, clocks.wall, metrics, webhook).tell
    feeds = FeedKeeper(feeds_directory(config.journal.path), tell=tell)
    feeds.load(config.policy)
    in_force = PolicyInForce(config_path, config, policy, feeds)
    desk = Desk(
        memory=memory,
        record=journal,
        policy=in_force.policy,
        clocks=clocks,
        load=capacity,
        prompts=_prompts(config),
        overload_treatment=config.overload.treatment,
        count=(lambda _: None) if metrics is None else metrics.count,
        tell=tell,
    )
    for one in under_way if password is not None else ():
        desk.resume(one.call, one.verdict, one.outcomes, one.at)
    application, secret = config.asterisk.application, pepper(config.journal.path)
    fastagi = FastAgi(config.fastagi, desk, asterisk, application=application, pepper=secret)
    gate = Gate(
        asterisk,
        desk,
        application=application,
        pepper=secret,
        call_seconds=config.asterisk.call_seconds,
    )
    watch = None
    if manager is not None:
        ami = Ami(config.ami, manager.get_secret_value())
        outbound = Outbound(ami, config.ami, memory=memory, record=journal, policy=in_force.policy, clocks=clocks)
        watch = Watch(ami, _families(ami, config, in_force, feeds), outbound)
    notifier = Notifier()
    report = _report(notifier, asterisk, fastagi, desk, journal, watch=watch)
    helpers = [asyncio.Task(capacity.watch()), asyncio.Task(report)]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asterisk.close)
    loop.add_signal_handler(signal.SIGHUP, lambda: [one.ask() for one in (in_force, watch) if one is not None])
    helpers += [asyncio.Task(in_force.serve()), asyncio.Task(feeds.serve()), asyncio.Task(fastagi.run())]
    helpers += [asyncio.Task(_tick(desk)), asyncio.Task(obey(Wishes(config.journal.path, begun), desk, clocks.wall))]
    helpers += [asyncio.Task(part.serve()) for part in (webhook,) if part is not None]
    helpers += [asyncio.Task(part.run()) for part in (watch,) if part is not None]
    try:
        async with contextlib.nullcontext() if metrics is None else metrics.served():
            if password is None:
                log.warning("no ARI password: FastAGI only, and nothing is learned from what becomes of a call")
                await asterisk.closed()
            else:
                await asterisk.run(gate)
    finally:
        notifier.tell(STOPPING)
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await fastagi.drain()
        await gate.drain()
        await asyncio.to_thread(journal.close)
    return REPLACED if asterisk.replaced else OK


async def _tick(desk: Desk) -> None:
    """End what ends by itself, also while nobody calls."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        try:
            desk.tick()
        except Exception:
            log.exception("what ends by itself could not be ended")


async def _report(
    notifier: Notifier,
    asterisk: AriConnection,
    fastagi: FastAgi,
    desk: Desk,
    journal: Journal,
    *,
    watch: Watch | None,
) -> None:
    """Tell systemd that we are alive: the loop turns, and Asterisk answers on a connection that seems to stand."""
    notifier.status("connecting to Asterisk; calls pass unscreened until then")
    await (fastagi.ready if fastagi.enabled else asterisk.ready).wait()
    notifier.tell(READY)
    seconds = min(REPORT_SECONDS, (notifier.watchdog_seconds or REPORT_SECONDS * 3) / 3)
    while True:
        if await _answers(asterisk):
            notifier.tell(ALIVE)
        way = f"connected over {asterisk.way}" if asterisk.connected else "not connected; calls pass unscreened"
        if fastagi.enabled:
            way = f"{fastagi.way}; ARI " + (f"connected over {asterisk.way}" if asterisk.connected else "not connected")
        if watch is not None:
            way += f"; manager interface {watch.state}"
        judged = ", ".join(f"{count} {name}" for name, count in desk.judged.items() if name != "calls")
        notifier.status(
            f"{way}; {plural(desk.judged['calls'], 'call')} judged{f' ({judged})' if judged else ''}; "
            f"journal: {journal.behind} waiting, {journal.dropped} dropped"
        )
        await asyncio.sleep(seconds)


def _families(ami: Ami, config: Config, in_force: PolicyInForce, feeds: FeedKeeper) -> Families:
    """Return what keeps Asterisk's own lists among the feeds."""

    def take(block: NumberList, allow: NumberList) -> None:
        feeds.put("Asterisk", FeedKind.BLOCK, block)
        feeds.put("Asterisk", FeedKind.ALLOW, allow)
        log.info("Asterisk's own lists: %d blocked, %d allowed", len(block), len(allow))

    return Families(ami, config.ami, region=lambda: in_force.policy().settings.region, take=take)


async def _answers(asterisk: AriConnection) -> bool:
    """Whether Asterisk answers, or is known to be away: we try to reach it again then, and a restart helps nobody."""
    if not asterisk.connected:
        return True
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asterisk.send(PING)
    except (AriUnavailableError, TimeoutError):
        return not asterisk.connected
    return True


def _metrics(config: Config) -> "Metrics | None":
    """Return what counts for Prometheus, if anybody wants to know."""
    if config.metrics.port is None:
        return None
    # Its libraries take a tenth of the time that a start takes.
    from screener.telling.metrics import Metrics  # noqa: PLC0415

    return Metrics(config.metrics.port)


def _prompts(config: Config) -> Prompts:
    """Return the sounds to speak digits with; without a directory for copies, Asterisk's own."""
    settings = config.prompts
    if settings.directory is None:
        return PLAIN
    try:
        return conceal(settings.sounds, settings.directory, settings.directory_in_asterisk or settings.directory)
    except OSError as error:
        log.warning("the digits of captchas will stand in Asterisk's logs: no copies of its sounds (%s)", error)
        return PLAIN
