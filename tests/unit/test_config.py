"""lab.toml: every mistake gives one sentence that names file, key and mend."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lab import config
from lab.apps.profile import resolve
from lab.errors import TopologyError, UsageError
from lab.topology import Access, Lab
from tests.fakes import default_hosts, host_table

Table = dict[str, Any]

SAMPLE = """
name = "course"
provider = "lxc"
subnet = "10.9.0.0/24"
domain = "site.example"
ca_bundle = "~/ca.pem"
dns = ["9.9.9.9"]
host = [
  { name = "akuma", address = "10.9.0.10", roles = ["balancer", "backend"], cpus = 2, memory_mb = 512 },
  { name = "voxy", address = "10.9.0.11", roles = ["backend"], weight = 3 },
  { name = "zero", address = "10.9.0.12", roles = ["backend"], backup = true },
]
upstream = { name = "site", method = "least_conn", max_fails = 2, fail_timeout_s = 5, connect_timeout_s = 0.5,
  read_timeout_s = 2, next_upstream = ["error", "http_502"], tries = 2, zone_kb = 64, keepalive = 8 }
app = { name = "hello", mode = "dev", port = 8080, user = "student" }
box = { suite = "bookworm", mirror = "http://mirror/debian", virtualbox = "a/b", libvirt = "c/d" }
versions = { node = "22.20", pm2 = "^7.0.0" }
""".replace("\n  ", " ").replace(",\n]", "]")


def _with(index: int, **changes: object) -> Table:
    """The default hosts, one of them changed."""
    hosts = default_hosts()
    hosts[index] = {**hosts[index], **changes}
    return {"host": hosts}


def _both_roles() -> Table:
    return _with(0, roles=["balancer", "backend"])


FAULTS: dict[str, tuple[Table, str]] = {
    "unknown key": ({"nmae": "x"}, "lab.toml: nmae: there is no such key; did you mean name?"),
    "unknown key of a table": (
        {"upstream": {"mehtod": "ip_hash"}},
        "lab.toml: upstream.mehtod: there is no such key; did you mean method?",
    ),
    "unknown key of a host": (
        _with(1, wieght=2),
        "lab.toml: host[1] (voxy).wieght: there is no such key; did you mean weight?",
    ),
    "host name": (
        _with(1, name="Voxy_1"),
        "lab.toml: host[1] (Voxy_1).name: 'Voxy_1' is no DNS label; use a to z, 0 to 9 and inner hyphens",
    ),
    "port": ({"app": {"port": 70000}}, "lab.toml: app.port: 70000 will not do; input should be less than or equal to"),
    "weight": (_with(1, weight=0), "lab.toml: host[1] (voxy).weight: 0 will not do; input should be greater than or"),
    "no balancer": (
        {"host": default_hosts()[1:]},
        'lab.toml: host: no host is the balancer; give one of them roles = ["balancer"]',
    ),
    "no host": ({"host": []}, 'lab.toml: host: no host is the balancer; give one of them roles = ["balancer"]'),
    "two balancers": (
        _with(1, roles=["balancer"]),
        "lab.toml: host: akuma and voxy are both balancers; keep the role on one of them",
    ),
    "no backend": (
        {"host": default_hosts()[:1]},
        'lab.toml: host: no host is a backend; give at least one of them roles = ["backend"]',
    ),
    "name twice": (_with(2, name="voxy"), "lab.toml: host: two hosts are called voxy; give each its own name"),
    "address twice": (
        _with(2, address="192.168.56.11"),
        "lab.toml: host: voxy and zero both have 192.168.56.11; give each its own address",
    ),
    "method": (
        {"upstream": {"method": "leastconn"}},
        "lab.toml: upstream.method: 'leastconn' is not one of round_robin, least_conn, ip_hash, random; "
        "did you mean least_conn?",
    ),
    "provider": ({"provider": "libvrt"}, "did you mean libvirt?"),
    "role": (_with(1, roles=["backnd"]), "(voxy).roles[0]: 'backnd' is not one of balancer, backend; did you mean"),
    "backup with ip_hash": (
        {**_with(1, backup=True), "upstream": {"method": "ip_hash"}},
        "lab.toml: upstream.method: nginx refuses backup servers with ip_hash; use round_robin",
    ),
    "all backups": (
        {"host": [default_hosts()[0], host_table("voxy", 11, "backend", backup=True)]},
        "lab.toml: host: every backend is a backup; set backup = false on at least one",
    ),
    "root": ({"app": {"user": "root"}}, "lab.toml: app.user: the app must not run as root; name another user"),
    "port 80 twice": (
        {**_both_roles(), "app": {"port": 80}},
        "lab.toml: app.port: akuma is also the balancer, where nginx has port 80; choose another",
    ),
    "ssh_user elsewhere": (
        {"ssh_user": "ubuntu"},
        'lab.toml: ssh_user: is only for machines that are there already; write provider = "existing", or leave it out',
    ),
    "host_key elsewhere": (_with(1, host_key=f"SHA256:{'a' * 43}"), "lab.toml: host_key: is only for machines that"),
    "no ssh_user": (
        {"provider": "existing"},
        "lab.toml: host: akuma has no ssh_user; name the user that you log in as, there or at the top for all",
    ),
    "no machine's address": (
        {"provider": "existing", "ssh_user": "pi", **_with(1, address="127.0.0.1")},
        "lab.toml: host: voxy's address 127.0.0.1 is no machine's; give the one that its neighbours reach",
    ),
    "no host key": (
        {"provider": "existing", "ssh_user": "pi", **_with(1, host_key="SHA256:x")},
        "lab.toml: host[1] (voxy).host_key: is no host key; write SHA256:… as ssh-keygen -l prints it, or the line",
    ),
    "missing key": (
        {"host": [{"name": "voxy", "roles": ["backend"]}]},
        "lab.toml: host[0] (voxy).address: is missing; add it",
    ),
    "text for a number": (_with(1, cpus="two"), "lab.toml: host[1] (voxy).cpus: 'two' will not do; input should be"),
    "number for a text": ({"domain": 5}, "lab.toml: domain: 5 will not do; input should be a valid string"),
    "value for a table": ({"app": 3}, "lab.toml: app: 3 will not do"),
    "no address": (_with(1, address="1.2.3"), "(voxy).address: '1.2.3' will not do; input is not a valid IPv4 address"),
    "engine elsewhere": (
        {"provider": "lxc", "engine": {"pool": "fast"}},
        'lab.toml: engine: is only for machines that LXD makes; write provider = "lxd", or leave the table out',
    ),
    "engine.url": (
        {"engine": {"url": "http://10.0.0.1"}},
        "lab.toml: engine.url: 'http://10.0.0.1' will not do; write https://NAME:8443, or the path of a socket",
    ),
    "engine.trust": (
        {"engine": {"url": "https://10.0.0.1:8443"}},
        "lab.toml: engine.trust: name the folder with client.crt, client.key and server.crt (lab engine join makes",
    ),
    "engine.address": ({"engine": {"address": "127.0.0.1"}}, "lab.toml: engine.address: 127.0.0.1 is no address"),
    "engine.address of 300": ({"engine": {"address": "10.0.0.300"}}, "engine.address: 10.0.0.300 is no address"),
    "engine.supernet": ({"engine": {"supernet": "10.96.0.1/14"}}, "engine.supernet: 10.96.0.1/14 is no network; write"),
    "engine.network": ({"engine": {"network": "Lab_1"}}, "engine.network: 'Lab_1' will not do; write at most 15 small"),
    "engine.member": ({"engine": {"member": "m 1"}}, "lab.toml: engine.member: 'm 1' will not do; write letters,"),
    "engine.ports": ({"engine": {"ports": 22}}, "lab.toml: engine.ports: 22 is a port of the member's own services"),
    "engine.ports for all": (
        {
            "engine": {"ports": 20000, "address": "10.0.0.1"},
            "host": [default_hosts()[0], *(host_table(f"b{n}", n, "backend") for n in range(20, 28))],
        },
        "lab.toml: engine.ports: there are ports for 8 hosts, and the lab has 9; set ports = 0",
    ),
    "engine.ports of nobody": ({"engine": {"ports": 20000}}, "lab.toml: engine.address: ports need the address that"),
    "engine.disk_gb": ({"engine": {"disk_gb": 0}}, "lab.toml: engine.disk_gb: 0 will not do; input should be greater"),
    "engine's key": ({"engine": {"pol": "x"}}, "lab.toml: engine.pol: there is no such key; did you mean pool?"),
    "no subnet": ({"subnet": "192.168.56.7/24"}, "lab.toml: subnet: '192.168.56.7/24' will not do"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_mistake_gives_one_sentence(table: Table, expected: str) -> None:
    """File, key, what is wrong, and the mend; one line, whatever follows from the mistake."""
    with pytest.raises(TopologyError) as caught:
        config.parse(table)
    said = str(caught.value)
    assert expected in said
    assert said.startswith("lab.toml: ")
    assert [said] == said.splitlines()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.168.57.11", "outside the subnet 192.168.56.0/24"),
        ("192.168.56.1", "is reserved; 192.168.56.1 is this computer's"),
        ("192.168.56.0", "is reserved"),
        ("192.168.56.255", "is reserved"),
    ],
)
def test_an_address_that_no_host_can_have_is_refused(address: str, reason: str) -> None:
    """Outside the subnet, the gateway, and the subnet's two ends; the sentence names host and address."""
    with pytest.raises(TopologyError) as caught:
        config.parse(_with(1, address=address))
    assert f"lab.toml: host: voxy's address {address}" in str(caught.value)
    assert reason in str(caught.value)


