import dataclasses
import os
import threading
from pathlib import Path

import pytest

from tests.lab import mirror, root
from tests.lab.places import LabError, run_directory


def quiet(_: str) -> None:
    pass


def test_the_mirror_is_found_in_one_line_sources(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "# deb http://old.invalid/debian x main\n"
        "deb-src http://source.invalid/debian bookworm main\n"
        "deb [signed-by=/usr/share/keyrings/a.gpg] http://one.invalid/debian bookworm main\n"
        "deb http://tools.invalid/apt stable main\n"
    )
    assert list(mirror._sources(tmp_path)) == ["http://one.invalid/debian"]


def test_the_mirror_is_found_in_deb822_sources(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "debian.sources").write_text(
        "Types: deb\nURIs: http://two.invalid/debian\nSuites: trixie\nComponents: main\n"
    )
    assert list(mirror._sources(tmp_path)) == ["http://two.invalid/debian"]


def test_the_environment_may_name_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCREENER_LAB_MIRROR", "http://three.invalid/debian")
    assert mirror.debian_mirror(quiet) == "http://three.invalid/debian"


def test_security_archives_are_no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCREENER_LAB_MIRROR", raising=False)
    monkeypatch.setattr(
        mirror, "_index_targets", lambda: ["http://x.invalid/debian-security", "http://x.invalid/debian"]
    )
    assert mirror.debian_mirror(quiet) == "http://x.invalid/debian"


def test_without_a_mirror_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCREENER_LAB_MIRROR", raising=False)
    monkeypatch.setattr(mirror, "_index_targets", lambda: ["http://x.invalid/debian-security"])
    monkeypatch.setattr(mirror, "_sources", lambda _: iter(()))
    with pytest.raises(LabError, match="SCREENER_LAB_MIRROR"):
        mirror.debian_mirror(quiet)


@pytest.fixture
def fresh_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SCREENER_LAB_ROOT", raising=False)
    monkeypatch.setenv("SCREENER_LAB", str(tmp_path))
    return tmp_path


def build_in_no_time(target: Path, tree: root.Tree, builds: list[Path]) -> None:
    (target / "etc").mkdir(parents=True)
    (target / root.STAMP).write_text(tree.wanted)
    builds.append(target)


def test_a_tree_is_built_once_and_again_when_the_list_changes(fresh_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Path] = []

    def build(target: Path, tree: root.Tree, _: object) -> None:
        if target.exists():
            (target / root.STAMP).write_text(tree.wanted)
            builds.append(target)
        else:
            build_in_no_time(target, tree, builds)

    monkeypatch.setattr(root, "_build", build)
    assert root.ensure_root(quiet) == root.ensure_root(quiet) == fresh_lab / "root"
    assert len(builds) == 1
    monkeypatch.setattr(root, "ASTERISK", dataclasses.replace(root.ASTERISK, packages=("asterisk", "something-new")))
    root.ensure_root(quiet)
    assert len(builds) == 2


def test_of_two_that_want_it_one_builds_and_one_waits(fresh_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[Path] = []
    building, go_on, said = threading.Event(), threading.Event(), []

    def build(target: Path, tree: root.Tree, _: object) -> None:
        building.set()
        assert go_on.wait(5)
        build_in_no_time(target, tree, builds)

    def hear(line: str) -> None:
        said.append(line)
        go_on.set()

    monkeypatch.setattr(root, "_build", build)
    first = threading.Thread(target=root.ensure_root, args=(quiet,))
    first.start()
    assert building.wait(5)
    root.ensure_root(hear)
    first.join()
    assert len(builds) == 1
    assert said == ["another process is building the lab's root; waiting for it"]


def test_a_failed_build_leaves_no_tree_and_says_why(fresh_lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(root, "_ensure_mmdebstrap", lambda _: None)
    monkeypatch.setattr(root, "debian_mirror", lambda _: "http://x.invalid/debian")
    monkeypatch.setattr(root, "_mmdebstrap", lambda *_: ["sh", "-c", "echo 'E: no route'; exit 3"])
    with pytest.raises(LabError, match=r"(?s)ended with 3.*no route"):
        root.ensure_root(quiet)
    assert not (fresh_lab / "root").exists()


def test_directories_of_processes_that_are_no_more_are_removed(fresh_lab: Path) -> None:
    gone = fresh_lab / "run" / "pbx.999999999"
    gone.mkdir(parents=True)
    mine = run_directory("pbx")
    assert mine.is_dir()
    assert not gone.exists()
