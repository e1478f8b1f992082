"""Notifications, sent to a real server: what arrives, and what is reported if nothing does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qs

import pytest
from apprise import Apprise

from crawler.config.file import read_config
from crawler.reports.notify import send, send_report
from crawler.runs.crawl import Report
from pipelines.archive.alarms import Alarm
from pipelines.archive.catalog import COUNTS
from tests.support.commands import alsoread

TITLE = "alsoread: 2 alarms in crawl 12"
TEXT = "two.techidaily.com: <b>no</b> author on *3* of 3 pages\n  https://two.techidaily.com/a_b_c/\n\n:smile: \\n"
SECRETS = ("ann", "hunter22", "t0k3n-in-a-path", "in a query")
PLACE = "/hook/t0k3n-in-a-path?+X-Key=in%20a%20query"


class Message(NamedTuple):
    path: str
    kind: str
    body: str


class Receiver:
    """A webhook on loopback that keeps its messages, and refuses those to `/refused`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.place = f"127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.messages.append(Message(self.path, self.headers["Content-Type"], body))
                self.send_response(403 if self.path == "/refused" else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    open_one = Receiver()
    yield open_one
    open_one.close()


class Mailbox(StreamRequestHandler):
    """A mail server on loopback that accepts every mail."""

    letters: list[EmailMessage]

    def handle(self) -> None:
        self._say("220 ready")
        while command := self.rfile.readline().decode().strip():
            if command.upper() == "DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.letters.append(message_from_bytes(b"".join(lines), policy=default))
            self._say("221 bye" if command.upper() == "QUIT" else "250 well")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def mailbox() -> Iterator[tuple[str, list[EmailMessage]]]:
    """Address of a mail server, and the mails that it received."""
    letters: list[EmailMessage] = []
    handler = type("Mailbox", (Mailbox,), {"letters": letters})
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield "127.0.0.1:{1}".format(*server.server_address), letters
        server.shutdown()


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    gone = Receiver()
    gone.close()
    return gone.place


LOST = Alarm(
    kind="author",
    host="two.techidaily.com",
    message="two.techidaily.com: 3 of 3 articles lost their author.",
    pages=("https://two.techidaily.com/a/", "https://two.techidaily.com/b/"),
)
UNREAD = Alarm(kind="sitemaps", message="1 sitemap could not be read.")


def report(*alarms: Alarm, exit_code: int = 0) -> Report:
    crawl = {"id": 12, **dict.fromkeys(COUNTS, 0), "pages": 310, "new": 12, "not_modified": 298}
    return Report(
        crawl=crawl,
        seconds=61.5,
        articles=7900,
        due=3,
        next_due=None,
        unreachable=[],
        alarms=list(alarms),
        log=Path("data/logs/crawl.log"),
        exit_code=exit_code,
    )


def test_every_address_gets_the_unchanged_text(receiver: Receiver, capfd: pytest.CaptureFixture[str]) -> None:
    assert send([f"json://{receiver.place}/one", f"form://{receiver.place}/two"], TITLE, TEXT) == []
    as_json, as_form = receiver.messages
    assert (as_json.path, as_json.kind) == ("/one", "application/json")
    message = json.loads(as_json.body)
    assert (message["title"], message["message"]) == (TITLE, TEXT)
    assert as_form.path == "/two"
    fields = parse_qs(as_form.body)
    assert (fields["title"], fields["message"]) == ([TITLE], [TEXT])
    assert capfd.readouterr() == ("", "")


def test_a_mail_has_the_unchanged_text(mailbox: tuple[str, list[EmailMessage]]) -> None:
    place, letters = mailbox
    assert send([f"mailto://{place}?from=alsoread@example.org&to=ann@example.org"], TITLE, TEXT) == []
    (letter,) = letters
    assert (letter["Subject"], letter["To"]) == (TITLE, "ann@example.org")
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().splitlines() == TEXT.splitlines()


def test_a_failing_address_is_reported_without_secrets_and_the_others_get_the_text(
    receiver: Receiver, nowhere: str, capfd: pytest.CaptureFixture[str]
) -> None:
    urls = [
        f"json://ann:hunter22@{nowhere}{PLACE}",
        f"json://{receiver.place}/refused",
        "hunter22",
        "nosuchservice://ann:hunter22@example.org",
        f"form://{receiver.place}/well",
    ]
    problems = send(urls, TITLE, TEXT)
    assert [line.partition(")")[0] for line in problems] == [
        "Address 1 of notify.urls (json://…",
        "Address 2 of notify.urls (json://…",
        "Address 3 of notify.urls (…",
        "Address 4 of notify.urls (nosuchservice://…",
    ]
    assert "Connection error" in problems[0]
    assert "403" in problems[1]
    assert problems[3].endswith(") is not a valid address of apprise.")
    assert receiver.messages[-1].path == "/well"
    assert [secret for secret in SECRETS if secret in " ".join(problems)] == []
    assert capfd.readouterr() == ("", "")


def test_the_addresses_in_the_docs_are_valid() -> None:
    document = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    addresses = re.findall(r"^\| `(\w+://\S+)` \|", document, re.MULTILINE)
    assert len(addresses) >= 8
    assert [address for address in addresses if Apprise.instantiate(address) is None] == []


def test_the_command_sends_its_standard_input(receiver: Receiver, nowhere: str, tmp_path: Path) -> None:
    urls = [f"json://{receiver.place}/", f"json://ann:hunter22@{nowhere}{PLACE}"]
    (tmp_path / "alsoread.toml").write_text(f"[notify]\nurls = {json.dumps(urls)}\n")
    command = [sys.executable, "-m", "crawler.reports.notify", str(tmp_path), TITLE]
    done = subprocess.run(command, input=TEXT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Address 2 of notify.urls (json://…) was not reached: ")
    assert [secret for secret in SECRETS if secret in line] == []
    assert json.loads(receiver.messages[0].body)["message"] == TEXT


def test_a_test_message_reaches_who_it_can_and_says_so(
    receiver: Receiver, nowhere: str, tmp_path: Path
) -> None:
    urls = [f"json://{receiver.place}/", f"json://ann:hunter22@{nowhere}{PLACE}"]
    (tmp_path / "alsoread.toml").write_text(f"[notify]\nurls = {json.dumps(urls)}\n")
    done = alsoread("notify", "--test", "--data", tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    reached, lost = done.stdout.splitlines()
    assert reached == "Address 1 of notify.urls (json://…) got the message."
    assert lost.startswith("Address 2 of notify.urls (json://…) was not reached: ")
    assert [secret for secret in SECRETS if secret in done.stdout] == []
    assert json.loads(receiver.messages[0].body)["title"] == "alsoread: a test"
    assert str(tmp_path) in json.loads(receiver.messages[0].body)["message"]

    (tmp_path / "alsoread.toml").write_text(f"[notify]\nurls = {json.dumps(urls[:1])}\n")
    assert alsoread("notify", "--test", "--data", tmp_path).returncode == 0
    (tmp_path / "alsoread.toml").write_text("")
    unset = alsoread("notify", "--test", "--data", tmp_path)
    assert (unset.returncode, unset.stdout) == (2, "")
    assert "has no notify.urls" in unset.stderr


def test_a_mistake_in_the_settings_is_reported(tmp_path: Path) -> None:
    (tmp_path / "alsoread.toml").write_text("[notify]\nurl = []\n")
    command = [sys.executable, "-m", "crawler.reports.notify", str(tmp_path), TITLE]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"alsoread: {tmp_path}/alsoread.toml: notify.url is not a known option")


def test_a_run_with_alarms_sends_them_with_its_counts_and_exit_code(
    receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "alsoread.toml").write_text(f'[notify]\nurls = ["json://{receiver.place}/"]\n')
    assert send_report(report(LOST, UNREAD, exit_code=1), read_config(tmp_path), tmp_path) == []
    message = json.loads(receiver.messages[0].body)
    assert message["title"] == TITLE
    assert message["message"].splitlines() == [
        "two.techidaily.com: 3 of 3 articles lost their author.",
        "  https://two.techidaily.com/a/",
        "  https://two.techidaily.com/b/",
        "",
        "1 sitemap could not be read.",
        "",
        f"Crawl 12 of {tmp_path}: 310 pages, 12 new, 298 not modified.",
        "The archive holds 7,900 articles; 3 pages are due.",
        "It ended with exit code 1: finished, with alarms.",
        f"Log: {Path.cwd()}/data/logs/crawl.log",
    ]


@pytest.mark.parametrize(
    ("ending", "on", "title"),
    [
        (report(), "alarms", None),
        (report(exit_code=11), "alarms", None),
        (
            report(exit_code=3),
            "alarms",
            "alsoread: crawl 12 ended with exit code 3: nothing could be fetched",
        ),
        (report(), "always", "alsoread: crawl 12 finished"),
        (report(UNREAD, exit_code=11), "alarms", "alsoread: 1 alarm in crawl 12"),
    ],
)
def test_a_run_is_reported_if_the_settings_ask_for_it(
    receiver: Receiver, tmp_path: Path, ending: Report, on: str, title: str | None
) -> None:
    (tmp_path / "alsoread.toml").write_text(f'[notify]\nurls = ["json://{receiver.place}/"]\non = "{on}"\n')
    assert send_report(ending, read_config(tmp_path), tmp_path) == []
    assert [json.loads(message.body)["title"] for message in receiver.messages] == ([title] if title else [])