def test_machines_that_are_there_already_have_their_own_network() -> None:
    """Any addresses, a host's own access before the lab's, and load for the balancer alone."""
    lab = config.parse({
        "provider": "existing", "ssh_user": "ubuntu", "ssh_port": 2222,
        **_with(1, address="10.0.0.7", ssh_user="pi", ssh_key="~/pi", ssh_port=22),
    })  # fmt: skip
    assert lab.access(lab["voxy"]) == Access("pi", "~/pi", 22)
    assert lab.access(lab["zero"]) == Access("ubuntu", "~/.ssh/id_ed25519", 2222)
    assert (str(lab.reach), str(Lab().reach)) == ("192.168.56.10/32", "192.168.56.0/24")


def test_an_address_outside_the_subnet_comes_with_a_mend() -> None:
    """The sentence says what to do, as all others do."""
    with pytest.raises(TopologyError, match=r"[;→].*(choose|change|give|use|move)"):
        config.parse(_with(1, address="192.168.57.11"))


def test_a_version_is_not_called_a_dns_label() -> None:
    """A pattern that is no name's pattern gets a sentence of its own."""
    with pytest.raises(TopologyError) as caught:
        config.parse({"versions": {"node": "latest"}})
    assert "versions.node" in str(caught.value)
    assert "DNS label" not in str(caught.value)


