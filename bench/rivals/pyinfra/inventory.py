"""The three machines; the network differs from run to run and comes from the environment."""

import os

_SUBNET = os.environ["RIVAL_SUBNET"]
_LOGIN = {
    "ssh_user": "vagrant",
    "ssh_key": os.environ["RIVAL_KEY"],
    "ssh_known_hosts_file": os.environ["RIVAL_KNOWN_HOSTS"],
    "ssh_strict_host_key_checking": "accept-new",
    "_sudo": True,
}

balancers = [(f"{_SUBNET}.10", {**_LOGIN, "name": "akuma"})]
backends = [(f"{_SUBNET}.11", {**_LOGIN, "name": "voxy"}), (f"{_SUBNET}.12", {**_LOGIN, "name": "zero"})]
