"""A telephone network in a directory: real Asterisks, SIP, RTP and DTMF on loopback, for tests and the demo.

    async with open_lab() as lab:                                    # lab.lab
        pbx = await lab.pbx(Settings(dialplan=[Path("dialplan/screener.conf")]))
        observer = Observer(pbx)
        result = await lab.world.call("4421", "+15551234567", listen_and_obey())
        journey = await observer.journey(caller="+15551234567")

`python -m tests.lab` tries it. It needs root, and builds what it needs below .lab on first use (a minute). Environment:

- SCREENER_LAB: another directory than .lab;
- SCREENER_LAB_ROOT: a tree with Asterisk and SIPp that is built already;
- SCREENER_LAB_MIRROR: another Debian mirror than apt's own;
- SCREENER_LAB_KEEP: leave logs and voicemail of every Asterisk in .lab/run.
"""
