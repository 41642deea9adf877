"""The tests on other Pythons, with the oldest and newest packages; the distributions.

pip install "nox[uv]"
nox --list
nox                           # all: every Python with both, then the distributions
nox -s "tests-3.12(newest)"

What a session installs can be narrowed by uv's variables, such as UV_CONSTRAINT (a file
of constraints) and UV_FIND_LINKS (a folder of wheels).
"""

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}

# Left out here, since `make test` runs them: what takes long, and depends on the
# package more than on those of others.
SLOW = (
    *("benchmarks", "languages", "planning", "replication"),
    *("test_docs.py", "test_examples.py", "test_howto.py"),
    "datasets/test_planted_concepts.py",
    *("cli/test_language_models.py", "embedding/test_remote_encoders.py"),
    *("language_models/test_batches.py", "language_models/test_dispatch.py"),
    *("language_models/test_faults.py", "language_models/test_pipeline.py"),
    *("language_models/test_processes.py", "language_models/test_retries.py"),
)


def run_fast_tests(session):
    """Run the tests against what is installed, from the folder that holds them."""
    ignored = [f"--ignore=tests/{name}" for name in SLOW]
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    arguments = session.posargs or ["tests", *ignored]
    session.run("pytest", "-n", "2", "--dist", "loadfile", *arguments, env=environment)


@nox.session(python=PYTHONS)
@nox.parametrize("versions", [nox.param(name, id=name) for name in RESOLUTIONS])
def tests(session, versions):
    """Test with the oldest packages that pyproject.toml allows, or with the newest."""
    session.install("--resolution", RESOLUTIONS[versions], ".[test]")
    run_fast_tests(session)


@nox.session(python=PYTHONS[0])
def distributions(session):
    """Build wheel and sdist, check and list what they hold, test the sdist."""
    session.install("build", "check-manifest", "check-wheel-contents", "twine")
    session.run("check-manifest")
    folder = Path(session.create_tmp()).resolve()
    session.run("python", "-m", "build", "--outdir", str(folder))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    session.run("python", "-m", "zipfile", "--list", str(wheel))
    session.run("python", "-m", "tarfile", "--list", str(sdist))
    session.run("python", "-m", "tarfile", "--extract", str(sdist), str(folder))
    session.install(f"sklearn-hypo[test] @ {sdist.as_uri()}")
    session.chdir(folder / sdist.name.removesuffix(".tar.gz"))
    run_fast_tests(session)
