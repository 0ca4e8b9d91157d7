"""Fetching an app: with the real git, from repositories of the test's folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab import process
from lab.apps.profile import Profile, resolve
from lab.apps.source import SourceUnreachable, obtain
from lab.errors import EnvironmentProblem, LabError

PACKAGE = '{"dependencies": {"left-pad": "1"}}'


class Repository:
    """A git repository of a student."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        process.run("git", "init", "-q", "--initial-branch=main", folder)

    def git(self, *words: str) -> str:
        """What git says."""
        who = ("-c", "user.name=s", "-c", "user.email=s@x", "-c", "commit.gpgsign=false")
        return process.run("git", "-C", self.folder, *who, *words).stdout.strip()

    def commit(self, **files: str) -> str:
        """A new commit with these files; its revision."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    @property
    def profile(self) -> Profile:
        """As `--app FOLDER` gives it."""
        return resolve(str(self.folder))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    made = Repository(tmp_path / "my-app")
    made.commit(index_js="1", package_json=PACKAGE)
    return made


def test_a_repository_is_cloned_and_packed(repository: Repository, tmp_path: Path) -> None:
    """Its newest commit, in a bundle from which a host makes a real clone."""
    source = obtain(repository.profile)
    assert (source.revision, source.branch) == (repository.git("rev-parse", "HEAD"), "main")
    process.run("git", "clone", "-q", "-b", source.branch, source.bundle, tmp_path / "host")
    assert (tmp_path / "host" / "index.js").read_text() == "1"
    assert source.profile.install == "npm install --no-package-lock"


def test_a_new_commit_is_fetched(repository: Repository) -> None:
    """And nothing is done when there is none."""
    first = obtain(repository.profile)
    assert obtain(repository.profile) == first
    expected = repository.commit(index_js="2")
    second = obtain(repository.profile)
    assert (second.revision, second.dependencies) == (expected, first.dependencies)
    assert second.bundle != first.bundle


def test_a_rewritten_history_is_fetched(repository: Repository) -> None:
    """A student amended the last commit."""
    obtain(repository.profile)
    repository.git("commit", "-q", "--amend", "-m", "other")
    assert obtain(repository.profile).revision == repository.git("rev-parse", "HEAD")


def test_another_branch_is_followed(repository: Repository) -> None:
    """What is checked out in the repository is what runs."""
    obtain(repository.profile)
    repository.git("checkout", "-q", "-b", "feature")
    expected = repository.commit(index_js="2")
    source = obtain(repository.profile)
    assert (source.revision, source.branch) == (expected, "feature")


def test_dependencies_have_a_key_of_their_own(repository: Repository) -> None:
    """It changes with package.json and the lockfile, and with nothing else."""
    first = obtain(repository.profile).dependencies
    repository.commit(readme_md="x")
    assert obtain(repository.profile).dependencies == first != ""
    repository.commit(package_json=PACKAGE.replace("1", "2"))
    second = obtain(repository.profile).dependencies
    (repository.folder / "package-lock.json").write_text("{}")
    repository.commit()
    assert len({first, second, obtain(repository.profile).dependencies}) == 3


def test_an_app_without_dependencies_has_no_key(repository: Repository) -> None:
    """Nothing will be installed."""
    repository.commit(package_json="{}")
    source = obtain(repository.profile)
    assert (source.dependencies, source.profile.install) == ("", "")


def test_an_earlier_clone_is_good_enough(repository: Repository) -> None:
    """When the source cannot be reached any more."""
    profile = repository.profile
    first = obtain(profile)
    shutil.rmtree(repository.folder)
    assert obtain(profile) == first


@pytest.mark.parametrize("url", ["file:///nonexistent/repo.git", "/nonexistent/repo", "-uevil"])
def test_what_was_never_fetched_is_unreachable(own_cache: Path, url: str) -> None:
    """The error names it and says what to do; nothing half done stays in the cache."""
    with pytest.raises(SourceUnreachable) as caught:
        obtain(Profile(name="x", source=url))
    assert f"the app cannot be cloned from {url}" in caught.value.message
    assert "--app" in caught.value.mend
    assert list((own_cache / "apps").iterdir()) == []


def test_a_repository_without_commits_is_no_app(tmp_path: Path) -> None:
    """The error says so in a sentence that a student understands."""
    empty = Repository(tmp_path / "empty")
    with pytest.raises(LabError, match="commit") as caught:
        obtain(empty.profile)
    assert str(empty.folder) in caught.value.message
    assert "<command>" not in caught.value.message
    assert "[<revision>...]" not in caught.value.message
    assert "HEAD^{commit}" not in caught.value.message


def test_a_plain_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    """Without node_modules, at any depth; what .gitignore names is taken too. Equal files, equal commit."""
    folder = tmp_path / "plain"
    for name in ("app.js", "node_modules/a/x.js", "deep/node_modules/b/x.js", "deep/y.js", "build/z.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / ".gitignore").write_text("build\n")
    first = obtain(resolve(str(folder)))
    process.run("git", "clone", "-q", first.bundle, tmp_path / "host")
    files = sorted(str(path.relative_to(tmp_path / "host")) for path in (tmp_path / "host").rglob("*.js"))
    assert files == ["app.js", "build/z.js", "deep/y.js"]
    shutil.rmtree(tmp_path / "cache")
    (folder / "app.js").touch()
    assert obtain(resolve(str(folder))).revision == first.revision
    (folder / "app.js").write_text("new")
    (folder / "deep" / "y.js").unlink()
    assert obtain(resolve(str(folder))).revision != first.revision


def test_a_folder_inside_a_repository_is_taken_alone(repository: Repository) -> None:
    """And the repository around it is left as it is."""
    (repository.folder / "inner").mkdir()
    (repository.folder / "inner" / "a.js").write_text("a")
    before = repository.git("status", "--porcelain")
    source = obtain(resolve(str(repository.folder / "inner")))
    assert process.run("git", "ls-remote", source.bundle).stdout.count(source.revision) == 2
    assert repository.git("status", "--porcelain") == before


def test_an_empty_folder_is_no_crash(tmp_path: Path) -> None:
    """It is an app with nothing in it."""
    (tmp_path / "nothing").mkdir()
    assert len(obtain(resolve(str(tmp_path / "nothing"))).revision) == 40


def test_a_broken_package_json_is_said(repository: Repository) -> None:
    """Where to mend it."""
    repository.commit(package_json="{")
    with pytest.raises(EnvironmentProblem, match=r"package\.json is not JSON") as caught:
        obtain(repository.profile)
    assert caught.value.mend == "mend it and commit"


def test_two_sources_with_one_name_do_not_meet(tmp_path: Path) -> None:
    """Each has its own clone."""
    one, other = Repository(tmp_path / "a" / "app"), Repository(tmp_path / "b" / "app")
    first, second = one.commit(x_js="1"), other.commit(x_js="2")
    assert (obtain(one.profile).revision, obtain(other.profile).revision) == (first, second)


def _blobs(bundle: Path, folder: Path) -> set[str]:
    """Everything that a clone of a bundle holds."""
    process.run("git", "clone", "-q", "--mirror", bundle, folder)
    asked = process.run("git", "-C", folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(asked.stdout.split())


def test_what_a_profile_excludes_is_passed_on_to_nobody(repository: Repository, tmp_path: Path) -> None:
    """Neither as a file nor in the history: one commit, the same wherever it is made."""
    (repository.folder / ".ci").mkdir()
    (repository.folder / ".ci" / "run").write_text("password")
    repository.commit(pipeline_yml="password", index_js="2")
    hidden = {repository.git("rev-parse", f"HEAD:{name}") for name in (".ci/run", "pipeline.yml")}
    assert hidden <= _blobs(obtain(repository.profile).bundle, tmp_path / "all")
    profile = replace(repository.profile, exclude=(".ci", "pipeline.yml", "was-never-there"))
    source = obtain(profile)
    found = _blobs(source.bundle, tmp_path / "some")
    assert not hidden & found
    assert process.run("git", "-C", tmp_path / "some", "ls-tree", "-r", "--name-only", "HEAD").stdout.split() == [
        "index.js", "package.json",
    ]  # fmt: skip
    assert process.run("git", "-C", tmp_path / "some", "rev-list", "--count", "--all").stdout.strip() == "1"
    shutil.rmtree(source.bundle.parent.parent)
    assert obtain(profile).revision == source.revision
    expected = repository.commit(index_js="3")
    said = process.run("git", "-C", source.bundle.parent.parent / f"{source.bundle.parent.name}.git", "log", "-1")
    assert expected not in said.stdout
    assert obtain(profile).revision != source.revision


def test_without_internet_nothing_is_fetched(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier clone is good enough; without one the mend is a pack."""
    with pytest.raises(SourceUnreachable, match="my-app is not on this computer") as caught:
        obtain(repository.profile, offline=True)
    assert "lab unpack" in caught.value.mend
    first = obtain(repository.profile)
    repository.commit(index_js="2")
    assert obtain(repository.profile, offline=True) == first
    assert obtain(repository.profile) != first
