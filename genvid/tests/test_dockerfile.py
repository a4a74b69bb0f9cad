"""scripts/dockerfile.py with our own files, and with unsupported ones."""

from pathlib import Path

import pytest

from genvid import docs_pages
from genvid.tests.scripts import load_script

dockerfile = load_script("dockerfile")
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "avatars", "billing", "genvid", "videos")
IGNORE = (ROOT / ".dockerignore").read_text()


@pytest.fixture(scope="module")
def stages():
    return dockerfile.parse_dockerfile((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def copied(stages) -> list[str]:
    """What the stage `source` keeps of the context, all of which the production image takes over."""
    (source,) = [stage for stage in stages if stage.name == "source"]
    removed = [step.value.removeprefix("rm -rf ") for step in source.steps if step.word == "RUN"]
    return [path for path in context_files(source) if not path.startswith(tuple(f"{folder}/" for folder in removed))]


def context_files(stage) -> list[str]:
    """Raises ValueError for a source that .dockerignore keeps out."""
    context = dockerfile.Context(ROOT, IGNORE)
    steps = [step.copied() for step in stage.steps if step.word == "COPY"]
    return [path for sources, _, other in steps if not other for source in sources for path in context.files(source)]


def test_the_stages_of_our_dockerfile(stages):
    assert [stage.name for stage in stages] == ["build", "sandbox", "source", ""]


def test_the_production_image_takes_nothing_but_other_stages(stages):
    steps = [step.copied() for step in stages[-1].steps if step.word == "COPY"]
    assert steps == [(["/venv"], "/venv", "build"), (["/app"], "/app", "source")]


def test_dockerignore_lets_in_all_that_any_stage_copies_and_nothing_else(stages):
    wanted = {path for stage in stages for path in context_files(stage)}
    context = dockerfile.Context(ROOT, IGNORE)
    tops = {line.removeprefix("!").split("/")[0] for line in IGNORE.splitlines() if line.startswith("!")}
    let_in = {path for top in tops if (ROOT / top).exists() for path in context.files(top)}
    assert let_in == wanted


def test_the_renderer_of_test_keys_has_all_of_the_sandbox_but_its_tests(stages):
    (sandbox,) = [stage for stage in stages if stage.name == "sandbox"]
    files = [path for path in (ROOT / "genvid" / "sandbox").rglob("*") if path.is_file()]
    names = {path.relative_to(ROOT).as_posix() for path in files if not {"tests", "__pycache__"} & set(path.parts)}
    assert names == {path for path in context_files(sandbox) if path.startswith("genvid/sandbox/")}
    assert "requirements-dev.lock" in context_files(sandbox)


def test_the_image_has_the_five_packages_the_documentation_and_two_files(copied):
    assert {path.split("/")[0] for path in copied} == {*PACKAGES, "docs", "manage.py", "scripts"}
    assert [path for path in copied if path.startswith("scripts/")] == ["scripts/healthcheck.py"]


def test_the_image_has_neither_tests_nor_the_sandbox_nor_caches(copied):
    unwanted = [path for path in copied if {"tests", "sandbox", "__pycache__"} & set(path.split("/")[:-1])]
    assert unwanted == []


def test_every_module_of_the_source_is_in_the_image(copied):
    apart = {"tests", "sandbox"}
    modules = [path.relative_to(ROOT) for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    wanted = {path.as_posix() for path in modules if not apart & set(path.parts[:-1])}
    assert wanted == {path for path in copied if path.endswith(".py") and path.split("/")[0] in PACKAGES}


def test_every_file_that_the_site_serves_as_documentation_is_in_the_image(copied):
    served = {path.relative_to(ROOT).as_posix() for path in docs_pages.files().values()}
    assert served == {path for path in copied if path.startswith("docs/")}


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("manage.py", True),
        ("genvid/settings.py", True),
        ("genvid/sandbox/app.py", True),
        ("genvid/sandbox/tests/test_ports.py", False),
        ("requirements-dev.lock", True),
        ("requirements-dev.txt", False),
        ("videos/tests/test_x.py", False),
        ("videos/tests.py", True),
        ("a/__pycache__/b.txt", False),
        ("genvid/x.pyc", False),
        ("scripts/run.py", False),
        (".env", False),
        ("var/genvid.sqlite3", False),
    ],
)
def test_the_last_matching_rule_of_dockerignore_decides(path, kept):
    assert dockerfile.Context(ROOT, IGNORE).has(path) is kept


def test_continued_lines_and_comments_are_read_as_docker_reads_them():
    text = '# a comment\nFROM x AS one\nENV A=1 \\\n    # in between\n    B=\'2 3\'\nCMD ["a", "b"]\n'
    (stage,) = dockerfile.parse_dockerfile(text)
    env, cmd = stage.steps
    assert (stage.name, env.pairs(), cmd.command()) == ("one", {"A": "1", "B": "2 3"}, ["a", "b"])


@pytest.mark.parametrize("line", ["ADD x y", "ARG X=1", 'SHELL ["bash"]'])
def test_an_unknown_instruction_is_an_error(line):
    with pytest.raises(ValueError, match="not understood here"):
        dockerfile.parse_dockerfile(f"FROM x\n{line}\n")


@pytest.mark.parametrize("value", ["--chown=me a b", "*.py ./"])
def test_an_unknown_form_of_copy_is_an_error(value):
    with pytest.raises(ValueError, match="not understood here"):
        dockerfile.Step("COPY", value).copied()


def test_copying_a_missing_or_ignored_file_is_an_error():
    with pytest.raises(ValueError, match=r"COPY bench: no such file, or .dockerignore keeps it out"):
        dockerfile.Context(ROOT, IGNORE).files("bench")
