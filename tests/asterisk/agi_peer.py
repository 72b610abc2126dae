"""Asterisk's side of a FastAGI connection, in a few lines: what `run_agi` in res/res_agi.c does, over a real socket."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Final, Self

ENVIRONMENT: Final = """agi_network: yes
agi_network_script: {script}
agi_request: agi://127.0.0.1:4573/{script}
agi_channel: PJSIP/trunk-00000002
agi_language: en
agi_type: PJSIP
agi_uniqueid: {uniqueid}
agi_version: 22.10.1+dfsg+~cs6.17.60671434-1
agi_callerid: {number}
agi_calleridname: {name}
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: {did}
agi_rdnis: unknown
agi_context: from-trunk
agi_extension: {did}
agi_priority: 3
agi_enhanced: 0.0
agi_accountcode: \nagi_threadid: 139880908388032
"""
"""As Asterisk 22.10.1 sent it."""

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")


class Peer:
    """One call that AGI() was run for."""

    def __init__(
        self, *, number: str = "+12015550123", name: str = "", did: str = "4155550100", uniqueid: str = "1.1",
        script: str = "screen", arguments: tuple[str, ...] = (), channel: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`channel` are further variables and functions of the channel."""
        self.environment = ENVIRONMENT.format(
            script=script, uniqueid=uniqueid, number=number or "unknown", name=name or "unknown", did=did
        ) + "".join(f"agi_arg_{place}: {value}\n" for place, value in enumerate(arguments, 1))
        self.variables = {
            "UNIQUEID": uniqueid, "CHANNEL": "PJSIP/trunk-00000002", "CHANNEL(language)": "en", "EXTEN": did,
            "CALLERID(num)": number, "CALLERID(name)": name, "CALLERID(dnid)": did,
            "CALLERID(num-pres)": "allowed_not_screened", **(channel or {}),
        }  # fmt: skip
        self.commands: list[str] = []
        """What it was told to do."""
        self.answer: Callable[[str], bytes | None] = self.carry_out
        """What it answers; nothing: it hangs up."""

    async def connect(self, port: int) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    def send(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.encode())

    async def call(self, port: int) -> Self:
        """Connect, send the environment, and do as told until the other side closes."""
        await self.connect(port)
        self.send(self.environment + "\n")
        await self.obey()
        return self

    async def obey(self) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await self.reader.readline():
                command = line.decode().rstrip("\n")
                self.commands.append(command)
                answer = self.answer(command)
                if answer is None:
                    break
                self.send(answer)
        self.hang_up()

    async def closed(self) -> bytes:
        """Wait for the other side to close, and return what it had said."""
        said = b""
        with contextlib.suppress(ConnectionError):
            said = await self.reader.read()
        self.hang_up()
        return said

    def hang_up(self) -> None:
        """End the connection."""
        self.writer.transport.abort()

    def carry_out(self, command: str) -> bytes:
        """Do what Asterisk does."""
        words = split(command)
        if words[:3] == ["GET", "FULL", "VARIABLE"]:
            value = _VARIABLE.sub(lambda found: self.variables.get(found[1], ""), words[3])
            return f"200 result=1 ({value})\n".encode()
        if words[:2] == ["SET", "VARIABLE"]:
            name, value = words[2:]
            if name.startswith("ARRAY("):
                pairs = zip(name[6:-1].split(","), value.split(","), strict=True)
                self.variables.update(pairs)
            else:
                self.variables[name] = value
            return b"200 result=1\n"
        return b"510 Invalid or unknown command\n"


def split(command: str) -> list[str]:
    """Divide a command into its arguments, as `parse_args` does."""
    words: list[str] = []
    quoted = escaped = False
    white = True
    for letter in command:
        if letter == '"' and not escaped:
            quoted = not quoted
            if quoted and white:
                words.append("")
                white = False
        elif letter in " \t" and not quoted and not escaped:
            white = True
        elif letter == "\\" and not escaped:
            escaped = True
            continue
        else:
            if white:
                words.append("")
                white = False
            words[-1] += letter
        escaped = False
    return words
