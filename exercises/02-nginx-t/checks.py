"""What is looked at in the exercise on `nginx -t`."""

from __future__ import annotations

from lab import Scene, Wrong, check

OFFER = "/offer"


@check(points=2)
def site_is_up(scene: Scene) -> None:
    """Visitors of the site get its front page."""
    answer = scene.visit(name=scene.domain)
    if not answer.status and not scene["akuma"].service("nginx").is_running:
        raise Wrong("site-down", error=answer)
    if not answer.status:
        raise Wrong("no-answer", error=answer)
    if answer.status != 200 or scene.token not in answer.text:
        raise Wrong("other-page", status=answer, evidence=answer.text)


@check(points=3)
def config_is_valid(scene: Scene) -> None:
    """nginx accepts its configuration files."""
    tested = scene["akuma"].nginx_test()
    if tested.is_missing:
        raise Wrong("nginx-missing")
    if tested.ok:
        return
    if "unknown directive" in tested.complaint:
        raise Wrong("unknown-directive", complaint=tested.complaint)
    if "unexpected end of file" in tested.complaint or 'unexpected "}"' in tested.complaint:
        raise Wrong("brace", complaint=tested.complaint)
    if "invalid number of arguments" in tested.complaint or "not terminated" in tested.complaint:
        raise Wrong("semicolon", complaint=tested.complaint)
    raise Wrong("test-fails", complaint=tested.complaint)


@check(points=5, after=[site_is_up, config_is_valid])
def new_page_is_live(scene: Scene) -> None:
    """Visitors get the new page /offer."""
    answer = scene.visit(path=OFFER, name=scene.domain)
    if answer.status == 200 and scene.token in answer.text:
        return
    config = scene["akuma"].nginx_config()
    if OFFER not in config:
        raise Wrong("page-deleted", status=answer)
    if scene.token not in config:
        raise Wrong("page-changed", status=answer, evidence=answer.text)
    raise Wrong("not-reloaded", status=answer)
