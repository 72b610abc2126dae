"""The secret of the AMI user comes from where the password of the ARI user may come from, and is as well kept."""

from pathlib import Path

import pytest

from screener.asterisk.ami_settings import AmiSettings
from screener.config import ConfigError, load, parse
from screener.credentials import AMI, ami_secret, check_files

FILE = Path("screener.yaml")


def settings(**written: object) -> AmiSettings:
    return AmiSettings.model_validate({"user": "screener", **written})


def secret(of: AmiSettings, **environment: str) -> str:
    found = ami_secret(of, environment, FILE)
    assert found is not None
    return found.get_secret_value()


def test_the_secret_is_found_in_the_settings_a_file_the_environment_or_a_credential(tmp_path: Path) -> None:
    kept = tmp_path / AMI.credential
    kept.touch(0o600)
    kept.write_text("of the file\n")
    variable = {AMI.variable: "of the variable"}
    assert secret(settings(secret="written"), **variable) == "written"
    assert secret(settings(secret_file=kept), **variable) == "of the file"
    assert secret(settings(), **variable, CREDENTIALS_DIRECTORY=str(tmp_path)) == "of the variable"
    assert secret(settings(), CREDENTIALS_DIRECTORY=str(tmp_path)) == "of the file"


def test_without_a_user_no_secret_is_looked_for() -> None:
    assert ami_secret(AmiSettings(), {}, FILE) is None


def test_a_secret_that_is_nowhere_or_readable_by_everybody_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=rf"ami: no secret for the AMI user 'screener': set secret_file.*{AMI.variable}"
    ):
        ami_secret(settings(), {}, FILE)
    kept = tmp_path / "secret"
    with pytest.raises(ConfigError, match=r"ami\.secret_file: the secret's file .* cannot be read"):
        ami_secret(settings(secret_file=kept), {}, FILE)
    kept.touch(0o600)
    kept.write_text("x")
    kept.chmod(0o644)
    with pytest.raises(ConfigError, match=r"ami\.secret_file: .* readable by everybody: chmod 640"):
        ami_secret(settings(secret_file=kept), {}, FILE)


def test_a_configuration_with_a_secret_in_it_is_not_for_everybody(tmp_path: Path) -> None:
    file = tmp_path / "screener.yaml"
    file.touch(0o600)
    file.write_text('policy: {region: "US"}\nami: {user: screener, secret: "written"}\n')
    assert "written" not in repr(load(file))
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"ami\.secret: holds a password and is readable by everybody"):
        load(file)


def test_faults_of_the_section_are_told_at_their_lines_and_quote_no_secret() -> None:
    text = """policy: {region: "US"}
ami:
  user: screener
  secret: 4711
  trunks:
    - carrier
    - {endpoint: old, strip: nine}
    - {endpont: old}
"""
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f.yaml")
    told = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in told] == ["4", "7", "8", "8"]
    assert "expected text in quotes" in told[0]
    assert "4711" not in str(caught.value)
    assert "did you mean endpoint?" in str(caught.value)


def test_check_looks_at_the_secret_where_it_can_be_seen(tmp_path: Path) -> None:
    config = parse(
        f'policy: {{region: "US"}}\nami: {{user: screener, secret_file: {tmp_path / "none"}}}\n'.encode(), "f.yaml"
    )
    with pytest.raises(ConfigError, match=r"ami\.secret_file"):
        check_files(config, {}, FILE)
    seen = parse(b'policy: {region: "US"}\nami: {user: screener}\n')
    assert check_files(seen, {}, FILE) is None
