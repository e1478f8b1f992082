"""Copies of pictures over real HTTP: what is kept, what is refused, what is asked for again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest

from crawler.items import iso
from pipelines.archive.lock import open_locked
from pipelines.images.paths import path_of
from pipelines.verifying.verify import verify
from tests.site import Site
from tests.support.commands import Run, alsoread, here
from tests.support.interrupting import wait_for
from tests.support.pictures import ANSWERS, HOST, OF_TYPES, PNG, Pictures, archive, copies, fetch, moved, rows

WRONG_TYPE = "refused: wrong-type: the response, sent as .*, is not a supported image type"
NOWHERE = "refused: scope: "
OUTCOMES = {
    **{f"/loaf.{extension}": "stored" for extension in OF_TYPES},
    "/webp.jpg": "stored",
    "/show.php?id=7": "stored",
    "/bomb.png": "stored",  # nothing decodes it
    "/moved.png": "stored",
    "/script.svg": WRONG_TYPE,
    "/svg.png": WRONG_TYPE,
    "/html.png": WRONG_TYPE,
    "/words.bmp": WRONG_TYPE,
    "/empty.png": "failed: the response has no body",
    "/short.png": "failed: the response ended early",
    "/cut.png": "failed: the response ended early",
    "/unmarked.png": "failed: the response ended early, or its end was not marked",
    "/large.png": "refused: too-large: .* is over 10485760 bytes",
    "/404.png": "gone: the server answers 404 Not Found",
    "/410.png": "gone: the server answers 410 Gone",
    "/500.png": "failed: the server answers 500 Internal Server Error",
    "/304.png": "failed: 304 Not Modified to a request that did not ask for it",
    "/downgraded.png": "failed: redirects to 'http://elsewhere.example/loaf.png', which was not followed",
    "/moved-often.png": "failed: redirects to 'https://elsewhere.example/loaf.png', which was not followed",
    "/loop.png": "failed: redirects to .*/loop.png', which was not followed",
    "/nowhere.png": "failed: redirects to .*, which was not followed",
    "/to-file.png": f"{NOWHERE}file:///etc/passwd is not on the open web",
    "/to-data.png": f"{NOWHERE}data:image/png;base64,.* is not on the open web",
    "/to-broken.png": f"{NOWHERE}'https://.broken/loaf.png' is no address on the web",
    "/to-private.png": "refused: robots: robots.txt of star.example disallows /private/loaf.png",
}
ELSEWHERE = {
    "http://pictures.example/loaf.png": "stored",
    "https://pictures.example/loaf.png#top": "stored",
    "https://star.example/loaf.png": "stored",
    "https://star.example/private/loaf.png": "refused: robots: .*",
    "https://500.example/loaf.png": "failed: robots.txt of 500.example could not be read .500.: .*",
    "https://redirect.example/loaf.png": "stored",  # its robots.txt lies on another host
    "https://pictures.example:8443/loaf.png": f"{NOWHERE}.* is not on the open web",
    "https://user:secret@pictures.example/loaf.png": f"{NOWHERE}.* is not on the open web",
    "ftp://pictures.example/loaf.png": f"{NOWHERE}.* is not on the open web",
    "file:///etc/passwd": f"{NOWHERE}file:///etc/passwd is not on the open web",
    "http://[broken/loaf.png": f"{NOWHERE}.* is no address on the web",
    "/images/loaf.png": f"{NOWHERE}'/images/loaf.png' is no address on the web",
    f"https://pictures.example/{'a/' * 1100}loaf.png": "refused: trap: .*",
}
EMBEDDED = f"data:image/png;base64,{'A' * 5_000_000}"


@pytest.fixture(scope="module")
def server() -> Iterator[Pictures]:
    with Pictures() as server:
        yield server


@pytest.fixture(scope="module")
def fetched(server: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shown = [*(HOST + path for path in OUTCOMES), *ELSEWHERE, EMBEDDED]
    data = archive(tmp_path_factory.mktemp("pictures"), shown)
    done = fetch(data, server.url)
    assert done.returncode == 0
    assert re.fullmatch(
        r".*: 15 fetched, 11 failed, 17 refused, 2 gone, 0 already there\.\n"
        r"( +\d+ .*\n +as .*\n){5}All reasons: .*\nFailed images are tried again from .* UTC: .*\n",
        done.stdout,
    )
    return data


@pytest.mark.parametrize("url", [*(HOST + path for path in OUTCOMES), *ELSEWHERE])
def test_a_picture_has_its_outcome(fetched: Path, url: str) -> None:
    expected = ELSEWHERE.get(url) or OUTCOMES[url.removeprefix(HOST)]
    ((state, error),) = rows(fetched, "state, error", f"url = '{url}'")
    assert re.fullmatch(expected, f"{state}: {error}" if error else state)


def test_every_picture_has_a_row_but_one_that_is_its_own_address(fetched: Path) -> None:
    assert len(rows(fetched)) == len(OUTCOMES) + len(ELSEWHERE)
    assert set(OUTCOMES) <= set(ANSWERS)


def test_what_could_not_be_fetched_is_said_with_its_reason(server: Pictures, tmp_path: Path) -> None:
    private = [f"https://star.example/private/{number}.png" for number in range(3)]
    shown = [*private, f"{HOST}/404.png", f"{HOST}/410.png", f"{HOST}/loaf.png"]
    archive(tmp_path, shown)
    copytree(tmp_path, tmp_path / "twin")
    done = fetch(tmp_path, server.url)
    assert (
        done.stdout.splitlines()[1:3]
        == f"""\
        3 robots: robots.txt of star.example disallows its path
          as {private[0]}""".splitlines()
    )
    assert "        1 the server answers 410 Gone\n" in done.stdout
    result = json.loads(fetch(tmp_path / "twin", server.url, "--json").stdout)
    reasons = {failure["name"]: failure["reason"] for failure in result.pop("failures")}
    assert reasons == dict(rows(tmp_path, "url, error", "state <> 'stored'"))
    assert result == {
        "fetched": 1,
        "failed": 0,
        "refused": 3,
        "gone": 2,
        "existing": 0,
        "left": 0,
        "postponed": 0,
        "next_try": None,
        "exit_code": 0,
    }


def test_placeholders_that_older_versions_stored_are_not_requested(server: Pictures, tmp_path: Path) -> None:
    placeholder = f"{HOST}/articles/data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP"
    before = len(server.pictures)
    done = fetch(archive(tmp_path, [placeholder, f"{HOST}/loaf.png"], thumbnail=placeholder), server.url)
    assert "1 fetched, 0 failed, 0 refused, 0 gone, 0 already there." in done.stdout
    assert len(server.pictures) == before + 1
    assert rows(tmp_path, "url") == [(f"{HOST}/loaf.png",)]


def test_the_archive_holds_what_was_sent_and_nothing_else(fetched: Path) -> None:
    found = copies(fetched)
    stored = rows(fetched, "url, path, hash, bytes, type", "state = 'stored'")
    assert sorted(found) == sorted(path for _, path, *_ in stored)
    for extension, body in OF_TYPES.items():
        assert found[f"pictures.example/loaf.{extension}"] == body
    assert found[str(path_of(f"{HOST}/moved.png", "image/png"))] == PNG
    assert [finding.what for finding in verify(fetched)] == []


@pytest.mark.usefixtures("fetched")
def test_pictures_are_asked_for(server: Pictures) -> None:
    asked = {hit.headers["accept"] for hit in server.hits if hit.target != "/robots.txt"}
    assert asked == {"image/*,*/*;q=0.5"}


def test_what_failed_is_asked_for_again_and_nothing_else(fetched: Path, server: Pictures) -> None:
    before = len(server.pictures)
    done = fetch(fetched, server.url)
    assert "0 fetched, 11 failed, 0 refused, 0 gone, 15 already there." in done.stdout
    assert done.returncode == 3
    asked = {asked.partition("/")[2] for asked in server.pictures[before:]}
    assert "loaf.png" not in asked
    assert not asked & {"404.png", "html.png"}
    assert {*rows(fetched, "attempts", "state = 'failed'")} == {(2,)}


def test_a_private_address_is_not_connected_to_also_by_a_redirect(tmp_path: Path) -> None:
    """Not through ALSOREAD_CONNECT_TO, which connects to loopback alone."""
    hosts = ["127.0.0.1", "localhost", "2130706433", "169.254.169.254", "[::ffff:127.0.0.1]"]
    with Pictures() as server:
        server.answers = ANSWERS | {
            f"/to-{number}.png": moved(f"http://{host}:{server.port}/loaf.png")
            for number, host in enumerate(hosts)
        }
        here_is = f"http://pictures.example:{server.port}"
        shown = [f"{here_is}/to-{number}.png" for number in range(len(hosts))]
        shown += [f"http://{host}:{server.port}/loaf.png" for host in hosts]
        data = archive(tmp_path, [f"{here_is}/loaf.png", *shown])
        subprocess.run([sys.executable, "-W", "error", "-c", _OPEN, data], check=True)
        assert {hit.host for hit in server.hits} == {f"pictures.example:{server.port}"}
        assert rows(data, "url", "state = 'stored'") == [(f"{here_is}/loaf.png",)]
    refused = rows(data, "url, error", "state = 'refused'")
    assert sorted(url for url, _ in refused) == sorted(shown)
    assert {error[:8] for _, error in refused} == {"address:"}


_OPEN = """
import sys
from pathlib import Path
from crawler.runs.images import fetch
from crawler.runs.crawl import settings_with
from pipelines.archive.lock import open_locked
options = {"ALSOREAD_DATA": sys.argv[1], "ALSOREAD_RATE": 0, "DOWNLOAD_DELAY": 0, "AUTOTHROTTLE_ENABLED": False}
settings = settings_with(options | {"TWISTED_DNS_RESOLVER": "tests.support.pictures.OneName"})
settings["DOWNLOADER_MIDDLEWARES"]["crawler.downloader.middlewares.Scope"] = None  # which knows no port but the web's
with open_locked(Path(sys.argv[1]) / "archive.db") as db:
    fetch(db, settings, hosts=[], most=None, watch=lambda done, count: None)
