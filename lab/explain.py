"""Says what will happen in each kind of failure, from the configuration that nginx runs with.

Pure functions over the parsed site. Each statement names the setting that causes it, and the scenario that
shows it, so that it can be held against a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.nginx_config import Site


@dataclass(frozen=True)
class Statement:
    """What will happen in one kind of failure.

    Attributes:
        failure: the kind, in words.
        en, id: what users will see.
        cause: the setting behind it.
        scenario: the one that shows it.
        fails: whether requests will fail.
        stall_s: how long the slowest request may take because of it, in seconds.
    """

    failure: str
    en: str
    id: str
    cause: str
    scenario: str
    fails: bool
    stall_s: float


def explain(site: Site) -> tuple[Statement, ...]:
    """The statements for a site, for GET requests; one alone where the upstream is not used."""
    if not site.upstream:
        return (_ghost(site),)
    return (_refused(site), _hang(site), _silence(site), _error_page(site), _posts(site), _return(site))


def _ghost(site: Site) -> Statement:
    en, id = (words.format(site.proxy_pass) for words in _UNUSED)
    return Statement("any", en, id, f"proxy_pass {site.proxy_pass}", "ghost-upstream", False, 0)


def _refused(site: Site) -> Statement:
    hidden = "error" in site.next_upstream and _spare(site)
    return Statement("the app is dead (refused)", *_REFUSED[hidden], _next(site), "stop-app-voxy", not hidden, 0.5)


def _hang(site: Site) -> Statement:
    return _late(site, "the app hangs", "hang-voxy", site.read_timeout_s, "proxy_read_timeout")


def _silence(site: Site) -> Statement:
    return _late(site, "the link is cut (silence)", "cut-voxy", site.connect_timeout_s, "proxy_connect_timeout")


def _late(site: Site, failure: str, scenario: str, wait_s: float, setting: str) -> Statement:
    hidden = "timeout" in site.next_upstream and _spare(site)
    en, id = (words.format(wait_s) for words in _LATE[hidden])
    return Statement(failure, en, id, f"{setting} {wait_s:g}s, {_next(site)}", scenario, not hidden, wait_s + 0.5)


def _error_page(site: Site) -> Statement:
    hidden = "http_503" in site.next_upstream and _spare(site)
    return Statement("the app answers 503", *_ERRORS[hidden], _next(site), "error-voxy", not hidden, 0.5)


def _posts(site: Site) -> Statement:
    again = "non_idempotent" in site.next_upstream and _spare(site)
    return Statement("a POST is cut off", *_POSTS[again], _next(site), "duplicate-posts", not again, 0.5)


def _return(site: Site) -> Statement:
    longest = max((member.fail_timeout_s for member in site.members if member.max_fails), default=0)
    en, id = (words.format(longest) for words in _BACK)
    return Statement("the backend is back", en, id, f"fail_timeout {longest:g}s", "kill-voxy", False, 0)


def _spare(site: Site) -> bool:
    """Whether there is another member to ask."""
    return len([member for member in site.members if not member.down]) > 1 and site.tries != 1


def _next(site: Site) -> str:
    return f"proxy_next_upstream {' '.join(site.next_upstream)}"


Words = tuple[str, str]
_UNUSED: Words = (
    "The upstream is not used: every request goes to {}. Nothing is balanced or failed over.",
    "Upstream tidak dipakai: setiap permintaan pergi ke {}. Tidak ada yang dibagi atau dialihkan.",
)
_REFUSED: dict[bool, Words] = {
    True: (
        "nobody notices: nginx asks the next backend at once",
        "tidak ada yang merasakan: nginx langsung bertanya kepada backend lain",
    ),
    False: ("its requests fail with 502", "permintaannya gagal (502)"),
}
_LATE: dict[bool, Words] = {
    True: (
        "requests that meet it wait {:g} s, then another backend answers",
        "permintaan yang mengenainya menunggu {:g} detik, lalu backend lain menjawab",
    ),
    False: (
        "requests that meet it wait {:g} s, then fail with 504",
        "permintaan yang mengenainya menunggu {:g} detik, lalu gagal (504)",
    ),
}
_ERRORS: dict[bool, Words] = {
    True: (
        "nobody notices: nginx takes a 503 for a failure",
        "tidak ada yang merasakan: bagi nginx 503 adalah kegagalan",
    ),
    False: (
        "every 503 goes to a user: nginx takes it for an answer",
        "setiap 503 sampai ke pengguna: bagi nginx itu sebuah jawaban",
    ),
}
_POSTS: dict[bool, Words] = {
    True: (
        "a POST under way is sent again, and may be done twice",
        "POST yang sedang berjalan dikirim lagi, dan bisa dikerjakan dua kali",
    ),
    False: (
        "a POST under way fails: nginx does not send it again",
        "POST yang sedang berjalan gagal: nginx tidak mengirimnya lagi",
    ),
}
_BACK: Words = (
    "a backend that is back gets requests again within {:g} s",
    "backend yang hidup kembali menerima permintaan lagi dalam {:g} detik",
)
