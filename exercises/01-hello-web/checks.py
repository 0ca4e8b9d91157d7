"""What a visitor gets from akuma, and whether the student knows what it is called."""

from lab import Scene, Wrong, check

ANSWERS = {"1": "b", "2": "a", "3": "c"}


@check(points=3)
def something_answers(scene: Scene) -> None:
    """A web server on akuma answers on port 80."""
    answer = scene.visit("akuma")
    if answer.status:
        return
    akuma = scene["akuma"]
    if not akuma.sh("command -v nginx", root=True).ok:
        raise Wrong("not-installed", error=answer.error)
    if not akuma.service("nginx").is_running:
        raise Wrong("not-running", error=answer.error)
    raise Wrong("silent", error=answer.error)


@check(points=3, after=[something_answers])
def serves_the_token(scene: Scene) -> None:
    """Its front page bears your token."""
    answer = scene.visit("akuma")
    if answer.status == 200 and scene.token in answer.text:
        return
    elsewhere = scene["akuma"].sh("grep -rlF %s /var/www /home/vagrant", scene.token, root=True).stdout.split()
    if elsewhere:
        raise Wrong("token-elsewhere", status=answer.status, file=elsewhere[0])
    raise Wrong("no-token", status=answer.status)


@check(points=1, after=[something_answers])
def starts_at_boot(scene: Scene) -> None:
    """The web server starts again by itself after a reboot."""
    akuma = scene["akuma"]
    unit = akuma.sh("ps -o unit= -p $(ss -Hltnp sport = :80 | grep -o 'pid=[0-9]*' | head -1 | cut -d= -f2)", root=True)
    name = unit.stdout.strip()
    if not name.endswith(".service"):
        raise Wrong("by-hand")
    if not akuma.service(name).is_enabled:
        raise Wrong("not-enabled", unit=name)


@check(points=3)
def knows_the_words(scene: Scene) -> None:
    """The three questions in ~/answers.txt are answered right."""
    given = scene["akuma"].note("/home/vagrant/answers.txt")
    if given is None:
        raise Wrong("no-answers")
    for number, letter in ANSWERS.items():
        if not given.get(number):
            raise Wrong("not-answered", number=number)
        if given[number][0] != letter:
            raise Wrong("wrong-answer", number=number, given=given[number])