"""


def test_a_host_that_asks_for_it_is_left_alone(server: Pictures, tmp_path: Path) -> None:
    before = len(server.pictures)
    shown = [f"https://busy.example/429.png?{number}" for number in range(60)]
    server.answers = ANSWERS | {f"/429.png?{number}": ANSWERS["/429.png"] for number in range(60)}
    done = fetch(archive(tmp_path, [*shown, f"{HOST}/loaf.png"]), server.url)
    asked = len(server.pictures) - before - 1
    assert asked < 20, "those that were under way when it said so"
    assert f"1 fetched, {asked} failed" in done.stdout
    assert (
        f"{60 - asked} are left; run the same command to resume.\n{60 - asked} of them are on" in done.stdout
    )
    assert f"{asked} the server answers 429 Too Many Requests\n" in done.stdout
    soon = iso(datetime.now(UTC) + timedelta(seconds=900))
    assert {due_at > soon for (due_at,) in rows(tmp_path, "due_at", "state = 'failed'")} == {True}
    again = fetch(tmp_path, server.url, "--max", "1")
    assert "0 fetched, 1 failed, 0 refused, 0 gone, 1 already there.\n" in again.stdout
    assert f"\n{59 - asked} are left; run the same command to resume.\n" in again.stdout


def test_only_what_articles_of_some_hosts_show(server: Pictures, tmp_path: Path) -> None:
    archive(tmp_path, [f"{HOST}/loaf.gif"], "https://two.techidaily.com/jam/", thumbnail=f"{HOST}/loaf.jpg")
    archive(tmp_path, [f"{HOST}/loaf.png"])
    fetch(tmp_path, server.url, "--host", "two.*", "--quiet")
    assert rows(tmp_path, "url") == [(f"{HOST}/loaf.gif",), (f"{HOST}/loaf.jpg",)]


def test_what_can_not_be_done_is_said(tmp_path: Path, server: Pictures) -> None:
    assert here("images", "--data", tmp_path / "none").exit_code == 2
    data = archive(tmp_path / "data", [f"{HOST}/loaf.png"])
    with open_locked(data / "archive.db"):
        assert here("images", "--data", data).exit_code == 5
    (data / "images").write_text("in the way")
    done = alsoread("images", "--data", data, "--connect-to", server.url)
    assert done.returncode == 6
    assert done.stderr.startswith(f"alsoread: {data / 'images'}")
    assert "Traceback" not in done.stderr
    assert rows(data) == []


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """The demo network's archive, without copies."""
    return copytree(run.data, tmp_path / "data")


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_interrupted_it_goes_on(data: Path, network: Path, number: signal.Signals) -> None:
    with Site(network) as site:
        command = [sys.executable, "-m", "crawler", "images", "--data", str(data), "--connect-to", site.url]
        with subprocess.Popen(
            [*command, "--rate", "25"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as first:
            wait_for(lambda: bool(rows(data)) and len(rows(data)) > 8)
            first.send_signal(number)
            out, err = first.communicate(timeout=30)
        assert "Traceback" not in err
        if number != signal.SIGKILL:
            assert first.returncode == 11
            assert "Interrupted; run the same command to resume." in out
            assert len(_asked(site)) == len(rows(data)), "what was asked for is settled"
        stored = len(rows(data, where="state = 'stored'"))
        assert 8 < stored < 58
        done = fetch(data, site.url)
        assert re.search(rf": {58 - stored} fetched, .* {stored} already there", done.stdout) or (
            number == signal.SIGKILL and " 0 failed, 0 refused" in done.stdout
        ), done.stdout
        assert len(_asked(site)) - len(set(_asked(site))) <= (8 if number == signal.SIGKILL else 0)
    assert len(rows(data, where="state = 'stored'")) == len(copies(data)) == 58
    assert [finding.what for finding in verify(data)] == []


@pytest.mark.long
def test_interrupted_twice_it_stops_at_once(tmp_path: Path) -> None:
    data = archive(tmp_path, [f"{HOST}/silent/", f"{HOST}/loaf.png"])
    with Pictures() as server:
        command = [sys.executable, "-m", "crawler", "images", "--data", str(data), "--connect-to", server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as images:
            wait_for(lambda: len(server.pictures) == 2 and bool(rows(data)))
            images.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                images.wait(0.5)  # it waits for the answer
            images.send_signal(signal.SIGINT)
            out, err = images.communicate(timeout=10)
    assert images.returncode == 13
    assert "Interrupted; run the same command to resume." in out
    assert "Traceback" not in err
    assert rows(data, "url") == [(f"{HOST}/loaf.png",)]


def test_the_rate_holds_over_all_hosts(tmp_path: Path) -> None:
    data = archive(tmp_path, [f"https://h{number}.example/loaf.png" for number in range(6)])
    with Pictures() as server:
        fetch(data, server.url, "--rate", "20")
        times = [hit.time for hit in server.hits]
    assert len(times) == 12  # robots.txt counts too
    assert times[-1] - times[0] > 0.4  # 11 times 0.05; a busy machine may be late to note the first


def _asked(site: Site) -> list[str]:
    return [asked.path for asked in site.log if asked.path != "/robots.txt"]