def test_next_upstream_needs_a_word() -> None:
    """Nginx refuses `proxy_next_upstream ;`, so lab.toml does."""
    with pytest.raises(TopologyError, match="next_upstream"):
        config.parse({"upstream": {"next_upstream": []}})


def test_two_mistakes_give_two_sentences() -> None:
    """Each is named, so that both can be mended at once."""
    with pytest.raises(TopologyError) as caught:
        config.parse({"nmae": "x", "app": {"port": 0}})
    assert sorted(line.split(":")[1].strip() for line in str(caught.value).splitlines()) == ["app.port", "nmae"]


def test_the_sentence_names_the_file_that_was_read(tmp_path: Path) -> None:
    """Not lab.toml when the user's file is called otherwise."""
    path = tmp_path / "mine.toml"
    path.write_text('domian = "x"\n')
    with pytest.raises(TopologyError) as caught:
        config.load(path)
    assert str(caught.value) == f"{path}: domian: there is no such key; did you mean domain?"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the mend."""
    with pytest.raises(TopologyError) as caught:
        config.load(tmp_path / "no.toml")
    assert f"{tmp_path}/no.toml: there is no such file" in str(caught.value)
    assert "leave --file" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"host = [", "is not TOML"), (b"name = 1 2", "is not TOML"), (b'name = "\xff\xfe"', "cannot be read")],
)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    """Broken syntax says its place; bytes that are not UTF-8 cannot be read."""
    path = tmp_path / "lab.toml"
    path.write_bytes(content)
    with pytest.raises(TopologyError) as caught:
        config.load(path)
    assert f"{path}: {reason}" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder stands for every OSError; permissions mean nothing to root."""
    with pytest.raises(TopologyError, match="cannot be read"):
        config.load(tmp_path)


def test_without_a_file_there_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And lab.toml of the current folder is taken when it is there."""
    monkeypatch.chdir(tmp_path)
    assert config.load() == Lab()
    Path("lab.toml").write_text('domain = "other.xyz"\n')
    assert config.load().domain == "other.xyz"


def test_an_unknown_app_gets_a_suggestion() -> None:
    """The profile whose name is close; else the list of them."""
    with pytest.raises(UsageError) as near:
        resolve("dumbsond")
    assert near.value.mend == "did you mean dumbsound?"
    with pytest.raises(UsageError) as far:
        resolve("zzz")
    assert far.value.mend == "name one of dumbsound, hello, a git URL or a folder"


def test_the_schema_is_valid_and_accepts_a_full_file() -> None:
    """What `lab render schema` prints is a JSON Schema, and the lab that it accepts is one."""
    schema = config.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    table = tomllib.loads(SAMPLE)
    jsonschema.Draft202012Validator(schema).validate(table)
    assert config.parse(table).domain == "site.example"


@pytest.mark.parametrize("place", ["", "app", "upstream", "versions", "box"])
def test_the_schema_rejects_an_unknown_key(place: str) -> None:
    """At the top and in every table."""
    table = tomllib.loads(SAMPLE)
    (table[place] if place else table)["unknown_key"] = 1
    faults = list(jsonschema.Draft202012Validator(config.schema()).iter_errors(table))
    assert any("unknown_key" in fault.message for fault in faults)
