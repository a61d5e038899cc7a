"""Another user of the same machine finds no token, no socket, no log and no port that takes his word."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import ray

from bioner_core.errors import PoolError
from pipelines.pool.pool_settings import PoolSettings
from pipelines.pool.ray_processes import check_private, private_ray_folder, token_file, use_private_token
from pipelines.pool.ray_session import ray_session

pytestmark = pytest.mark.slow

NOBODY = 65534


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder for this test, and no token from elsewhere."""
    monkeypatch.setenv("BIONER_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    return tmp_path / "state"


def test_the_token_is_made_for_its_owner_alone(own_state: Path) -> None:
    """Catches a token that the umask decides about, and a second one that locks out the pools of the first."""
    before = os.umask(0)
    try:
        use_private_token()
    finally:
        os.umask(before)
    assert token_file().is_relative_to(own_state)
    assert stat.S_IMODE(token_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(token_file().parent.stat().st_mode) == 0o700
    made = token_file().read_text()
    assert len(made) == 64
    use_private_token()
    assert token_file().read_text() == made
    assert os.environ["RAY_AUTH_TOKEN_PATH"] == str(token_file())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_token_that_others_can_read_is_refused(
    own_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """Catches work that goes on with a token that anybody on the machine may have."""
    use_private_token()
    token_file().chmod(mode)
    with pytest.raises(PoolError, match="runs code as you"):
        use_private_token()
    named = tmp_path / "named"
    named.write_text("x")
    named.chmod(mode)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(named))
    with pytest.raises(PoolError, match="runs code as you"):
        use_private_token()
    assert own_state.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_token_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Catches a token that another user has laid ready, who then knows it."""
    path = tmp_path / "token"
    path.touch(mode=0o600)
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(PoolError, match="another user"):
        check_private(path)


def test_the_folder_is_new_private_and_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches a folder that others may enter, and a path that leaves no room for the names of Ray's sockets."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 20)))
    folder = private_ray_folder()
    try:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(str(folder)) <= 50
    finally:
        folder.rmdir()


_OTHER_USER = """
import os, sys
os.setgid({nobody}); os.setuid({nobody})
opened = []
for root in {roots}:
    for place, folders, files in os.walk(root):
        opened += [os.path.join(place, name) for name in folders + files]
    try:
        opened += os.listdir(root)
    except PermissionError:
        pass
print(len(opened))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.usefixtures("importable_fakes")
def test_another_user_reads_nothing_of_a_running_ray(own_state: Path) -> None:
    """Catches the way in that was proven: the token, and the file with the port of Ray's store, read by any user."""
    before = os.umask(0o022)  # what most machines have: whatever is made without a mode is readable by everybody
    try:
        _check_nothing_is_readable(own_state)
    finally:
        os.umask(before)


def _check_nothing_is_readable(own_state: Path) -> None:
    with ray_session(PoolSettings(local_cpus=1)):
        folder = Path(ray._private.worker._global_node.get_temp_dir_path()).parent
        session = Path(ray._private.worker._global_node.get_session_dir_path())
        assert session.is_relative_to(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        roots = [str(folder), str(session), str(session / "sockets"), str(own_state / "ray")]
        code = _OTHER_USER.format(nobody=NOBODY, roots=roots)
        done = subprocess.run(
            [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stdout.strip() == "0", done.stderr
    assert not folder.exists()


_STRANGER = """
import os, sys
os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
os.environ |= {{"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": {token!r}}}
from ray._raylet import GcsClient
client = GcsClient(address={address!r})
client.internal_kv_put(b"planted", b"x", True, b"bioner", 10)
print(client.internal_kv_get(b"planted", b"bioner", 10))
"""


@pytest.mark.usefixtures("importable_fakes")
def test_a_wrong_token_opens_nothing(own_state: Path) -> None:
    """Catches a Ray whose port takes anybody's word: whoever writes to its table runs code in the actors."""
    answers = {}
    with ray_session(PoolSettings(local_cpus=1)) as address:
        for token in (token_file().read_text(), "0" * 64):
            code = _STRANGER.format(token=token, address=address)
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
            )
            answers[token] = done.stdout.strip()
    assert list(answers.values()) == ["b'x'", ""]
    assert own_state.is_dir()
